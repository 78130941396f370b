"""Opens a `PracticeFusion` for whatever a person named: a connection, the sandbox, a base URL.

The one place where a store, discovery and a refresh are bound together. It knows no click, so that
scripts use it as the commands do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from practicefusion_connector import settings
from practicefusion_connector.cli.authorization import authorize
from practicefusion_connector.connection import Connection
from practicefusion_connector.connector import PracticeFusion
from practicefusion_connector.errors import InvalidConfig, InvalidInput, ReauthRequired
from practicefusion_connector.registry import shipped
from practicefusion_connector.smart.discovery import Endpoints, discover
from practicefusion_connector.smart.oauth import refresh
from practicefusion_connector.smart.provider import HostTokens, ManagedTokens, Renew
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.stores import ConnectionRecord, ConnectionStore, MemoryStore
from practicefusion_connector.transport import Policy, Run, Transport

if TYPE_CHECKING:
    from practicefusion_connector.sandbox import Sandbox


def from_store(
    store: ConnectionStore, connection_id: str, *, policy: Policy | None = None
) -> PracticeFusion:
    """Return the connector of a stored connection; its tokens are refreshed in the store.

    Raises:
        InvalidInput: the store has no such connection.
    """
    stored = store.load(connection_id)
    if stored is None:
        raise InvalidInput(
            f'There is no connection "{connection_id}"; make one with practicefusion connect, or '
            "see practicefusion connections list.",
            problems=[{"path": "connection", "message": "there is none of this name"}],
        )
    tokens = ManagedTokens(connection_id, store, renewal(policy))
    return PracticeFusion(stored.record.connection, tokens, policy=policy)


def renewal(policy: Policy | None) -> Renew:
    """Return what gets a connection new tokens: discovery, once, and a refresh."""
    known: dict[str, Endpoints] = {}

    def renew(connection: Connection, tokens: TokenSet | None, run: Run) -> TokenSet:
        if tokens is None:
            raise ReauthRequired("The connection was never authorized; connect first.")
        base = connection.fhir_base_url
        with closing(Transport(policy)) as transport:
            if base not in known:
                known[base] = discover(transport, connection, run)
            return refresh(transport, connection, known[base], tokens, run)

    return renew


@contextmanager
def connected(connection_id: str) -> Iterator[PracticeFusion]:
    """Open a stored connection from the store that the environment names."""
    with closing(settings.store()) as store:
        stored = store.load(connection_id)
        url = stored.record.connection.fhir_base_url if stored else ""
        with from_store(store, connection_id, policy=settings.policy(url)) as pf:
            yield pf


@contextmanager
def at_url(fhir_base_url: str, token: SecretStr | None = None) -> Iterator[PracticeFusion]:
    """Open a FHIR server by its base URL, with an access token or, where it is open, without."""
    connection = Connection.of(fhir_base_url=fhir_base_url, client_id="command-line")
    tokens = HostTokens(token.get_secret_value) if token else Anonymous()
    with PracticeFusion(connection, tokens, policy=settings.policy(fhir_base_url)) as pf:
        yield pf


class Anonymous:
    """Stands in for a token where a server asks for none; open servers pass over what it says."""

    def access_token(self, run: Run, *, rejected: str | None = None) -> str:
        """Return a word that is no token, or raise `ReauthRequired` where the server wants one."""
        if rejected is not None:
            raise ReauthRequired("The server is not open: it asks for an access token.")
        return "anonymous"


@contextmanager
def in_sandbox(data: Path | None = None) -> Iterator[tuple[Sandbox, PracticeFusion]]:
    """Start a sandbox and go through its pages as a provider would, with PKCE, to real tokens.

    Raises:
        InvalidConfig: the sandbox's libraries are not installed.
    """
    try:
        from practicefusion_connector.sandbox import Sandbox
        from practicefusion_connector.testing.person import approve
    except ImportError as error:
        raise InvalidConfig(
            f"The sandbox needs a library that is not installed ({error.name}): "
            "pip install 'practicefusion-connector[all]'"
        ) from error
    with Sandbox(port=0, data=data) as sandbox:
        person = next(user for user in sandbox.users if user["role"] == "provider")
        connection = Connection.of(
            id="sandbox",
            fhir_base_url=sandbox.fhir_base_url,
            client_id=sandbox.client_id,
            client_secret=sandbox.client_secret,
            # Nobody listens there: the person hands the address over instead of following it.
            redirect_uri="http://127.0.0.1/callback",
        )
        name, password = str(person["username"]), str(person["password"])
        grant = authorize(connection, shipped(), lambda url: approve(url, name, password))
        with closing(MemoryStore()) as store:
            store.save(ConnectionRecord(connection=connection, tokens=grant.tokens), expected=None)
            with from_store(store, connection.id) as pf:
                yield sandbox, pf
