"""Fixtures every test may use: real services and a real browser.

The sandbox's own fixtures come from the plugin that is shipped.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest_plugins = ["tests.browsers", "tests.services"]


@pytest.fixture(scope="session", autouse=True)
def history_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what the commands record out of the history of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patched:
        own = tmp_path_factory.mktemp("history") / "history.jsonl"
        patched.setenv("PRACTICEFUSION_HISTORY", str(own))
        yield
