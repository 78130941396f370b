from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from practicefusion_connector.sync import State
from tests.sync import fhir_server
from tests.sync.data import Resource, population

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
