"""The conformance suite catches the mistakes that stores are known for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from practicefusion_connector.errors import RefreshBusy
from practicefusion_connector.stores import (
    ConnectionRecord,
    ConnectionStore,
    MemoryStore,
    StaleVersion,
    Stored,
)
from practicefusion_connector.stores.base import dump, next_version
from practicefusion_connector.testing import store_conformance
from practicefusion_connector.testing.store_conformance import StoreConformance


class LastWriterWins(MemoryStore):
    def save(self, record: ConnectionRecord, *, expected: int | None) -> int:
        stored = self.load(record.connection.id)
        return super().save(record, expected=stored.version if stored else None)


class ReadsThenWrites(MemoryStore):
    def save(self, record: ConnectionRecord, *, expected: int | None) -> int:
        connection_id = record.connection.id
        stored = self.load(connection_id)
        if (stored.version if stored else None) != expected:
            raise StaleVersion(connection_id)
        threading.Event().wait(0.01)  # time for another thread to come between
        version = next_version(expected)
        self._stored[connection_id] = Stored(record, version)
        return version


class CountsFromOne(MemoryStore):
    def save(self, record: ConnectionRecord, *, expected: int | None) -> int:
        super().save(record, expected=expected)
        self._stored[record.connection.id] = Stored(record, (expected or 0) + 1)
        return (expected or 0) + 1


class MasksSecrets(MemoryStore):
    def load(self, connection_id: str) -> Stored | None:
        stored = super().load(connection_id)
        masked = stored and ConnectionRecord.model_validate_json(stored.record.model_dump_json())
        return Stored(masked, stored.version) if stored and masked else None


class ShowsSecrets(MemoryStore):
    def __repr__(self) -> str:
        return "".join(dump(stored.record).decode() for stored in self._stored.values())


class LetsEverybodyIn(MemoryStore):
    @contextmanager
    def lease(self, connection_id: str, *, ttl: float, wait: float) -> Iterator[None]:
        yield


class KeepsTheLeaseOfAFailure(MemoryStore):
    @contextmanager
    def lease(self, connection_id: str, *, ttl: float, wait: float) -> Iterator[None]:
        self._acquire(connection_id, ttl, wait)
        yield
        del self._leases[connection_id]


class NeverExpires(MemoryStore):
    @contextmanager
    def lease(self, connection_id: str, *, ttl: float, wait: float) -> Iterator[None]:
        with super().lease(connection_id, ttl=3600, wait=wait):
            yield


class EndsAnybodysLease(MemoryStore):
    @contextmanager
    def lease(self, connection_id: str, *, ttl: float, wait: float) -> Iterator[None]:
        self._acquire(connection_id, ttl, wait)
        try:
            yield
        finally:
            self._leases.pop(connection_id, None)


@pytest.mark.parametrize(
    ("broken", "caught_by"),
    [
        (LastWriterWins, "an_update_needs_the_version_read"),
        (LastWriterWins, "creating_twice"),
        (LastWriterWins, "a_deleted_connection_stays_deleted"),
        (ReadsThenWrites, "one_of_several_writers_wins"),
        (CountsFromOne, "a_connection_made_anew_is_another_one"),
        (MasksSecrets, "what_is_saved_is_loaded"),
        (ShowsSecrets, "no_secret_is_shown"),
        (LetsEverybodyIn, "a_lease_excludes_others"),
        (LetsEverybodyIn, "only_one_holds_the_lease"),
        (KeepsTheLeaseOfAFailure, "an_exception_gives_the_lease_back"),
        (NeverExpires, "a_dead_holder_loses_the_lease"),
        (EndsAnybodysLease, "a_late_holder_does_not_end_the_next_lease"),
    ],
)
def test_a_broken_store_is_caught(
    broken: type[MemoryStore],
    caught_by: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store_conformance, "PATIENCE", 1.0)
    store: ConnectionStore = broken()
    test = getattr(StoreConformance(), f"test_{caught_by}")
    wanted = test.__code__.co_varnames[2 : test.__code__.co_argcount]
    arguments: dict[str, Any] = {name: request.getfixturevalue(name) for name in wanted}
    with pytest.raises((AssertionError, pytest.fail.Exception, RefreshBusy)):
        test(store, **arguments)
