"""One authorized connection to one sandbox practice, for every test of the actions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from practicefusion_connector import Connection, HostTokens, PracticeFusion
from practicefusion_connector.registry import shipped
from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.smart import discovery, launch, scopes
from practicefusion_connector.testing.person import approve
from practicefusion_connector.transport import Run, Transport


@pytest.fixture(scope="session")
def population() -> Iterator[Sandbox]:
    # One token serves all of these tests, so it must outlive them.
    with Sandbox(behaviour=Behaviour(access_token_seconds=3600)) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def practice(population: Sandbox) -> Iterator[PracticeFusion]:
    connection = Connection.of(
        fhir_base_url=population.fhir_base_url,
        client_id=population.client_id,
        client_secret=population.client_secret,
        redirect_uri="http://127.0.0.1:1/callback",
    )
    provider = next(user for user in population.users if user["role"] == "provider")
    transport, run = Transport(), Run(60)
    endpoints = discovery.discover(transport, connection, run)
    pending = launch.begin(connection, endpoints, scopes.scopes_for(shipped(), "user"))
    callback = approve(pending.url.get_secret_value(), provider["username"], provider["password"])
    tokens = launch.complete(transport, connection, endpoints, pending, callback, run)
    with PracticeFusion(
        connection, HostTokens(tokens.access_token.get_secret_value), transport=transport
    ) as pf:
        yield pf
    transport.close()
