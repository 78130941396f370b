from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from practicefusion_connector.stores import ConnectionRecord, ConnectionStore
from practicefusion_connector.testing.store_conformance import Canaries, make_record
from tests.stores.places import PERSISTENT, Place


def make_place(kind: str, request: pytest.FixtureRequest) -> Place:
    folder: Path = request.getfixturevalue("tmp_path")
    local = {"file": f"{folder}/connections", "sqlite": f"sqlite:///{folder}/connections.db"}
    where = local.get(kind) or request.getfixturevalue(f"{kind}_url")
    return Place(kind, where, f"test-{uuid.uuid4().hex}", (Fernet.generate_key().decode(),))


@pytest.fixture(params=PERSISTENT)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A place for connections that processes can share, one of each kind in turn."""
    place = make_place(request.param, request)
    yield place
    place.clean()


@pytest.fixture
def store(place: Place) -> Iterator[ConnectionStore]:
    store = place.open()
    yield store
    store.close()


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def record(canaries: Canaries) -> ConnectionRecord:
    return make_record(canaries)
