"""Medfusion's OAuth 2.0: who the application is, then a token for a user name and a password.

It looks like RFC 6749 §4.3 and is not: the application is looked up by a token in a URL, the answer
is in camelCase and there is no refresh token, so a new token is got with the credentials again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import requests
from pydantic import SecretStr
from requests.auth import HTTPBasicAuth

from practicefusion_connector import errors
from practicefusion_connector.medfusion.connection import MedfusionConnection
from practicefusion_connector.smart.provider import Renew
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.transport import Answer, Run, Transport

_OAUTH = "/v1/oauth2"
_LONGEST_LIFE = 24 * 3600.0


class Application(NamedTuple):
    """Who the application is at the token endpoint."""

    client_id: str
    client_secret: SecretStr


def look_up(transport: Transport, connection: MedfusionConnection, run: Run) -> Application:
    """Return the application behind the connection; asked for once, then kept by the caller.

    Raises:
        InvalidConfig: the server knows no application of this token.
        ConnectorError: it could not be asked.
    """
    if connection.client_id and connection.client_secret:
        return Application(connection.client_id, connection.client_secret)
    _guard_loggers()
    token = connection.application_token or SecretStr("")
    path = f"{_OAUTH}/oauthapplication/{quote(token.get_secret_value(), safe='')}"
    request = requests.Request("GET", connection.server + path, {"Accept": "application/json"})
    said = _object(_sent(transport, connection, request, run, _not_known))
    client_id, secret = said.get("clientId"), said.get("clientSecret")
    if not (isinstance(client_id, str) and isinstance(secret, str) and client_id and secret):
        raise errors.InvalidResponse(
            "The application look-up's answer holds no client id and secret."
        )
    return Application(client_id, SecretStr(secret))


def fetch_token(
    transport: Transport, connection: MedfusionConnection, application: Application, run: Run
) -> TokenSet:
    """Return a new access token for the connection's user.

    Raises:
        ReauthRequired: the server refuses the user or the application.
        ConnectorError: it could not be asked.
    """
    form = {
        "grant_type": "password",
        "username": connection.username,
        "password": connection.password.get_secret_value(),
    }
    request = requests.Request(
        "POST",
        f"{connection.server}{_OAUTH}/token",
        {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
        data=urlencode(form),
        auth=HTTPBasicAuth(application.client_id, application.client_secret.get_secret_value()),
    )
    # Asking twice does no harm: a token got and lost is one more that expires unused.
    said = _object(_sent(transport, connection, request, run, _refused))
    return _token_set(said, transport.clock())


def renewal(transport: Transport) -> Renew:
    """Return the function that gets new tokens over `transport`, for `ManagedTokens`."""
    known: dict[str, Application] = {}

    # `Renew` speaks of Practice Fusion's connections; a store of portals gives portals.
    def renew(connection: Any, tokens: TokenSet | None, run: Run) -> TokenSet:
        if connection.id not in known:
            known[connection.id] = look_up(transport, connection, run)
        fresh = fetch_token(transport, connection, known[connection.id], run)
        run.trace.refreshes += 1
        return fresh

    return renew


def _sent(
    transport: Transport,
    connection: MedfusionConnection,
    request: requests.Request,
    run: Run,
    refused: Callable[[errors.ConnectorError], errors.ConnectorError],
) -> Answer:
    prepared = request.prepare()
    # Raised outside the handler: the error's text names the path, which holds a secret here.
    problem: errors.ConnectorError
    try:
        return transport.retrying(
            lambda: transport.send(prepared, run, practice=connection.server), run
        )
    except errors.ConnectorError as error:
        problem = refused(error)
    raise problem


def _not_known(error: errors.ConnectorError) -> errors.ConnectorError:
    kind, told = type(error), "The look-up of the application failed"
    if error.http_status in (400, 401, 403, 404):
        kind, told = errors.InvalidConfig, "The server knows no application of this token"
    return _retold(error, kind, told)


def _refused(error: errors.ConnectorError) -> errors.ConnectorError:
    if error.http_status in (400, 401, 403):
        return _retold(
            error,
            errors.ReauthRequired,
            "The portal refuses the credentials: check user name and password, client id and "
            "secret, then connect again",
        )
    return _retold(error, type(error), "The portal's token endpoint failed")


def _retold(
    error: errors.ConnectorError, kind: type[errors.ConnectorError], told: str
) -> errors.ConnectorError:
    status = f" (HTTP {error.http_status})" if error.http_status else f" ({error.code})"
    return kind(
        f"{told}{status}.",
        retry_after=error.retry_after,
        http_status=error.http_status,
        correlation_id=error.correlation_id,
    )


def _object(answer: Answer) -> dict[str, Any]:
    try:
        said = answer.json()
    except errors.ConnectorError:
        said = None
    if not isinstance(said, dict):
        raise errors.InvalidResponse("The portal's OAuth answer is no JSON object.")
    return said


def _token_set(said: dict[str, Any], now: float) -> TokenSet:
    token, lifetime = said.get("accessToken"), said.get("expiresIn")
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
        raise errors.InvalidResponse("The token endpoint's answer holds no usable access token.")
    if isinstance(lifetime, str) and lifetime.strip().isdigit():
        lifetime = int(lifetime)
    expires_at = None
    if isinstance(lifetime, int | float) and lifetime > 0:
        expires_at = now + min(float(lifetime), _LONGEST_LIFE)
    return TokenSet(access_token=SecretStr(token), issued_at=now, expires_at=expires_at)


class _WithoutApplicationTokens(logging.Filter):
    """Takes application tokens out of urllib3's records, which name every path."""

    def filter(self, record: logging.LogRecord) -> bool:
        told = record.getMessage()
        if "/oauthapplication/" in told:
            record.msg = re.sub(r"(/oauthapplication/)[^\s?\"]+", r"\1{token}", told)
            record.args = None
        return True


def _guard_loggers() -> None:
    for name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry"):
        logger = logging.getLogger(name)
        if not any(isinstance(present, _WithoutApplicationTokens) for present in logger.filters):
            logger.addFilter(_WithoutApplicationTokens())
