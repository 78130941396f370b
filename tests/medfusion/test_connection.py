"""The connection to a portal: its checks, its secrets, its life in every kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from practicefusion_connector import PracticeFusion
from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import InvalidConfig, InvalidInput
from practicefusion_connector.medfusion import Medfusion, MedfusionConnection, MedfusionRecord
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.stores import ConnectionRecord, ConnectionStore, Sealer, open_store
from practicefusion_connector.stores.base import parse
from tests.leaks import everything_said

CANARY = "canary-51ee"
FIELDS: dict[str, Any] = {
    "server": "test",
    "practice_id": "935134ed-0000-4ca8-897c-b6b1da47e697",
    "application_token": f"{CANARY}-token",
    "username": "user",
    "password": f"{CANARY}-password",
}


def test_the_servers_have_names() -> None:
    base = "practice/935134ed-0000-4ca8-897c-b6b1da47e697"
    test = MedfusionConnection.of(**FIELDS)
    assert test.patients_url == f"https://integration.demo.medfusion.net/v1/{base}/patient"
    production = MedfusionConnection.of(**{**FIELDS, "server": "", "version": "v3"})
    assert production.practice_url == f"https://integration.medfusion.net/v3/{base}"
    own = MedfusionConnection.of(**{**FIELDS, "server": "http://127.0.0.1:8080/"})
    assert own.server == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("server", "http://integration.medfusion.net"),
        ("server", "https://host/v1"),
        ("server", "staging"),
        ("practice_id", "42"),
        ("username", None),
        ("password", ""),
        ("application_token", None),
        ("version", "v4"),
        ("patient_noun", "patient/../x"),
        ("since_unit", "minutes"),
        ("id", "../x"),
    ],
)
def test_a_wrong_field_is_named_and_not_shown(field: str, value: str | None) -> None:
    with pytest.raises(InvalidConfig) as refused:
        MedfusionConnection.of(**{**FIELDS, field: value})
    assert [problem["path"] for problem in refused.value.problems] == [field]
    assert CANARY not in everything_said(refused.value)


def test_client_id_and_secret_stand_for_the_token() -> None:
    fields = {**FIELDS, "application_token": None, "client_id": "app"}
    with pytest.raises(InvalidConfig):
        MedfusionConnection.of(**fields)
    assert MedfusionConnection.of(**fields, client_secret="s").has_client


def test_no_secret_is_shown() -> None:
    connection = MedfusionConnection.of(**FIELDS, client_id="app", client_secret=f"{CANARY}-secret")
    record = MedfusionRecord(connection=connection)
    assert (
        CANARY not in f"{connection!r} {connection} {record!r} {record} {connection.model_dump()}"
    )


@pytest.fixture(params=["memory", "file", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ConnectionStore]:
    urls = {
        "memory": "memory:",
        "file": (tmp_path / "store").as_uri(),
        "sqlite": f"sqlite:///{tmp_path}/store.db",
    }
    opened = open_store(urls[request.param], Sealer(Fernet.generate_key().decode()))
    yield opened
    opened.close()


RECORD = MedfusionRecord(
    connection=MedfusionConnection.of(**FIELDS),
    tokens=TokenSet(access_token=SecretStr("t"), issued_at=1.0, expires_at=2.0),
    cursor="1795229994",
)
PRACTICE = ConnectionRecord(
    connection=Connection.of(id="practice", fhir_base_url="https://a.example/b", client_id="c")
)


def test_every_store_keeps_it_beside_the_others(store: ConnectionStore) -> None:
    version = store.save(RECORD, expected=None)
    store.save(PRACTICE, expected=None)

    assert store.load("medfusion") == (RECORD, version)
    stored = store.load("practice")
    assert stored is not None
    assert stored.record == PRACTICE
    assert type(stored.record) is ConnectionRecord
    assert store.ids() == ["medfusion", "practice"]
    moved = RECORD.model_copy(update={"cursor": "2"})
    store.save(moved, expected=version)
    found = store.load("medfusion")
    assert found is not None
    assert isinstance(found.record, MedfusionRecord)
    assert found.record.cursor == "2"
    assert found.record.connection.password.get_secret_value() == f"{CANARY}-password"


def test_each_system_refuses_the_others_connections(store: ConnectionStore) -> None:
    store.save(RECORD, expected=None)
    store.save(PRACTICE, expected=None)

    with pytest.raises(InvalidInput, match="leads to a Medfusion portal"):
        PracticeFusion.from_store(store, "medfusion")
    with pytest.raises(InvalidConfig, match="leads to a Practice Fusion practice"):
        Medfusion.from_store(store, "practice")
    with pytest.raises(InvalidInput, match="no connection of this id"):
        Medfusion.from_store(store, "nobody")


@pytest.mark.parametrize(
    "data", [b'{"system": ["medfusion"]}', b'{"system": "other"}', b"[]", b"{"]
)
def test_a_damaged_record_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidConfig, match="cannot be read"):
        parse(data)
