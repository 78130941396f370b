"""Opening a store by its URL, and what is said where that cannot be done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

import practicefusion_connector.stores as stores
from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.stores import ConnectionRecord, Sealer, open_store
from practicefusion_connector.testing.store_conformance import Canaries
from tests.stores.places import Place

SEALER = Sealer(Fernet.generate_key().decode())


def test_memory_needs_no_key(record: ConnectionRecord) -> None:
    store = open_store("memory:")
    store.save(record, expected=None)
    assert store.ids() == [record.connection.id]
    assert repr(store) == "MemoryStore(1 connections)"


def test_every_place_opens_by_its_url(place: Place) -> None:
    url = f"file://{place.where}" if place.kind == "file" else place.where
    name = {
        "file": "FileStore",
        "sqlite": "SqlStore",
        "postgresql": "SqlStore",
        "redis": "RedisStore",
    }[place.kind]
    store = open_store(url, SEALER)
    assert type(store) is getattr(stores, name)
    assert store.load("nobody") is None
    store.close()


def test_a_file_url_may_be_percent_encoded(tmp_path: Path) -> None:
    open_store(f"file://{tmp_path}/two%20words", SEALER).close()
    assert (tmp_path / "two words").is_dir()


@pytest.mark.parametrize("url", ["file:connections", "file://host/folder"])
def test_a_file_url_is_absolute_and_here(url: str) -> None:
    with pytest.raises(InvalidConfig, match="three slashes"):
        open_store(url, SEALER)


@pytest.mark.parametrize(
    "url", ["mysql://u:{}@host/db", "{}", "postgresql://u:p@{}@host/db", "redis://:{}/@host:6379"]
)
def test_a_wrong_url_is_refused_without_showing_its_password(url: str, canaries: Canaries) -> None:
    with pytest.raises(InvalidConfig, match="URL") as refusal:
        open_store(url.format(canaries.client_secret), SEALER)
    assert canaries.leaked_into(str(refusal.value)) == []


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_sqlite_in_memory_is_pointed_to_the_memory_store(url: str) -> None:
    with pytest.raises(InvalidConfig, match="MemoryStore"):
        open_store(url, SEALER)


@pytest.mark.parametrize("url", ["file:///folder", "sqlite:///x.db", "redis://localhost"])
def test_a_store_that_outlives_the_process_needs_a_key(url: str) -> None:
    with pytest.raises(InvalidConfig, match=r"needs a key: pass Sealer\(\*keys_from"):
        open_store(url)


@pytest.mark.parametrize(
    ("url", "library", "extra"),
    [
        ("file:///nowhere/here", "filelock", "file"),
        ("sqlite:///x.db", "sqlalchemy", "sql"),
        ("redis://localhost", "redis", "redis"),
    ],
)
def test_a_missing_library_names_the_extra(
    url: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    module = {"file": "file", "sqlite": "sql", "redis": "redis"}[url.partition(":")[0]]
    monkeypatch.delitem(sys.modules, f"practicefusion_connector.stores.{module}", raising=False)
    with pytest.raises(InvalidConfig, match=rf"{library}.*practicefusion-connector\[{extra}\]"):
        open_store(url, SEALER)


def test_the_room_imports_no_extra_until_asked() -> None:
    code = (
        "import sys, practicefusion_connector.stores as stores\n"
        "extras = {'cryptography', 'filelock', 'keyring', 'redis', 'sqlalchemy'}\n"
        "assert not extras & set(sys.modules), extras & set(sys.modules)\n"
        "assert stores.__all__ == sorted(stores.__all__) == dir(stores)\n"
        "assert all(getattr(stores, name) for name in stores.__all__)\n"
        "assert not hasattr(stores, 'NoSuchStore')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
