"""How a connection gets its next tokens: a refresh for a person, a new token for a system.

It makes the `Renew` that `ManagedTokens` takes; when to renew, and who does it, is decided there.
"""

from __future__ import annotations

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import ReauthRequired
from practicefusion_connector.registry import shipped
from practicefusion_connector.smart import oauth
from practicefusion_connector.smart.known_servers import KnownServers, shared
from practicefusion_connector.smart.provider import Renew
from practicefusion_connector.smart.scopes import scopes_for
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.transport import Run, Transport


def renewal(transport: Transport, servers: KnownServers | None = None) -> Renew:
    """Return the function that gets new tokens over `transport`.

    Args:
        transport: sends the requests.
        servers: remembers discovery; the process's own where left out.
    """
    known = servers or shared()

    def renew(connection: Connection, tokens: TokenSet | None, run: Run) -> TokenSet:
        if connection.level == "system":
            endpoints = known.endpoints(transport, connection, run)
            asked = system_scopes(connection)
            return oauth.client_credentials(transport, connection, endpoints, asked, run)
        if tokens is None:
            raise ReauthRequired("The connection was never authorized; connect first.")
        endpoints = known.endpoints(transport, connection, run)
        return oauth.refresh(transport, connection, endpoints, tokens, run)

    return renew


def system_scopes(connection: Connection) -> tuple[str, ...]:
    """Return the scopes a system connection asks for: its own, or those of every action."""
    return connection.scopes or scopes_for(shipped().core(), "system")
