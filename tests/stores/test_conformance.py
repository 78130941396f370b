"""Every shipped store keeps what `ConnectionStore` promises."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from practicefusion_connector.stores import ConnectionStore, MemoryStore
from practicefusion_connector.testing.store_conformance import StoreConformance
from tests.stores.conftest import make_place
from tests.stores.places import Place
from tests.stores.workers import hold_lease, started


class TestMemoryStore(StoreConformance):
    def make_store(self) -> ConnectionStore:
        return MemoryStore()


class Placed(StoreConformance):
    kind = ""
    place: Place

    @pytest.fixture(autouse=True)
    def _place(self, request: pytest.FixtureRequest) -> Iterator[None]:
        self.place = make_place(self.kind, request)
        yield
        self.place.clean()

    def make_store(self) -> ConnectionStore:
        return self.place.open()


class TestFileStore(Placed):
    kind = "file"

    def abandon_lease(self, store: ConnectionStore, connection_id: str, ttl: float) -> None:
        with started(hold_lease, self.place, connection_id, ttl) as worker:
            assert worker.hear() == "held"
            worker.kill()


class TestSqliteStore(Placed):
    kind = "sqlite"


class TestPostgresqlStore(Placed):
    kind = "postgresql"


class TestRedisStore(Placed):
    kind = "redis"
