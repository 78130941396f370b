"""The ledger: what is on disk when, who may read it, and what a crash leaves."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from practicefusion_connector.errors import InvalidConfig, RefreshBusy
from practicefusion_connector.medfusion import Ledger, Medfusion
from tests.medfusion.conftest import Connected
from tests.medfusion.test_inviting import invite, outcomes


def test_the_ledger_holds_ids_only_and_is_its_owners(connected: Connected) -> None:
    with connected.open() as opened:
        invite(opened, 1)
    text = connected.ledger_file.read_text()
    assert stat.S_IMODE(connected.ledger_file.stat().st_mode) == 0o600
    assert [json.loads(line)["patients"]["P1"]["outcome"] for line in text.splitlines()] == [
        "sending",
        "accepted",
    ]
    for phi in ("Alma", "Castro", "1980", "mail.example", "Old Mill"):
        assert phi not in text


def test_a_note_cut_short_is_taken_off(tmp_path: Path) -> None:
    file = tmp_path / "ledger"
    Ledger(file).sending("b1", ["P1"])
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"at": "2026-01-31T08:0')
    ledger = Ledger(file)
    assert list(ledger.entries()) == ["P1"]
    with ledger.exclusive():
        ledger.settle("b1", {"P1": {"outcome": "accepted", "status_url": "u"}})
    assert Ledger(file).sent_under("u").keys() == {"P1"}


@pytest.mark.parametrize("content", [b"no json\n", b'{"batch": 1}\n', b"[]\n", b"\xff\n"])
def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "ledger"
    file.write_bytes(content)
    with pytest.raises(InvalidConfig, match="ledger of invitations cannot be read"):
        Ledger(file)


def test_two_do_not_invite_by_one_ledger_at_once(tmp_path: Path, opened: Medfusion) -> None:
    other = Ledger(opened.ledger.path)
    with other.exclusive(), pytest.raises(RefreshBusy, match="same ledger"):
        invite(opened, 1)
    with opened.ledger.exclusive(), pytest.raises(RefreshBusy, match="same ledger"):
        invite(opened, 1)
    assert outcomes(invite(opened, 1)) == ["accepted"]


def test_a_ledger_knows_what_another_process_noted(opened: Medfusion) -> None:
    other = Ledger(opened.ledger.path)
    other.sending("b1", ["P1"])
    other.settle("b1", {"P1": {"outcome": "accepted"}})
    assert outcomes(invite(opened, 1)) == ["already_invited"]
