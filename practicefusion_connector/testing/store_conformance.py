"""A test suite that proves a store of connections keeps what `ConnectionStore` promises.

A host subclasses it in its own tests and says how to make its store:

    class TestMyStore(StoreConformance):
        def make_store(self) -> ConnectionStore:
            return MyStore()

Each test gets a store of its own, which need not be empty of connections other tests made. What
needs more than one process, such as a worker killed while it writes, is not tested here.
"""
# ruff: noqa: S101 - it is made of assertions

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from typing import Any

import pytest
from pydantic import SecretStr

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import InvalidInput, RefreshBusy
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.stores.base import ConnectionRecord, ConnectionStore, StaleVersion

# How long a test waits for another thread before it fails; none takes that long by itself.
PATIENCE = 20.0


class Canaries:
    """Secrets made for one test, so that finding one anywhere proves a leak."""

    def __init__(self) -> None:
        self.client_secret, self.private_key = _canary(), _canary()
        self.access_token, self.refresh_token, self.id_token = _canary(), _canary(), _canary()

    def leaked_into(self, text: str) -> list[str]:
        """Return the names of the secrets that `text` shows."""
        return [name for name, secret in vars(self).items() if secret in text]


def _canary() -> str:
    return f"canary-{uuid.uuid4().hex}"


def make_record(
    canaries: Canaries, connection_id: str | None = None, **context: Any
) -> ConnectionRecord:
    """Return a record with every secret planted, under an id of its own unless one is given."""
    return ConnectionRecord(
        connection=Connection(
            id=connection_id or f"conformance-{uuid.uuid4().hex}",
            fhir_base_url="https://fhir.example.com/r4/practice",
            client_id="client",
            client_secret=SecretStr(canaries.client_secret),
            private_key=SecretStr(canaries.private_key),
            scopes=("openid", "user/*.read"),
        ),
        tokens=TokenSet(
            access_token=SecretStr(canaries.access_token),
            refresh_token=SecretStr(canaries.refresh_token),
            id_token=SecretStr(canaries.id_token),
            scope=("openid",),
            issued_at=1767225600.25,
            expires_at=1767225900.25,
            context={"patient": "p-1", "need_patient_banner": True, **context},
        ),
    )


class StoreConformance:
    """Subclass it, name the subclass `Test…`, and implement `make_store`."""

    def make_store(self) -> ConnectionStore:
        """Return the store to prove."""
        raise TypeError(f"{type(self).__name__} must implement make_store().")

    def abandon_lease(
        self, store: ConnectionStore, connection_id: str, ttl: float
    ) -> AbstractContextManager[None] | None:
        """Take a lease and do not give it back, as a holder that dies; return what could do so.

        A store whose leases end with the process that holds them, rather than after `ttl`,
        overrides this with a process that dies, and returns `None`.
        """
        lease = store.lease(connection_id, ttl=ttl, wait=0)
        lease.__enter__()
        return lease

    @pytest.fixture
    def store(self) -> Iterator[ConnectionStore]:
        """The store under test, closed afterwards."""
        store = self.make_store()
        yield store
        store.close()

    @pytest.fixture
    def canaries(self) -> Canaries:
        """The secrets planted in this test."""
        return Canaries()

    @pytest.fixture
    def record(self, canaries: Canaries) -> ConnectionRecord:
        """A record with every secret planted."""
        return make_record(canaries)

    # Records

    def test_what_is_saved_is_loaded(
        self, store: ConnectionStore, record: ConnectionRecord
    ) -> None:
        """Everything comes back, the real secrets included."""
        version = store.save(record, expected=None)
        stored = store.load(record.connection.id)
        assert stored is not None
        assert stored.version == version
        assert stored.record == record

    def test_a_record_without_tokens_and_with_a_reason(
        self, store: ConnectionStore, record: ConnectionRecord
    ) -> None:
        """The optional parts may be missing, and the status comes back."""
        record = record.model_copy(
            update={
                "tokens": None,
                "status": "reauth_required",
                "status_reason": "Die Ärztin muss sich neu anmelden – ✓.",
            }
        )
        store.save(record, expected=None)
        stored = store.load(record.connection.id)
        assert stored is not None
        assert stored.record == record

    def test_what_is_not_there(self, store: ConnectionStore) -> None:
        """An unknown connection is `None`, not an error."""
        unknown = f"conformance-{uuid.uuid4().hex}"
        assert store.load(unknown) is None
        assert store.delete(unknown) is False
        assert unknown not in store.ids()

    def test_ids_are_sorted_and_apart(self, store: ConnectionStore, canaries: Canaries) -> None:
        """Ids that differ in case or punctuation alone are different connections."""
        stem = uuid.uuid4().hex
        ids = [f"{stem}{end}" for end in ("", "-a", "-A", ".a", "_a", "-" + "x" * 95)]
        for connection_id in ids:
            store.save(make_record(canaries, connection_id, own=connection_id), expected=None)
        assert [known for known in store.ids() if known.startswith(stem)] == sorted(ids)
        for connection_id in ids:
            stored = store.load(connection_id)
            assert stored is not None
            assert stored.record.tokens is not None
            assert stored.record.tokens.context["own"] == connection_id

    @pytest.mark.parametrize("connection_id", ["", "../x", "a/b", "a\x00b", "*", "x" * 129])
    def test_an_impossible_id_finds_nothing(
        self, store: ConnectionStore, connection_id: str
    ) -> None:
        """An id no connection can have is absent or refused with a typed error."""
        with suppress(InvalidInput):
            assert store.load(connection_id) is None

    # Compare and set

    def test_an_update_needs_the_version_read(
        self, store: ConnectionStore, record: ConnectionRecord
    ) -> None:
        """The second of two writers that read the same version is told so and writes nothing."""
        first = store.save(record, expected=None)
        winner = record.model_copy(update={"status": "revoked"})
        second = store.save(winner, expected=first)
        assert second != first
        with pytest.raises(StaleVersion):
            store.save(record, expected=first)
        assert store.load(record.connection.id) == (winner, second)

    def test_creating_twice(self, store: ConnectionStore, record: ConnectionRecord) -> None:
        """A connection that exists is not created again."""
        version = store.save(record, expected=None)
        other = record.model_copy(update={"status": "revoked"})
        with pytest.raises(StaleVersion):
            store.save(other, expected=None)
        assert store.load(record.connection.id) == (record, version)

    def test_a_deleted_connection_stays_deleted(
        self, store: ConnectionStore, record: ConnectionRecord
    ) -> None:
        """A worker that still holds the old version cannot bring it back."""
        connection_id = record.connection.id
        version = store.save(record, expected=None)
        assert store.delete(connection_id) is True
        assert store.delete(connection_id) is False
        with pytest.raises(StaleVersion):
            store.save(record, expected=version)
        assert store.load(connection_id) is None

    def test_a_connection_made_anew_is_another_one(
        self, store: ConnectionStore, record: ConnectionRecord
    ) -> None:
        """A version of the deleted connection does not fit the one made under the same id."""
        old = store.save(record, expected=None)
        store.delete(record.connection.id)
        anew = record.model_copy(update={"status": "revoked"})
        new = store.save(anew, expected=None)
        with pytest.raises(StaleVersion):
            store.save(record, expected=old)
        assert store.load(record.connection.id) == (anew, new)

    def test_one_of_several_writers_wins(
        self, store: ConnectionStore, record: ConnectionRecord
    ) -> None:
        """Of four threads that write over the same version at once, exactly one does."""
        version = store.save(record, expected=None)
        start = threading.Barrier(4)

        def write(expected: int) -> list[int]:
            start.wait(PATIENCE)
            try:
                return [store.save(record, expected=expected)]
            except StaleVersion:
                return []

        with ThreadPoolExecutor(4) as pool:
            for _ in range(10):
                writers = [pool.submit(write, version) for _ in range(4)]
                won = [new for writer in writers for new in writer.result(PATIENCE)]
                assert len(won) == 1
                (version,) = won
        assert store.load(record.connection.id) == (record, version)

    # Leases

    def test_a_lease_excludes_others(self, store: ConnectionStore) -> None:
        """Somebody else is refused while it is held, and gets it once it is given back."""
        connection_id = f"conformance-{uuid.uuid4().hex}"
        with ThreadPoolExecutor(1) as pool:
            with store.lease(connection_id, ttl=60, wait=0):
                refused = pool.submit(_take, store, connection_id, 0.05).exception(PATIENCE)
                assert isinstance(refused, RefreshBusy)
                assert refused.retryable
            pool.submit(_take, store, connection_id, 0).result(PATIENCE)

    def test_leases_of_other_connections_are_free(self, store: ConnectionStore) -> None:
        """One connection's refresh does not hold up another's."""
        stem = uuid.uuid4().hex
        with (
            store.lease(f"{stem}-a", ttl=60, wait=0),
            ThreadPoolExecutor(1) as pool,
        ):
            pool.submit(_take, store, f"{stem}-b", 0).result(PATIENCE)

    def test_a_waiting_worker_gets_the_lease(self, store: ConnectionStore) -> None:
        """Whoever waits gets the lease when it is given back."""
        connection_id = f"conformance-{uuid.uuid4().hex}"
        waiting = threading.Event()

        def wait_for_it() -> None:
            waiting.set()
            _take(store, connection_id, PATIENCE)

        with ThreadPoolExecutor(1) as pool:
            with store.lease(connection_id, ttl=60, wait=0):
                taken = pool.submit(wait_for_it)
                assert waiting.wait(PATIENCE)
                assert not taken.done()
            taken.result(PATIENCE)

    def test_only_one_holds_the_lease(self, store: ConnectionStore) -> None:
        """Eight threads take turns; no two are ever inside together."""
        connection_id = f"conformance-{uuid.uuid4().hex}"
        inside, met = threading.Lock(), threading.Event()

        def take_turns() -> None:
            for _ in range(3):
                with store.lease(connection_id, ttl=60, wait=PATIENCE):
                    if not inside.acquire(blocking=False):
                        met.set()
                        return
                    met.wait(0.01)  # time for another to come in, if the lease lets it
                    inside.release()

        with ThreadPoolExecutor(8) as pool:
            for turns in [pool.submit(take_turns) for _ in range(8)]:
                turns.result(2 * PATIENCE)
        assert not met.is_set()

    def test_an_exception_gives_the_lease_back(self, store: ConnectionStore) -> None:
        """A refresh that fails leaves the connection free, and its error passes through."""
        connection_id = f"conformance-{uuid.uuid4().hex}"
        with (
            pytest.raises(ZeroDivisionError),
            store.lease(connection_id, ttl=60, wait=0),
        ):
            _ = 1 / 0
        _take(store, connection_id, 0)

    def test_a_save_inside_the_lease(
        self, store: ConnectionStore, record: ConnectionRecord
    ) -> None:
        """The holder may load and save, which is what it took the lease for."""
        version = store.save(record, expected=None)
        with store.lease(record.connection.id, ttl=60, wait=0):
            store.save(record, expected=version)

    def test_a_dead_holder_loses_the_lease(self, store: ConnectionStore) -> None:
        """A lease that is never given back is free after its ttl."""
        connection_id = f"conformance-{uuid.uuid4().hex}"
        abandoned = self.abandon_lease(store, connection_id, 0.3)
        _take(store, connection_id, PATIENCE)
        if abandoned is not None:
            abandoned.__exit__(None, None, None)  # nothing to give back any more; no harm done

    def test_a_late_holder_does_not_end_the_next_lease(self, store: ConnectionStore) -> None:
        """Giving back a lease that was lost leaves its new holder alone."""
        connection_id = f"conformance-{uuid.uuid4().hex}"
        lost = self.abandon_lease(store, connection_id, 0.3)
        with store.lease(connection_id, ttl=60, wait=PATIENCE):
            if lost is not None:
                lost.__exit__(None, None, None)
            with ThreadPoolExecutor(1) as pool:
                refused = pool.submit(_take, store, connection_id, 0).exception(PATIENCE)
            assert isinstance(refused, RefreshBusy)

    # Secrets

    def test_no_secret_is_shown(
        self, store: ConnectionStore, canaries: Canaries, caplog: pytest.LogCaptureFixture
    ) -> None:
        """No log, no repr and no error of the store shows a secret."""
        shown = []
        record = make_record(canaries)
        connection_id = record.connection.id
        with caplog.at_level(logging.DEBUG):
            version = store.save(record, expected=None)
            with pytest.raises(StaleVersion) as stale:
                store.save(record, expected=version + 1)
            with (
                store.lease(connection_id, ttl=60, wait=0),
                ThreadPoolExecutor(1) as pool,
            ):
                refused = pool.submit(_take, store, connection_id, 0).exception(PATIENCE)
            shown += [repr(store), str(store), repr(store.load(connection_id))]
            shown += [repr(stale.value), str(stale.value), repr(refused), str(refused)]
            store.delete(connection_id)
        assert canaries.leaked_into("\n".join([*shown, caplog.text])) == []


def _take(store: ConnectionStore, connection_id: str, wait: float) -> None:
    with store.lease(connection_id, ttl=60, wait=wait):
        pass


def counter(store: ConnectionStore, connection_id: str) -> Callable[[], None]:
    """Return a function that adds one to the record's count, again until nobody was faster."""

    def add_one() -> None:
        while True:
            stored = store.load(connection_id)
            assert stored is not None
            assert stored.record.tokens is not None
            context = dict(stored.record.tokens.context)
            context["count"] += 1
            tokens = stored.record.tokens.model_copy(update={"context": context})
            record = stored.record.model_copy(update={"tokens": tokens})
            try:
                store.save(record, expected=stored.version)
            except StaleVersion:
                continue
            return

    return add_one


def count_of(store: ConnectionStore, connection_id: str) -> int:
    """Return the record's count."""
    stored = store.load(connection_id)
    assert stored is not None
    assert stored.record.tokens is not None
    return int(stored.record.tokens.context["count"])
