"""A practice to connect to, and a watch over what must never be seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.smart.known_servers import KnownServers
from practicefusion_connector.transport import Policy, Transport
from tests.flows.leaks import Leaks


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


@pytest.fixture
def sandbox(behaviour: Behaviour) -> Iterator[Sandbox]:
    with Sandbox(behaviour=behaviour, patients=3) as sandbox:
        yield sandbox


@pytest.fixture
def wire() -> Iterator[Transport]:
    with closing(Transport(Policy(backoff=0.0, deadline=30.0))) as transport:
        yield transport


@pytest.fixture
def servers() -> KnownServers:
    return KnownServers()


@pytest.fixture
def leaks(caplog: pytest.LogCaptureFixture) -> Iterator[Leaks]:
    """Watch every log record, from DEBUG up, for the secrets a test names; checked at its end."""
    with caplog.at_level(0):
        watch = Leaks(caplog)
        yield watch
    watch.check()
