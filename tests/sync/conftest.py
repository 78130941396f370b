from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sync import BulkSource, DuckDBTarget, State
from tests.sync import fhir_server
from tests.sync.data import Resource, population
from tests.sync.practice import source_of

Opened = Callable[[str], State]


@pytest.fixture(scope="session")
def people() -> list[Resource]:
    """The records of a small practice."""
    return population()


@pytest.fixture
def states(tmp_path: Path) -> Iterator[Opened]:
    """Open the state of a sync by its name; closed at the end."""
    with ExitStack() as stack:

        def opened(name: str = "test") -> State:
            state = State(f"sqlite:///{tmp_path}/state.db", name)
            stack.callback(state.close)
            return state

        yield opened


@pytest.fixture
def state(states: Opened) -> State:
    return states("test")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(patients=4) as sandbox:
        yield sandbox


@pytest.fixture
def source(sandbox: Sandbox, tmp_path: Path) -> Iterator[BulkSource]:
    with source_of(sandbox, tmp_path) as source:
        yield source


@pytest.fixture
def target(tmp_path: Path) -> DuckDBTarget:
    return DuckDBTarget(tmp_path / "clinic.duckdb")


@pytest.fixture(scope="session")
def running_fhir_url() -> Iterator[str]:
    with fhir_server.running(faults=8) as url:
        yield url


@pytest.fixture
def fhir_url(running_fhir_url: str) -> str:
    """A FHIR server that holds nothing yet, and fails at every eighth batch and some entries."""
    fhir_server.reset(running_fhir_url)
    return running_fhir_url


@pytest.fixture
def held(fhir_url: str) -> Iterator[fhir_server.Held]:
    held = fhir_server.Held(fhir_url)
    yield held
    held.close()
