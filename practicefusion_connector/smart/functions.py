"""The flows as plain functions: each does one thing, keeps nothing, and can be used alone.

For hosts that run OAuth themselves and lack one piece. `transport` may be given to share its
connection pool; otherwise one is made and closed. Every function raises `ConnectorError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import ConnectorError
from practicefusion_connector.registry import shipped
from practicefusion_connector.smart import check, oauth
from practicefusion_connector.smart.check import ConnectionCheck
from practicefusion_connector.smart.discovery import Endpoints
from practicefusion_connector.smart.known_servers import shared
from practicefusion_connector.smart.renew import system_scopes
from practicefusion_connector.smart.scopes import scopes_for
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.transport import Run, Transport


class _Wire(NamedTuple):
    transport: Transport
    run: Run

    def endpoints(self, connection: Connection) -> Endpoints:
        return shared().endpoints(self.transport, connection, self.run)


@contextmanager
def _wire(given: Transport | None) -> Iterator[_Wire]:
    transport = given or Transport()
    try:
        yield _Wire(transport, Run(transport.policy.deadline))
    finally:
        if given is None:
            transport.close()


def authorize_url(
    connection: Connection,
    redirect_uri: str,
    state: str,
    code_challenge: str,
    *,
    scopes: Iterable[str] | None = None,
    launch: str | None = None,
    nonce: str | None = None,
    transport: Transport | None = None,
) -> str:
    """Return the URL that asks a person for access (RFC 6749 §4.1.1, SMART App Launch 2.0).

    Args:
        connection: to which practice.
        redirect_uri: where the browser returns; must be registered.
        state: the host's own, checked when the browser returns.
        code_challenge: S256 of the code verifier (RFC 7636 §4.2).
        scopes: what to ask for; the connection's, or those of every action, where left out.
        launch: the EHR's value, for a launch from the EHR; its scope is added.
        nonce: comes back in the id_token, where `openid` is asked for.
        transport: to share.
    """
    asked = tuple(scopes or connection.scopes or scopes_for(shipped().core(), connection.level))
    extra = {}
    if launch is not None:
        extra["launch"] = launch
        own = (scope for scope in asked if not scope.startswith("launch"))
        asked = ("launch", *own)
    if nonce is not None:
        extra["nonce"] = nonce
    with _wire(transport) as wire:
        endpoints = wire.endpoints(connection)
    asking = connection.model_copy(update={"redirect_uri": redirect_uri})
    return oauth.authorization_url(
        asking, endpoints, asked, state=state, code_challenge=code_challenge, **extra
    )


def exchange_code(
    connection: Connection,
    code: str,
    redirect_uri: str,
    code_verifier: str,
    *,
    nonce: str | None = None,
    transport: Transport | None = None,
) -> TokenSet:
    """Exchange an authorization code for tokens (RFC 6749 §4.1.3); an id_token is verified."""
    asking = connection.model_copy(update={"redirect_uri": redirect_uri})
    with _wire(transport) as wire:
        endpoints = wire.endpoints(connection)
        tokens = oauth.exchange_code(
            wire.transport, asking, endpoints, code, code_verifier, wire.run
        )
        if tokens.id_token is None:
            return tokens
        from practicefusion_connector.smart.identity import identified

        return identified(wire.transport, shared(), connection, endpoints, tokens, nonce, wire.run)


def refresh(
    connection: Connection, token_set: TokenSet, *, transport: Transport | None = None
) -> TokenSet:
    """Refresh the tokens (RFC 6749 §6); the old refresh token is kept where no new one comes."""
    with _wire(transport) as wire:
        endpoints = wire.endpoints(connection)
        return oauth.refresh(wire.transport, connection, endpoints, token_set, wire.run)


def client_credentials(
    connection: Connection,
    scopes: Iterable[str] | None = None,
    *,
    transport: Transport | None = None,
) -> TokenSet:
    """Get a token for the application itself, by its private key or its secret."""
    with _wire(transport) as wire:
        endpoints = wire.endpoints(connection)
        asked = scopes or system_scopes(connection)
        return oauth.client_credentials(wire.transport, connection, endpoints, asked, wire.run)


def revoke(
    connection: Connection, token_set: TokenSet, *, transport: Transport | None = None
) -> None:
    """Revoke the tokens where the server advertises it (RFC 7009), else raise `InvalidConfig`."""
    with _wire(transport) as wire:
        endpoints = wire.endpoints(connection)
        oauth.revoke(wire.transport, connection, endpoints, token_set, wire.run)


def test_connection(
    connection: Connection,
    token_set: TokenSet | None = None,  # noqa: PT028 - the name is the field's, it is no test
    *,
    transport: Transport | None = None,  # noqa: PT028
) -> ConnectionCheck:
    """Test a connection and say what is wrong; nothing is raised.

    A system connection gets a token of its own where none is given; a person's connection without
    tokens is tested as far as that goes.
    """
    with _wire(transport) as wire:
        if token_set is None and connection.level == "system":
            try:
                token_set = client_credentials(connection, transport=wire.transport)
            except ConnectorError as error:
                return ConnectionCheck(False, connection.id, problem=error)
        token = token_set.access_token.get_secret_value() if token_set else None
        granted = token_set.scope if token_set else ()
        return check.check(wire.transport, connection, token, granted, wire.run)
