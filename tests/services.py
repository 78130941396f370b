"""Real PostgreSQL and Redis for the tests: those the environment names, else private ones.

Where the binaries are missing the test skips and says so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from practicefusion_connector.testing import services


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The SQLAlchemy URL of a PostgreSQL database the tests may use."""
    yield from _url("PF_TEST_POSTGRESQL_URL", services.postgresql)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a Redis the tests may use."""
    yield from _url("PF_TEST_REDIS_URL", services.redis)


def _url(variable: str, private: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    if url := os.environ.get(variable):
        yield url
        return
    try:
        server = private()
        url = server.__enter__()
    except services.MissingService as missing:
        pytest.skip(f"service missing: {missing}")
    try:
        yield url
    finally:
        server.__exit__(None, None, None)
