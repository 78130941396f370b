"""`practicefusion medfusion`: what the commands say, keep and refuse."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from click.testing import CliRunner
from werkzeug.wrappers import Request

from practicefusion_connector.cli import sessions
from practicefusion_connector.cli.medfusion import medfusion
from practicefusion_connector.cli.medfusion_sessions import own_ledger
from practicefusion_connector.sandbox import Sandbox
from tests.medfusion.commands import HEAD, Command
from tests.medfusion.conftest import BORN, register

GOOD = f"P1,Alma,Castro,{BORN},female,patient1@mail.example,1 Mill Road,Springfield,IL"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "patients.csv"
    path.write_text(f"{HEAD}\n{GOOD}\n")
    return path


def test_the_help_names_the_commands() -> None:
    shown = CliRunner().invoke(medfusion, ["--help"])
    for name in ("connect", "invite", "status", "follow"):
        assert name in shown.stdout


def test_a_connection_is_kept_sealed(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    told = command.connect(sandbox, **{"--name": "portal", "--version": "v3"})
    assert 'kept as "portal"' in told.stdout
    stored = b"".join(path.read_bytes() for path in (tmp_path / "store").iterdir())
    for secret in (sandbox.portal.password, sandbox.portal.client_secret):
        assert secret.encode() not in stored
        assert secret not in told.output


def test_wrong_credentials_are_one_line(command: Command, sandbox: Sandbox) -> None:
    command.environment["PASSWORD"] = "canary-wrong"
    fields = ("--server", sandbox.origin, "--practice-id", sandbox.portal.practice_id)
    credentials = ("--application-token-env", "TOKEN", "--password-env", "PASSWORD")
    ended = command("connect", *fields, "--username", "u", *credentials, code=3)
    assert ended.stderr.startswith("reauth_required: The portal refuses the credentials")
    assert ended.stderr.count("\n") == 1
    assert "canary" not in ended.output


def test_without_a_connection_it_says_how_to_make_one(command: Command, file: Path) -> None:
    ended = command.invite(file, code=2)
    assert "practicefusion medfusion connect" in ended.stderr


def test_what_to_invite_must_be_said(command: Command) -> None:
    assert "--csv FILE" in command("invite", code=2).stderr


def test_one_line_for_each_patient(command: Command, sandbox: Sandbox, file: Path) -> None:
    command.connect(sandbox)
    first = command.invite(file, "--json")
    assert json.loads(first.stdout) == {
        "outcomes": {"processed": 1},
        "rows": [{"row": 2, "patient": "P1", "outcome": "processed", "why": None}],
    }
    second = command.invite(file)
    assert "already" in second.stdout
    assert "Castro" not in second.output


def test_an_undecided_invitation_is_told_and_looked_up(
    command: Command, sandbox: Sandbox, file: Path
) -> None:
    command.connect(sandbox)
    sandbox.portal.behaviour.answers_lost = 1
    sandbox.portal.behaviour.processing_seconds = 3600
    told = command.invite(file, code=1)
    assert "1 undecided." in told.stdout
    assert "batch_undecided" in told.stderr
    assert "1 undecided." in command.invite(file, code=1).stdout
    next(iter(sandbox.portal.jobs.values())).due = 0
    assert "1 already invited." in command.invite(file).stdout
    assert len(sandbox.portal.outbox) == 1


def test_a_process_killed_while_it_invites_invites_nobody_twice(
    command: Command, sandbox: Sandbox, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command.connect(sandbox)
    accepted, accept = Event(), sandbox.portal.accept

    def noting(patients: list[Any]) -> Any:
        job = accept(patients)
        accepted.set()
        return job

    monkeypatch.setattr(sandbox.portal, "accept", noting)
    processes: list[subprocess.Popen[bytes]] = []

    def kill(request: Request) -> None:
        # The batch has arrived and will be accepted; who sent it never reads the answer.
        if request.method == "POST" and request.path.endswith("/patient") and processes:
            processes[0].kill()

    sandbox.behaviour.before_request = kill
    given = ["invite", "--csv", str(file), "--ledger", str(command.folder / "ledger.jsonl")]
    try:
        with command.start(*given) as process:
            processes.append(process)
            assert accepted.wait(20)
        assert process.returncode == -signal.SIGKILL
    finally:
        sandbox.behaviour.before_request = None
    assert json.loads(command.invite(file, "--json").stdout)["outcomes"] == {"already_invited": 1}
    assert len(sandbox.portal.outbox) == 1


def test_the_status_is_asked_for_later(command: Command, sandbox: Sandbox, file: Path) -> None:
    command.connect(sandbox)
    sandbox.portal.behaviour.processing_seconds = 3600
    assert "1 accepted." in command.invite(file, "--wait", "0").stdout
    ledger = str(command.folder / "ledger.jsonl")
    assert json.loads(command("status", "--ledger", ledger, "--json").stdout) == {"accepted": 1}
    next(iter(sandbox.portal.jobs.values())).due = 0
    assert json.loads(command("status", "--ledger", ledger, "--json").stdout) == {"processed": 1}
    other = str(command.folder / "other.jsonl")
    assert "Nobody was invited" in command("status", "--ledger", other).stdout


def test_a_patient_found_by_a_search_is_invited_in_one_command(
    command: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    command.connect(sandbox)
    ledger = ("--ledger", str(command.folder / "ledger.jsonl"))
    with sessions.in_sandbox() as (_, pf):
        monkeypatch.setattr(sessions, "connected", lambda name: _Open(pf))
        family = pf.run("search_patients", {"page_size": 1}).resource["name"][0]["family"]
        many = command("invite", "--find", "gender=female", *ledger, code=2)
        assert "narrow it to one, or say --all" in many.stderr
        nobody = command("invite", "--find", "family=Nobodyatall", *ledger, code=2)
        assert "finds no patient" in nobody.stderr
        found = ("--find", f"family={family}", "--email", "new@mail.example")
        told = command("invite", *found, *ledger, "--json")
    assert json.loads(told.stdout)["outcomes"] == {"processed": 1}
    assert [email.to for email in sandbox.portal.outbox] == ["new@mail.example"]


class _Open:
    """Stands for an open connection that is not closed by who uses it."""

    def __init__(self, pf: object) -> None:
        self._pf = pf

    def __enter__(self) -> object:
        return self._pf

    def __exit__(self, *_: object) -> None:
        return None


def test_following_is_stopped_by_a_signal_and_keeps_what_it_has(
    command: Command, sandbox: Sandbox, file: Path
) -> None:
    command.connect(sandbox)
    command.invite(file)
    register(sandbox, sandbox.portal.outbox[0], Line1="2 New Street")
    out = command.folder / "changes.ndjson"
    process = command.start("follow", "--out", str(out), "--every", "0.05", "--json")
    with process:
        assert process.stdout is not None
        first, second = (json.loads(process.stdout.readline()) for _ in range(2))
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    assert (first["delivered"], second["delivered"]) == (1, 0)
    assert len(out.read_text().splitlines()) == 1


def test_the_default_ledger_is_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    path = own_ledger("935134ED-0000")
    assert path.parent.parent.parent == tmp_path
    assert path.name == "935134ed-0000.invitations.jsonl"
