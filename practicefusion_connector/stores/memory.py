"""Connections in the memory of one process, for scripts and tests: gone when it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from practicefusion_connector.stores.base import (
    ConnectionRecord,
    StaleVersion,
    Stored,
    busy,
    checked_id,
    next_version,
)


class _Lease(NamedTuple):
    owner: object
    ends: float


class MemoryStore:
    """A `ConnectionStore` for the threads of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stored: dict[str, Stored] = {}
        self._leases: dict[str, _Lease] = {}
        # One condition per connection: a lease given back wakes only those who wait for it.
        self._given_back: dict[str, threading.Condition] = {}

    def __repr__(self) -> str:
        return f"MemoryStore({len(self._stored)} connections)"

    def load(self, connection_id: str) -> Stored | None:
        """See `ConnectionStore.load`."""
        return self._stored.get(checked_id(connection_id))

    def save(self, record: ConnectionRecord, *, expected: int | None) -> int:
        """See `ConnectionStore.save`."""
        connection_id = record.connection.id
        with self._lock:
            stored = self._stored.get(connection_id)
            if (stored.version if stored else None) != expected:
                raise StaleVersion(connection_id)
            version = next_version(expected)
            self._stored[connection_id] = Stored(record, version)
        return version

    def delete(self, connection_id: str) -> bool:
        """See `ConnectionStore.delete`."""
        with self._lock:
            return self._stored.pop(checked_id(connection_id), None) is not None

    def ids(self) -> list[str]:
        """See `ConnectionStore.ids`."""
        with self._lock:
            return sorted(self._stored)

    @contextmanager
    def lease(self, connection_id: str, *, ttl: float, wait: float) -> Iterator[None]:
        """See `ConnectionStore.lease`."""
        owner = self._acquire(checked_id(connection_id), ttl, wait)
        try:
            yield
        finally:
            with self._lock:
                lease = self._leases.get(connection_id)
                # Past its ttl the lease may be somebody else's by now.
                if lease and lease.owner is owner:
                    del self._leases[connection_id]
                    self._given_back[connection_id].notify_all()

    def _acquire(self, connection_id: str, ttl: float, wait: float) -> object:
        owner, deadline = object(), time.monotonic() + wait
        with self._lock:
            given_back = self._given_back.setdefault(connection_id, threading.Condition(self._lock))
            while lease := self._leases.get(connection_id):
                now = time.monotonic()
                if lease.ends <= now:
                    break
                if deadline <= now:
                    raise busy(connection_id, wait)
                given_back.wait(min(deadline, lease.ends) - now)
            self._leases[connection_id] = _Lease(owner, time.monotonic() + ttl)
        return owner

    def close(self) -> None:
        """Nothing is open; the records stay as long as the store does."""
