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


@pytest.fixture
def practicefusion_sandbox() -> Iterator[Sandbox]:
    """A practice of its own for each test: default behaviour, no tokens, nothing recorded."""
    from practicefusion_connector.sandbox import Sandbox

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def practicefusion_sandbox_session() -> Iterator[Sandbox]:
    """One practice for the whole run; tests that share it leave its behaviour as it is."""
    from practicefusion_connector.sandbox import Sandbox

    with Sandbox() as sandbox:
        yield sandbox
