"""OAuth 2.0 through requests-oauthlib, over this connector's own transport.

requests-oauthlib shapes the requests and reads the answers; the transport sends them, with its
bounds, its typed errors and no redirects. Every function here is plain: what it needs is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote_plus, urlsplit

import requests
from oauthlib.oauth2 import OAuth2Error
from requests.adapters import BaseAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from practicefusion_connector import errors
from practicefusion_connector.connection import Connection
from practicefusion_connector.smart.discovery import Endpoints
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.transport import Run, Transport

_CONTEXT = ("patient", "encounter", "need_patient_banner", "smart_style_url", "fhirUser")


def authorization_url(
    connection: Connection, endpoint: str, scopes: Iterable[str], **parameters: str
) -> str:
    """Return the URL of the authorization endpoint with the request's parameters."""
    session = OAuth2Session(
        connection.client_id, redirect_uri=connection.redirect_uri, scope=list(scopes)
    )
    url, _ = session.authorization_url(_with_scheme(endpoint, "https"), **parameters)
    return _with_scheme(url, urlsplit(endpoint).scheme)


def exchange_code(
    transport: Transport,
    connection: Connection,
    endpoints: Endpoints,
    code: str,
    code_verifier: str,
    run: Run,
) -> TokenSet:
    """Exchange an authorization code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.5).

    Raises:
        InvalidConfig: the application, its secret, redirect URI or scopes are wrong.
        ReauthRequired: the code is used up or expired; begin again.
        ConnectorError: the server could not be asked.
    """
    with _session(transport, connection, endpoints, run) as session:
        body, auth = _client_authentication(connection)
        return _token_set(
            transport,
            lambda: session.fetch_token(
                _with_scheme(endpoints.token, "https"),
                code=code,
                code_verifier=code_verifier,
                include_client_id=True,
                client_secret=body,
                auth=auth,
            ),
            refused=_code_refused,
        )


def refresh(
    transport: Transport,
    connection: Connection,
    endpoints: Endpoints,
    tokens: TokenSet,
    run: Run,
) -> TokenSet:
    """Refresh the tokens (RFC 6749 §6); the old refresh token stays where no new one comes.

    Raises:
        ReauthRequired: the grant is dead, or there is no refresh token.
        InvalidConfig: the application or its secret is wrong.
        ConnectorError: the server could not be asked.
    """
    if tokens.refresh_token is None:
        raise errors.ReauthRequired(
            "The connection has no refresh token (offline_access was not granted); connect again."
        )
    old = tokens.refresh_token.get_secret_value()
    with _session(transport, connection, endpoints, run) as session:
        secret, auth = _client_authentication(connection)
        in_body = {"client_id": connection.client_id} | (
            {"client_secret": secret} if secret else {}
        )
        fresh = _token_set(
            transport,
            lambda: session.refresh_token(
                _with_scheme(endpoints.token, "https"), refresh_token=old, auth=auth, **in_body
            ),
            refused=_refresh_refused,
        )
    run.trace.refreshes += 1
    return fresh.model_copy(
        update={
            "scope": fresh.scope or tokens.scope,
            "context": {**tokens.context, **fresh.context},
            "id_token": fresh.id_token or tokens.id_token,
        }
    )


class _TransportAdapter(BaseAdapter):
    """Lets a requests session send through the connector's transport."""

    def __init__(self, transport: Transport, run: Run, scheme: str) -> None:
        super().__init__()
        self._transport = transport
        self._run = run
        self._scheme = scheme

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        request.url = _with_scheme(request.url or "", self._scheme)
        answer = self._transport.retrying(
            lambda: self._transport.send(request, self._run), self._run, idempotent=False
        )
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update(answer.headers)
        response._content = answer.body
        response.url = answer.url
        response.request = request
        return response

    def close(self) -> None:
        """Leave the transport open; it is not this adapter's."""


def _session(
    transport: Transport, connection: Connection, endpoints: Endpoints, run: Run
) -> OAuth2Session:
    # No scope is given to the session: oauthlib raises where the granted scopes differ from those
    # asked for, which real servers do and which is reported, not refused.
    session = OAuth2Session(connection.client_id, redirect_uri=connection.redirect_uri)
    session.trust_env = False
    scheme = urlsplit(endpoints.token).scheme
    session.mount("https://", _TransportAdapter(transport, run, scheme))
    return session


def _with_scheme(url: str, scheme: str) -> str:
    # oauthlib refuses http even on loopback, where RFC 8252 §8.3 allows it; its only switch is an
    # environment variable for the whole process. So it is shown https throughout, and what is sent
    # has the scheme the endpoint was declared with (http only on loopback: `checked_url`).
    return urlsplit(url)._replace(scheme=scheme).geturl()


def _client_authentication(connection: Connection) -> tuple[str | None, AuthBase | None]:
    """Return the secret for the body, or Basic authentication (RFC 6749 §2.3.1)."""
    if connection.client_secret is None:
        return None, None
    secret = connection.client_secret.get_secret_value()
    if connection.auth_method == "client_secret_post":
        return secret, None
    if connection.auth_method == "client_secret_basic_raw":
        return None, HTTPBasicAuth(connection.client_id, secret)
    return None, HTTPBasicAuth(quote_plus(connection.client_id), quote_plus(secret))


def _token_set(
    transport: Transport,
    ask: Callable[[], Mapping[str, Any]],
    refused: Callable[[errors.ConnectorError], errors.ConnectorError],
) -> TokenSet:
    # As in the transport, errors are raised outside the handlers: what oauthlib raises quotes the
    # token endpoint's answer, and an exception's context would carry it along.
    problem: errors.ConnectorError
    try:
        answer = ask()
        return _read(answer, transport.clock())
    except errors.ConnectorError as error:
        problem = refused(error)
    except (OAuth2Error, ValueError, TypeError, AttributeError, KeyError):
        problem = errors.InvalidResponse(
            "The token endpoint's answer holds no usable access token (RFC 6749 §5.1)."
        )
    raise problem


def _read(answer: Mapping[str, Any], now: float) -> TokenSet:
    lifetime = answer.get("expires_in")
    scope = answer.get("scope") or ()
    return TokenSet(
        access_token=answer["access_token"],
        refresh_token=answer.get("refresh_token"),
        id_token=answer.get("id_token"),
        scope=tuple(scope.split() if isinstance(scope, str) else scope),
        issued_at=now,
        expires_at=None if lifetime is None else now + float(lifetime),
        context={name: answer[name] for name in _CONTEXT if answer.get(name) is not None},
    )


def _code_refused(error: errors.ConnectorError) -> errors.ConnectorError:
    """Say what a refused code exchange means (RFC 6749 §5.2, and Practice Fusion's own words)."""
    codes = {issue["code"] for issue in error.issues}
    if "invalid_grant" in codes:
        return _retold(
            error, errors.ReauthRequired, "The authorization code is no longer good; begin again."
        )
    if "launch context" in (error.diagnostics or "").lower():
        return _retold(
            error,
            errors.InvalidConfig,
            'The scope "launch" belongs to a launch from the EHR; leave it out of a standalone '
            "launch.",
        )
    return _application_refused(error)


def _refresh_refused(error: errors.ConnectorError) -> errors.ConnectorError:
    """Tell a dead grant from a passing failure: servers say it as 400, 401 or 403."""
    codes = {issue["code"] for issue in error.issues}
    if (
        error.http_status in (400, 401, 403)
        and "invalid_client" not in codes
        and not _passing(error)
    ):
        return _retold(
            error,
            errors.ReauthRequired,
            "The grant is no longer good: it expired, or the patient or the practice revoked it. "
            "A person must connect again.",
        )
    return _application_refused(error)


def _application_refused(error: errors.ConnectorError) -> errors.ConnectorError:
    if _passing(error) or error.http_status not in (400, 401, 403):
        return error
    if isinstance(error, errors.MissingScope) or "invalid_scope" in {
        issue["code"] for issue in error.issues
    }:
        return _retold(
            error,
            errors.InvalidConfig,
            "The application may not ask for one of the scopes, or a scope is misspelt "
            "(user/ and patient/ scopes end in .read, system/ scopes in .rs).",
        )
    if "practice has not granted" in (error.diagnostics or "").lower():
        return _retold(
            error, errors.Forbidden, "The practice has not granted access to this application."
        )
    return _retold(
        error,
        errors.InvalidConfig,
        "The token endpoint refuses the application: check client id, client secret, how the "
        "secret is sent, and the redirect URI.",
    )


def _passing(error: errors.ConnectorError) -> bool:
    return error.retryable and not isinstance(error, errors.AuthExpired)


def _retold(
    error: errors.ConnectorError, kind: type[errors.ConnectorError], message: str
) -> errors.ConnectorError:
    return kind(
        message,
        http_status=error.http_status,
        correlation_id=error.correlation_id,
        issues=error.issues,
        diagnostics=error.diagnostics,
    )
