"""OAuth 2.0 through requests-oauthlib, over this connector's own transport.

requests-oauthlib shapes the requests and reads the answers; the transport sends them, with its
bounds, its typed errors and no redirects. Every function here is plain: what it needs is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error, WebApplicationClient
from requests import PreparedRequest
from requests_oauthlib import OAuth2Session

from practicefusion_connector import errors
from practicefusion_connector.connection import Connection
from practicefusion_connector.smart.discovery import Endpoints
from practicefusion_connector.smart.refusals import (
    application_refused,
    code_refused,
    refresh_refused,
)
from practicefusion_connector.smart.session import (
    client_authentication,
    open_session,
    with_scheme,
)
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.transport import Run, Transport

Hint = Literal["refresh_token", "access_token"]

_SENDABLE = re.compile(r"[\x21-\x7e]+")
_CONTEXT = ("patient", "encounter", "need_patient_banner", "smart_style_url", "fhirUser")


def authorization_url(
    connection: Connection,
    endpoints: Endpoints,
    scopes: Iterable[str],
    *,
    state: str,
    code_challenge: str,
    **parameters: str,
) -> str:
    """Return the URL that asks a person for access (RFC 6749 §4.1.1, SMART App Launch 2.0).

    PKCE is always S256 (RFC 7636 §4.2) and the audience is the FHIR base.

    Raises:
        InvalidConfig: the server declares no authorization endpoint.
    """
    endpoint = endpoints.authorization
    if not endpoint:
        raise errors.InvalidConfig("The server declares no authorization endpoint for people.")
    session = OAuth2Session(
        connection.client_id, redirect_uri=connection.redirect_uri, scope=list(scopes)
    )
    url, _ = session.authorization_url(
        with_scheme(endpoint, "https"),
        state=state,
        aud=connection.fhir_base_url,
        code_challenge=code_challenge,
        code_challenge_method="S256",
        **parameters,
    )
    return with_scheme(url, urlsplit(endpoint).scheme)


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
    with open_session(transport, connection, run, urlsplit(endpoints.token).scheme) as session:

        def ask() -> Mapping[str, Any]:
            proof = client_authentication(connection, endpoints.token, transport.clock())
            return session.fetch_token(
                with_scheme(endpoints.token, "https"),
                code=code,
                code_verifier=code_verifier,
                include_client_id=True,
                auth=proof.auth,
                **proof.body,
            )

        return _token_set(transport, ask, run, refused=code_refused)


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
    with open_session(transport, connection, run, urlsplit(endpoints.token).scheme) as session:

        def ask() -> Mapping[str, Any]:
            proof = client_authentication(connection, endpoints.token, transport.clock())
            return session.refresh_token(
                with_scheme(endpoints.token, "https"),
                refresh_token=old,
                auth=proof.auth,
                client_id=connection.client_id,
                **proof.body,
            )

        fresh = _token_set(transport, ask, run, refused=refresh_refused)
    run.trace.refreshes += 1
    return fresh.model_copy(
        update={
            # A server may also write that there is no new one: null, or empty text.
            "refresh_token": fresh.refresh_token or tokens.refresh_token,
            "scope": fresh.scope or tokens.scope,
            "context": {**tokens.context, **fresh.context},
            # The one that was checked when a person connected; one from a refresh says no more.
            "id_token": tokens.id_token,
        }
    )


def client_credentials(
    transport: Transport,
    connection: Connection,
    endpoints: Endpoints,
    scopes: Iterable[str],
    run: Run,
) -> TokenSet:
    """Get a token for the application itself (RFC 6749 §4.4, SMART Backend Services).

    Raises:
        InvalidConfig: neither key nor secret, or the server refuses them or the scopes.
        Forbidden: the practice has not granted access.
        ConnectorError: the server could not be asked.
    """
    if connection.private_key is None and connection.client_secret is None:
        raise errors.InvalidConfig(
            "A system connection needs a private key (with its key id) or a client secret."
        )
    asked = tuple(scopes)
    client = BackendApplicationClient(connection.client_id)
    scheme = urlsplit(endpoints.token).scheme
    with open_session(transport, connection, run, scheme, client) as session:

        def ask() -> Mapping[str, Any]:
            proof = client_authentication(connection, endpoints.token, transport.clock())
            # Only a secret in the body goes with the client id: an assertion and a Basic header
            # name the client themselves.
            alone = "client_secret" not in proof.body
            return session.fetch_token(
                with_scheme(endpoints.token, "https"),
                scope=" ".join(asked),
                include_client_id=not alone,
                auth=proof.auth or (_as_it_is if alone else None),
                **proof.body,
            )

        fresh = _token_set(transport, ask, run, refused=application_refused)
    run.trace.refreshes += 1
    # RFC 6749 §5.1: a scope that is not told is the one asked for.
    return fresh if fresh.scope else fresh.model_copy(update={"scope": asked})


def revoke(
    transport: Transport,
    connection: Connection,
    endpoints: Endpoints,
    tokens: TokenSet,
    run: Run,
) -> None:
    """Revoke the refresh token, then the access token (RFC 7009 §2.1).

    A token the server does not know is no error (§2.2).

    Raises:
        InvalidConfig: the server advertises no revocation, or refuses the application.
        ConnectorError: the server could not be asked.
    """
    if endpoints.revocation is None:
        raise errors.InvalidConfig("The server advertises no revocation endpoint.")
    endpoint, access = endpoints.revocation, tokens.access_token.get_secret_value()
    with open_session(transport, connection, run, urlsplit(endpoint).scheme) as session:

        def ask(token: str, hint: Hint) -> None:
            proof = client_authentication(connection, endpoints.token, transport.clock())
            shape = WebApplicationClient(connection.client_id).prepare_token_revocation_request
            url, headers, body = shape(
                with_scheme(endpoint, "https"),
                token,
                token_type_hint=hint,
                client_id=connection.client_id,
                **proof.body,
            )
            session.request(
                "POST", url, data=body, headers=headers, auth=proof.auth, withhold_token=True
            )

        harmless = None
        if tokens.refresh_token is not None:
            lasting = tokens.refresh_token.get_secret_value()
            _revoked(transport, lambda: ask(lasting, "refresh_token"), run)
            # The grant is gone with it, and a server need not take access tokens (§2.2.1).
            harmless = "unsupported_token_type"
        _revoked(transport, lambda: ask(access, "access_token"), run, harmless)


def _revoked(
    transport: Transport, ask: Callable[[], None], run: Run, harmless: str | None = None
) -> None:
    problem: errors.ConnectorError
    try:
        return transport.retrying(ask, run)
    except errors.ConnectorError as error:
        if harmless in {issue["code"] for issue in error.issues}:
            return None
        problem = application_refused(error)
    raise problem


def _as_it_is(request: PreparedRequest) -> PreparedRequest:
    """Add nothing: without any authentication requests-oauthlib would make up a Basic header."""
    return request


def _token_set(
    transport: Transport,
    ask: Callable[[], Mapping[str, Any]],
    run: Run,
    refused: Callable[[errors.ConnectorError], errors.ConnectorError],
) -> TokenSet:
    # As in the transport, errors are raised outside the handlers: what oauthlib raises quotes the
    # token endpoint's answer, and an exception's context would carry it along.
    problem: errors.ConnectorError
    try:
        answer = transport.retrying(ask, run, idempotent=False)
        return _read(answer, transport.clock())
    except errors.ConnectorError as error:
        problem = refused(error)
    except (OAuth2Error, ValueError, TypeError, AttributeError, KeyError):
        problem = errors.InvalidResponse(
            "The token endpoint's answer holds no usable access token (RFC 6749 §5.1)."
        )
    raise problem


def _read(answer: Mapping[str, Any], now: float) -> TokenSet:
    if not _SENDABLE.fullmatch(answer["access_token"]):
        raise ValueError("The access token fits in no header.")
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
