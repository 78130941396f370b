"""One practice and one connector for the tests of the Python client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from practicefusion_connector import PracticeFusion
from practicefusion_connector.sandbox import Sandbox
from tests.client.practice import authorized


@pytest.fixture(scope="session")
def opened() -> Iterator[tuple[Sandbox, PracticeFusion]]:
    with authorized() as opened:
        yield opened


@pytest.fixture
def pf(opened: tuple[Sandbox, PracticeFusion]) -> PracticeFusion:
    return opened[1]


@pytest.fixture
def sandbox(opened: tuple[Sandbox, PracticeFusion]) -> Sandbox:
    return opened[0]
