"""pytest fixtures that start a sandbox practice.

Loaded in every pytest run of an environment that has the package, so the sandbox and its
libraries are imported only when a fixture is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from practicefusion_connector.sandbox import Sandbox


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker that shapes the practice of one test."""
    config.addinivalue_line(
        "markers",
        "practicefusion(**options): arguments of Sandbox for the fixture practicefusion_sandbox, "
        'such as faults="unreliable" or patients=3',
    )


@pytest.fixture
def practicefusion_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A practice of its own for each test: default behaviour, no tokens, nothing recorded.

    `@pytest.mark.practicefusion(faults="unreliable")` makes it another one.
    """
    from practicefusion_connector.sandbox import Sandbox

    marked = request.node.get_closest_marker("practicefusion")
    with Sandbox(**(marked.kwargs if marked else {})) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def practicefusion_sandbox_session() -> Iterator[Sandbox]:
    """One practice for the whole run; tests that share it leave its behaviour as it is."""
    from practicefusion_connector.sandbox import Sandbox

    with Sandbox() as sandbox:
        yield sandbox
