"""What lies at rest is sealed, keys rotate, and a missing key says what to do."""

from __future__ import annotations

import base64
import pickle
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from cryptography.fernet import Fernet
from keyring.backends import fail, null

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import InvalidConfig, InvalidInput
from practicefusion_connector.stores import (
    ConnectionRecord,
    ConnectionStore,
    Sealer,
    StaleVersion,
    keys_from,
)
from practicefusion_connector.stores.base import checked_id, dump, parse
from practicefusion_connector.stores.sealing import Keyring
from practicefusion_connector.testing.store_conformance import Canaries, make_record
from tests.stores.places import Place

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def test_nothing_secret_lies_at_rest(
    place: Place, store: ConnectionStore, canaries: Canaries
) -> None:
    record = make_record(canaries)
    version = store.save(record, expected=None)
    store.save(record, expected=version)
    with store.lease(record.connection.id, ttl=60, wait=0):
        contents = place.contents()
    assert b"gAAAA" in contents  # the beginning of a Fernet token: the record itself was seen
    for secret in vars(canaries).values():
        for written in (secret.encode(), base64.b64encode(secret.encode())[:-4]):
            assert written not in contents


def test_keys_rotate(place: Place, record: ConnectionRecord) -> None:
    connection_id = record.connection.id
    first = place.open()
    version = first.save(record, expected=None)
    first.close()

    both = place._replace(keys=(NEW, *place.keys)).open()
    assert both.load(connection_id) == (record, version)
    version = both.save(record, expected=version)
    both.close()

    new_only, old_only = place._replace(keys=(NEW,)).open(), place.open()
    assert new_only.load(connection_id) == (record, version)
    with pytest.raises(InvalidConfig, match="sealed with a key this store was not given"):
        old_only.load(connection_id)
    new_only.close()
    old_only.close()


def test_a_record_moved_to_another_id_is_refused(canaries: Canaries) -> None:
    sealer = Sealer(NEW)
    sealed = sealer.seal(make_record(canaries, "north"))
    assert sealer.unseal(sealed, "north").connection.id == "north"
    with pytest.raises(InvalidConfig, match="'south' belongs to another connection") as refusal:
        sealer.unseal(sealed, "south")
    assert canaries.leaked_into(str(refusal.value)) == []


def test_a_record_of_a_newer_version_is_refused_without_showing_it(canaries: Canaries) -> None:
    data = dump(make_record(canaries)).replace(b'"status":', b'"unheard_of": 1, "status":')
    with pytest.raises(InvalidConfig, match="Upgrade this worker") as refusal:
        parse(data)
    # Not even the exceptions behind it: a debugger or an error tracker follows them.
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None


def test_neither_sealer_nor_record_nor_error_shows_a_secret(canaries: Canaries) -> None:
    record = make_record(canaries)
    assert canaries.leaked_into(f"{record!r} {record} {record.model_dump_json()}") == []
    assert repr(Sealer(NEW, OLD)) == "Sealer(2 keys)"
    with pytest.raises(InvalidConfig, match=r"Key number 2 .*Fernet\.generate_key") as refusal:
        Sealer(NEW, canaries.client_secret)
    assert canaries.leaked_into(str(refusal.value)) == []


def test_a_sealer_needs_a_key() -> None:
    with pytest.raises(InvalidConfig, match="needs a key"):
        Sealer()


def test_keys_come_from_the_environment_newest_first(canaries: Canaries) -> None:
    keys = keys_from({"PRACTICEFUSION_STORE_KEY": f" {NEW} , {OLD},"})
    assert [key.get_secret_value() for key in keys] == [NEW, OLD]
    assert NEW not in repr(keys)
    record = make_record(canaries, "north")
    assert Sealer(*keys).unseal(Sealer(OLD).seal(record), "north") == record


class KeyringOfOne:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


def test_the_keyring_keeps_a_key_it_is_given_once() -> None:
    keyring = KeyringOfOne()
    (made,) = keys_from({}, keyring=keyring)
    Sealer(made)
    assert keys_from({}, keyring=keyring) == (made,)
    assert list(keyring.kept) == [("practicefusion-connector", "store-key")]


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring], ids=["none", "forgetful"])
def test_no_key_anywhere_says_how_to_make_one(backend: Callable[[], Keyring]) -> None:
    with pytest.raises(InvalidConfig) as refusal:
        keys_from({"PRACTICEFUSION_STORE_KEY": " "}, keyring=backend())
    assert "Fernet.generate_key()" in str(refusal.value)
    assert "PRACTICEFUSION_STORE_KEY" in str(refusal.value)


def test_without_the_keyring_package_the_environment_must_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(InvalidConfig, match="PRACTICEFUSION_STORE_KEY is not set"):
        keys_from({})


def test_the_machines_own_keyring_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = KeyringOfOne()
    errors = sys.modules["keyring.errors"]
    monkeypatch.setitem(
        sys.modules, "keyring", SimpleNamespace(get_keyring=lambda: keyring, errors=errors)
    )
    (made,) = keys_from({})
    assert [made.get_secret_value()] == list(keyring.kept.values())


def test_an_id_is_checked_as_a_connections_own() -> None:
    pattern = Connection.model_json_schema()["properties"]["id"]["pattern"]
    assert pattern == r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
    assert checked_id("a" * 128) == "a" * 128
    for wrong in ("", ".a", "a/b", "a" * 129, "a\n"):
        with pytest.raises(InvalidInput, match="connection_id must begin"):
            checked_id(wrong)


def test_a_stale_version_can_be_sent_between_processes() -> None:
    error = pickle.loads(pickle.dumps(StaleVersion("north")))
    assert (error.connection_id, str(error)) == ("north", str(StaleVersion("north")))
