"""What only files can get wrong: modes, crashes in the middle, leftovers."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.stores import ConnectionRecord, FileStore
from practicefusion_connector.testing.store_conformance import Canaries, make_record
from tests.stores.conftest import make_place
from tests.stores.places import Place
from tests.stores.workers import die_while_saving, started


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Place:
    return make_place("file", request)


@pytest.fixture
def folder(place: Place) -> Path:
    return Path(place.where)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_everything_is_for_the_owner_alone(
    place: Place, folder: Path, record: ConnectionRecord
) -> None:
    store = place.open()
    store.save(record, expected=None)
    with store.lease(record.connection.id, ttl=60, wait=0):
        modes = {path.suffix: mode(path) for path in folder.iterdir()}
    assert modes == {".sealed": 0o600, ".lock": 0o600, ".lease": 0o600}
    assert mode(folder) == 0o700


@pytest.mark.parametrize("opened", [0o640, 0o604, 0o620])
def test_a_file_others_can_open_is_refused(
    place: Place, folder: Path, canaries: Canaries, opened: int
) -> None:
    store = place.open()
    record = make_record(canaries)
    version = store.save(record, expected=None)
    (file,) = folder.glob("*.sealed")
    file.chmod(opened)
    with pytest.raises(InvalidConfig, match=r"Other users of .* chmod 600") as refusal:
        store.load(record.connection.id)
    assert canaries.leaked_into(str(refusal.value)) == []
    file.chmod(0o600)
    assert store.load(record.connection.id) == (record, version)


def test_a_folder_others_can_open_is_refused(place: Place, folder: Path) -> None:
    folder.mkdir(mode=0o755)
    with pytest.raises(InvalidConfig, match="chmod 700"):
        place.open()


@pytest.mark.parametrize(
    ("call", "nth", "age"),
    [("fsync", 1, "old"), ("replace", 1, "old"), ("fsync", 2, "new")],
    ids=["before the file is on disk", "before it has its name", "before the name is on disk"],
)
def test_a_crash_leaves_the_old_record_or_the_new(
    place: Place, folder: Path, call: str, nth: int, age: str
) -> None:
    place.open().save(make_record(Canaries(), "shared", age="old"), expected=None)
    with started(die_while_saving, place, "shared", call, nth) as writer:
        writer.process.join()
        assert writer.process.exitcode == -signal.SIGKILL
    assert bool(list(folder.glob("*.tmp"))) == (age == "old")

    store = place.open()
    assert list(folder.glob("*.tmp")) == []
    stored = store.load("shared")
    assert stored is not None
    assert stored.record.tokens is not None
    assert stored.record.tokens.context["age"] == age
    store.save(stored.record, expected=stored.version)


def test_a_store_that_opens_leaves_a_living_writer_alone(place: Place, folder: Path) -> None:
    store = place.open()
    assert isinstance(store, FileStore)
    store.save(make_record(Canaries(), "shared"), expected=None)
    (file,) = folder.glob("*.sealed")
    half = file.with_suffix(".tmp")
    with store._lock("shared", "lock"):
        half.touch()
        place.open()
        assert half.exists()
    place.open()
    assert not half.exists()


def test_a_damaged_file_is_named(place: Place, folder: Path) -> None:
    store = place.open()
    store.save(make_record(Canaries(), "shared"), expected=None)
    (file,) = folder.glob("*.sealed")
    whole = file.read_bytes()
    for damaged in (b"", b"no version\n", whole[:-40], whole.replace(b"gAAAA", b"gBBBB")):
        file.write_bytes(damaged)
        with pytest.raises(InvalidConfig, match=r"'shared'.*damaged"):
            store.load("shared")
    assert store.delete("shared")
