"""The sandboxes these tests share, and one of their own for tests that change it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from practicefusion_connector.sandbox import Sandbox
from tests.sandbox.apps import HTTP, App, system_token


@pytest.fixture(scope="session", autouse=True)
def _close_connections() -> Iterator[None]:
    yield
    HTTP.close()


@pytest.fixture(scope="session")
def shared() -> Iterator[Sandbox]:
    """One practice for all tests that leave its behaviour as it is."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def own() -> Iterator[Sandbox]:
    """A practice for one test."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def app(shared: Sandbox) -> App:
    """A confidential app of the shared practice."""
    return App(shared)


@pytest.fixture(scope="session")
def all_types(shared: Sandbox) -> str:
    """A system token of the shared practice for all 17 types."""
    return system_token(shared)
