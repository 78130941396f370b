"""Opens a `PracticeFusion` for whatever a person named: a connection, the sandbox, a base URL.

It binds what the environment says to the facade. It knows no click, so that scripts use it as the
commands do.
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
from practicefusion_connector.errors import InvalidConfig, InvalidInput
from practicefusion_connector.history import History, open_history
from practicefusion_connector.registry import shipped
from practicefusion_connector.smart.provider import HostTokens, NoTokens, TokenProvider
from practicefusion_connector.stores import ConnectionRecord, MemoryStore

if TYPE_CHECKING:
    from practicefusion_connector.sandbox import Sandbox


@contextmanager
def connected(connection_id: str) -> Iterator[PracticeFusion]:
    """Open a stored connection from the store that the environment names.

    Raises:
        InvalidInput: the store has no such connection.
    """
    with closing(settings.store()) as store:
        stored = store.load(connection_id)
        if stored is None:
            raise InvalidInput(
                f'There is no connection "{connection_id}"; practicefusion connect makes one, and '
                "practicefusion connections list shows them.",
                problems=[{"path": "connection", "message": "there is none of this name"}],
            )
        policy = settings.policy(stored.record.connection.fhir_base_url)
        with (
            closing(open_history(settings.history_source())) as kept,
            PracticeFusion.from_store(
                store, connection_id, policy=policy, history=History(kept)
            ) as pf,
        ):
            yield pf


@contextmanager
def at_url(fhir_base_url: str, token: SecretStr | None = None) -> Iterator[PracticeFusion]:
    """Open a FHIR server by its base URL, with an access token or, where it is open, without."""
    connection = Connection.of(fhir_base_url=fhir_base_url, client_id="command-line")
    tokens: TokenProvider = HostTokens(token.get_secret_value) if token else NoTokens()
    with PracticeFusion(connection, tokens, policy=settings.policy(fhir_base_url)) as pf:
        yield pf


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
            with PracticeFusion.from_store(store, connection.id) as pf:
                yield sandbox, pf
