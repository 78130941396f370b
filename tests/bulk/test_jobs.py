"""The job store on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, text

from practicefusion_connector.bulk import JobStore, StaleJob
from practicefusion_connector.errors import InvalidConfig

Open = Callable[..., JobStore]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.db"
    found: str = request.getfixturevalue("postgresql_url")
    return found


@pytest.fixture
def opened(url: str) -> Iterator[Open]:
    prefix = f"t{uuid.uuid4().hex[:12]}"
    with ExitStack() as stack:

        def opened(**options: object) -> JobStore:
            store = JobStore(url, prefix=prefix, **options)  # type: ignore[arg-type]
            stack.callback(store.close)
            return store

        yield opened


def test_what_is_saved_is_there_for_the_next_process(opened: Open) -> None:
    version = opened().save("a", {"n": 1}, state="polling", expected=None)
    again = opened()
    assert again.load("a") == ({"n": 1}, version)
    assert again.load("b") is None
    assert again.states() == {"a": "polling"}
    assert again.save("a", {"n": 2}, state="done", expected=version) == version + 1
    assert again.states() == {"a": "done"}


def test_of_two_that_know_the_same_version_one_goes_on(opened: Open) -> None:
    store, other = opened(), opened()
    version = store.save("a", {"n": 1}, state="new", expected=None)
    with pytest.raises(StaleJob):
        other.save("a", {"n": 2}, state="new", expected=None)
    other.save("a", {"n": 2}, state="new", expected=version)
    with pytest.raises(StaleJob):
        store.save("a", {"n": 3}, state="new", expected=version)
    with pytest.raises(StaleJob):
        store.save_part("a", "x", {"n": 3}, version=version)
    store.forget_parts("a", version=version)
    assert store.parts("a") == {}


def test_parts_are_written_by_many_at_once(opened: Open) -> None:
    store = opened()
    version = store.save("a", {"n": 1}, state="new", expected=None)
    store.save("b", {"n": 1}, state="new", expected=None)
    barrier = threading.Barrier(6)

    def write(number: int) -> None:
        barrier.wait()
        for step in range(5):
            store.save_part("a", f"file-{number}", {"step": step}, version=version)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert store.parts("a") == {f"file-{number}": {"step": 4} for number in range(6)}
    assert store.parts("b") == {}
    store.forget_parts("a", version=version)
    assert store.parts("a") == {}


def test_a_deleted_job_is_gone_with_its_parts(opened: Open) -> None:
    store = opened()
    version = store.save("a", {"n": 1}, state="new", expected=None)
    store.save_part("a", "x", {"n": 1}, version=version)
    assert store.delete("a")
    assert not store.delete("a")
    assert store.load("a") is None
    assert store.parts("a") == {}
    made = store.save("a", {"n": 1}, state="new", expected=None)
    assert made != version


def test_with_keys_nothing_can_be_read_without_them(opened: Open, url: str) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    store = opened(keys=[old])
    assert store.encrypts
    version = store.save("a", {"secret": "canary"}, state="new", expected=None)
    store.save_part("a", "x", {"secret": "canary"}, version=version)
    assert opened(keys=[new, old]).load("a") == ({"secret": "canary"}, version)
    for keys in ([], [new]):
        with pytest.raises(InvalidConfig) as caught:
            opened(keys=keys).load("a")
        assert "canary" not in str(caught.value)
    engine = create_engine(url)
    with engine.connect() as connection:
        for table in (store._jobs, store._parts):
            rows = connection.execute(text(f"SELECT document FROM {table.name}")).all()
            assert rows
            assert not any(b"canary" in bytes(row[0]) for row in rows)
    engine.dispose()


def test_what_it_takes_for_a_place_is_checked(tmp_path: Path) -> None:
    for wrong in ("sqlite://", "sqlite:///:memory:", "not a url", "postgresql://u:p@ss@host/x"):
        with pytest.raises(InvalidConfig) as caught:
            JobStore(wrong)
        assert "p@ss" not in str(caught.value)
    with pytest.raises(InvalidConfig, match="Fernet"):
        JobStore(f"sqlite:///{tmp_path}/jobs.db", keys=["short"])


def test_its_repr_shows_no_password(url: str) -> None:
    store = JobStore(url, prefix=f"t{uuid.uuid4().hex[:12]}")
    assert repr(store).startswith("JobStore(")
    assert "@" not in repr(store)
    store.close()
