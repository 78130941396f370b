"""A connector that a person authorized against a sandbox practice, as the tests need it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from practicefusion_connector import Connection, HostTokens, PracticeFusion
from practicefusion_connector.cli.authorization import authorize
from practicefusion_connector.registry import Registry, shipped
from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.testing.person import approve


@contextmanager
def authorized(
    *,
    data: Path | None = None,
    registry: Registry | None = None,
    scopes: str | None = None,
    **options: Any,
) -> Iterator[tuple[Sandbox, PracticeFusion]]:
    """Open a practice and a connector to it; `options` are the connector's own."""
    # One token serves a whole module, so it must outlive it.
    behaviour = Behaviour(access_token_seconds=3600)
    with Sandbox(data=data, behaviour=behaviour) as sandbox:
        connection = Connection.of(
            fhir_base_url=sandbox.fhir_base_url,
            client_id=sandbox.client_id,
            client_secret=sandbox.client_secret,
            redirect_uri="http://127.0.0.1/callback",
            scopes=scopes,
        )
        person = next(user for user in sandbox.users if user["role"] == "provider")
        name, password = str(person["username"]), str(person["password"])
        actions = registry or shipped()
        grant = authorize(connection, actions, lambda url: approve(url, name, password))
        tokens = HostTokens(grant.tokens.access_token.get_secret_value)
        with PracticeFusion(connection, tokens, registry=registry, **options) as pf:
            yield sandbox, pf
