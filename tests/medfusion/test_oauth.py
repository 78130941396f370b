"""Medfusion's OAuth against the sandbox: one look-up, new tokens when needed, no leaks."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from practicefusion_connector.errors import ConnectorError, InvalidConfig, ReauthRequired
from practicefusion_connector.medfusion import (
    Ledger,
    Medfusion,
    MedfusionConnection,
    MedfusionRecord,
    connect,
)
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sandbox.medfusion.portal import Portal
from practicefusion_connector.stores import MemoryStore
from tests.leaks import everything_said
from tests.medfusion.conftest import QUICK, Connected, settings_of

LIST = "medfusion_list_updated_patients"


def tokens_asked(sandbox: Sandbox) -> int:
    return sum(request.path.endswith("/token") for request in sandbox.requests)


def test_the_application_is_looked_up_once(connected: Connected, portal: Portal) -> None:
    assert portal.application_look_ups == 1
    portal.expire_tokens()
    for _ in range(2):
        with connected.open() as opened:
            opened.run(LIST)
    assert portal.application_look_ups == 1


def test_without_connecting_it_is_looked_up_once_as_well(sandbox: Sandbox, portal: Portal) -> None:
    store = MemoryStore()
    connection = MedfusionConnection.of(**settings_of(sandbox))
    store.save(MedfusionRecord(connection=connection), expected=None)
    with Medfusion.from_store(store, "medfusion", policy=QUICK) as opened:
        for _ in range(3):
            opened.run(LIST)
            portal.expire_tokens()
    assert portal.application_look_ups == 1
    assert tokens_asked(sandbox) == 3


def test_client_id_and_secret_need_no_look_up(sandbox: Sandbox, portal: Portal) -> None:
    own = {"client_id": portal.client_id, "client_secret": portal.client_secret}
    fields = settings_of(sandbox, application_token=None, **own)
    connect(MemoryStore(), MedfusionConnection.of(**fields), policy=QUICK)
    assert portal.application_look_ups == 0


def test_a_token_is_used_until_it_expires(connected: Connected, portal: Portal) -> None:
    sandbox = connected.sandbox
    assert tokens_asked(sandbox) == 1
    with connected.open() as opened:
        opened.run(LIST)
        opened.run(LIST)
        assert tokens_asked(sandbox) == 1
        portal.expire_tokens()
        assert opened.run(LIST).trace.refreshes == 1
    assert tokens_asked(sandbox) == 2


def test_many_workers_get_one_new_token(connected: Connected, portal: Portal) -> None:
    portal.expire_tokens()
    workers = [connected.open() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda opened: opened.run(LIST), workers * 2))
    for opened in workers:
        opened.close()
    assert tokens_asked(connected.sandbox) == 2


def test_refused_credentials_are_asked_with_once(connected: Connected, portal: Portal) -> None:
    stored = connected.store.load("medfusion")
    assert stored is not None
    assert isinstance(stored.record, MedfusionRecord)
    wrong = MedfusionConnection.of(
        **settings_of(
            connected.sandbox,
            application_token=None,
            password="wrong",
            client_id=portal.client_id,
            client_secret=portal.client_secret,
        )
    )
    record = stored.record.model_copy(update={"connection": wrong, "tokens": None})
    connected.store.save(record, expected=stored.version)
    asked = tokens_asked(connected.sandbox)
    for _ in range(3):
        with connected.open() as opened, pytest.raises(ReauthRequired, match="refuses the cred"):
            opened.run(LIST)
    # An account may be locked after a few wrong passwords.
    assert tokens_asked(connected.sandbox) == asked + 1


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"application_token": "canary-unknown/token?x"}, InvalidConfig),
        ({"password": "canary-wrong"}, ReauthRequired),
        ({"server": "http://127.0.0.1:9"}, ConnectorError),
    ],
)
def test_what_keeps_from_connecting_is_said_and_nothing_kept(
    sandbox: Sandbox, changed: dict[str, str], error: type[ConnectorError]
) -> None:
    store = MemoryStore()
    connection = MedfusionConnection.of(**settings_of(sandbox, **changed))
    with pytest.raises(error) as refused:
        connect(store, connection, policy=QUICK)
    assert store.ids() == []
    said = everything_said(refused.value)
    assert "canary" not in said
    assert sandbox.portal.application_token not in said


def test_connecting_again_keeps_the_cursor_of_the_same_practice(connected: Connected) -> None:
    store = connected.store
    stored = store.load("medfusion")
    assert stored is not None
    store.save(stored.record.model_copy(update={"cursor": "77"}), expected=stored.version)

    again = MedfusionConnection.of(**settings_of(connected.sandbox))
    connect(store, again, policy=QUICK)
    kept = store.load("medfusion")
    assert kept is not None
    assert isinstance(kept.record, MedfusionRecord)
    assert kept.record.cursor == "77"
    connect(store, again.model_copy(update={"version": "v3"}), policy=QUICK)
    moved = store.load("medfusion")
    assert moved is not None
    assert isinstance(moved.record, MedfusionRecord)
    assert moved.record.cursor is None


def test_no_secret_gets_into_a_log(
    sandbox: Sandbox, portal: Portal, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    store = MemoryStore()
    connect(store, MedfusionConnection.of(**settings_of(sandbox)), policy=QUICK)
    with Medfusion.from_store(store, "medfusion", ledger=Ledger(tmp_path / "l")) as opened:
        opened.run(LIST)
    logged = "\n".join(record.getMessage() for record in caplog.records)
    assert "/oauthapplication/{token}" in logged
    secrets = [portal.application_token, portal.client_secret, portal.password]
    for secret in [*secrets, *portal.issued_tokens]:
        assert secret not in logged
