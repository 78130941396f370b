"""Ending a connection: revoked at the server where it offers that, removed here in any case.

Practice Fusion advertises no revocation endpoint, so what is left of the grant is withdrawn by a
person; where, is said in plain words.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass

from practicefusion_connector.connection import Connection, Level
from practicefusion_connector.errors import ConnectorError, RefreshBusy
from practicefusion_connector.smart import oauth
from practicefusion_connector.smart.known_servers import KnownServers, shared
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.stores import ConnectionStore
from practicefusion_connector.transport import Run, Transport

# A refresh in flight would leave a token that nobody revokes; it is waited for, but not for ever.
_PATIENCE = 30.0

_WHERE: dict[Level, str] = {
    "user": "an administrator of the practice ends it in the EHR, on the list of connected "
    'applications, with "Revoke access"',
    "system": "an administrator of the practice ends it in the EHR, on the list of connected "
    'applications, with "Revoke access"',
    "patient": "the patient ends it in Patient Fusion, in the account settings, under "
    '"Authorized Apps"',
}


@dataclass(frozen=True, slots=True)
class Disconnected:
    """How a connection ended.

    Attributes:
        removed: it was in the store and is no longer.
        revoked: the server ended the grant.
        problem: why the server could not be told, where it was tried.
        advice: what is left to do, as a sentence; empty where nothing is.
    """

    removed: bool
    revoked: bool
    problem: ConnectorError | None = None
    advice: str = ""


def disconnect(
    transport: Transport,
    store: ConnectionStore,
    connection_id: str,
    run: Run,
    servers: KnownServers | None = None,
) -> Disconnected:
    """Revoke a connection's tokens where the server takes that (RFC 7009), and remove it here.

    The local removal happens whatever the server says.
    """
    with ExitStack() as stack:
        wait = max(0.0, min(_PATIENCE, run.remaining()))
        with suppress(RefreshBusy):
            stack.enter_context(store.lease(connection_id, ttl=3 * _PATIENCE, wait=wait))
        stored = store.load(connection_id)
        if stored is None:
            return Disconnected(removed=False, revoked=False)
        connection, tokens = stored.record.connection, stored.record.tokens
        revoked, problem = _revoked(transport, connection, tokens, run, servers or shared())
        removed = store.delete(connection_id)
    advice = "" if revoked or tokens is None else _advice(connection.level, problem)
    return Disconnected(removed, revoked, problem, advice)


def _revoked(
    transport: Transport,
    connection: Connection,
    tokens: TokenSet | None,
    run: Run,
    servers: KnownServers,
) -> tuple[bool, ConnectorError | None]:
    if tokens is None:
        return False, None
    try:
        endpoints = servers.endpoints(transport, connection, run)
        if endpoints.revocation is None:
            return False, None
        oauth.revoke(transport, connection, endpoints, tokens, run)
    except ConnectorError as error:
        return False, error
    return True, None


def _advice(level: Level, problem: ConnectorError | None) -> str:
    why = "could not be told" if problem else "offers no revocation"
    return (
        f"The tokens are deleted here, but the server {why}, so the grant itself goes on until "
        f"somebody ends it: {_WHERE[level]}."
    )
