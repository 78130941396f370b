"""`practicefusion sync`: what it refuses, and what it says of a sync."""

from __future__ import annotations

import json
import logging
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector.cli import sync as commands_of_sync
from practicefusion_connector.cli import sync_showing
from practicefusion_connector.sync import FolderSource, State
from practicefusion_connector.sync.naming import state_name
from practicefusion_connector.sync.reports.files import keep
from practicefusion_connector.sync.reports.report import SyncReport
from practicefusion_connector.sync.runs import RunDocument
from tests.cli.conftest import Commands, Ran

PATIENT = json.dumps({"resourceType": "Patient", "id": "a"})
Sync = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "Patient.ndjson").write_text(PATIENT + "\n")
    return tmp_path


@pytest.fixture
def to(folder: Path) -> str:
    return f"duckdb:{folder}/clinic.duckdb"


@pytest.fixture
def sync(commands: Commands, folder: Path, to: str) -> Sync:
    where = ["--from", str(folder / "export"), "--folder", str(folder / "sync")]

    def run(command: str, *more: str, target: str = to) -> Ran:
        return commands("sync", command, *where, *(("--to", target) if target else ()), *more)

    return run


def state_in(folder: Path, to: str) -> State:
    name = state_name(FolderSource(folder / "export").name, None, to)
    return State(f"sqlite:///{folder}/sync/state.db", name)


@pytest.mark.parametrize("command", ["run", "status", "reset", "serve"])
def test_a_missing_target_is_told_before_anything_is_made(
    sync: Sync, command: str, folder: Path
) -> None:
    said = sync(command, target="")
    said.failed_in_one_line(2, "invalid_config: The sync has no target: give a FHIR base URL")
    assert said.err.endswith("Correct the sync's settings.\n")
    assert not (folder / "sync").exists()


def test_a_target_that_is_not_known_is_told_when_it_is_to_be_served(
    sync: Sync, folder: Path
) -> None:
    sync("serve", target="duck:x").failed_in_one_line(2, "invalid_config: The target is not known")
    assert not (folder / "sync").exists()


@pytest.mark.parametrize("command", ["status", "reset", "replay-quarantine"])
def test_a_sync_that_was_never_run_is_told_and_not_made_up(
    sync: Sync, command: str, folder: Path, to: str
) -> None:
    told = "invalid_input: Nothing was synced from this source into this target yet. "
    sync(command).failed_in_one_line(2, told + "practicefusion sync run begins")
    assert not (folder / "sync").exists()
    assert sync("run").code == 0
    sync(command, target=to + "x").failed_in_one_line(2, told)
    with closing(sqlite3.connect(folder / "sync" / "state.db")) as database:
        assert database.execute("SELECT count(*) FROM practicefusion_syncs").fetchone() == (1,)
    assert sync(command).code == 0


def test_the_settings_of_a_sync_are_what_is_to_be_corrected(commands: Commands, sync: Sync) -> None:
    commands.environment["PF_RESOURCE_TYPES"] = "Patiens"
    said = sync("run")
    said.failed_in_one_line(2, "invalid_config: The sync's settings cannot be used: source.types:")
    assert said.err.endswith("Correct the sync's settings.\n")
    told = json.loads(sync("run", "--json").err)
    assert (told["code"], told["advice"]) == ("invalid_config", "Correct the sync's settings.")


def test_a_sync_that_another_process_runs_is_worth_another_try(
    sync: Sync, folder: Path, to: str
) -> None:
    assert sync("run").code == 0
    with closing(state_in(folder, to)) as state, state.lock():
        for command in ("run", "reset"):
            said = sync(command)
            assert said.code == 4
            assert "invalid_input: This sync is being run by another process" in said.err
            assert "Wait until it has ended, or stop it" in said.err
        told = json.loads(sync("run", "--json").err)
    assert (told["retryable"], told["remedy"]) == (True, "wait")


def test_reset_says_what_is_exported_again(sync: Sync) -> None:
    assert sync("run").code == 0
    assert sync("reset").out.endswith(" exports everything.\n")
    said = sync("reset", "--type", "Patient", "--type", "Goal").out
    assert said.endswith(" exports all of Patient, Goal.\n")


def test_status_says_how_the_last_run_ended(sync: Sync, folder: Path, to: str) -> None:
    def last() -> tuple[dict[str, Any], str]:
        return sync("status", "--json").json["last"], sync("status").out

    assert sync("run").code == 0
    found, said = last()
    assert found["status"] == "done"
    assert f"Last run: 1, done, ended {found['finished']}." in said

    with (folder / "export" / "Patient.ndjson").open("a") as file:
        file.write("nothing\n")
    assert sync("run").code == 1
    found, said = last()
    assert (found["status"], found["held"]) == ("incomplete", ["Patient"])
    assert f"Last run: 2, incomplete (held back: Patient), ended {found['finished']}." in said

    with closing(state_in(folder, to)) as state:
        begun = "2026-07-01T03:00:00Z"
        current = state.ledger.begin(RunDocument(started=begun, reason="It broke."))
        _, said = last()
        assert f"Run 3, begun {begun}, is under way or was cut off while exporting;" in said
        assert "It stopped because: It broke." in said
        assert "Last run: 2, incomplete" in said
        current.document.finished = "2026-07-01T03:10:00Z"
        state.ledger.write(current, "failed")
    found, said = last()
    assert (found["status"], found["reason"]) == ("failed", "It broke.")
    assert "Last run: 3, failed (It broke.), ended 2026-07-01T03:10:00Z." in said


@pytest.mark.parametrize("command", ["run", "serve"])
def test_what_the_disk_does_not_take_is_no_defect(sync: Sync, command: str, folder: Path) -> None:
    (folder / "way").write_text("a file in the way")
    said = sync(command, "--folder", str(folder / "way" / "sync"))
    said.failed_in_one_line(2, "invalid_config: The sync's folder")
    assert "(Not a directory)" in said.err


def test_a_database_that_is_away_is_worth_another_try(commands: Commands, sync: Sync) -> None:
    commands.environment["PF_SYNC_STATE"] = "postgresql://u:canary@127.0.0.1:1/none"
    for command in ("run", "status", "reset"):
        said = sync(command)
        assert said.code == 4
        assert "upstream_unavailable: A database that the sync needs cannot be used" in said.err
        assert "canary" not in said.err


def test_a_run_that_is_stopped_at_its_very_end_leaves_its_report(
    folder: Path, to: str, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(report: SyncReport, place: Path) -> tuple[Path, Path | None]:
        signal.raise_signal(signal.SIGTERM)
        return keep(report, place)

    monkeypatch.setattr(commands_of_sync, "keep", stopped)
    assert sync("run").code == 0
    assert (folder / "sync" / "reports" / "run-000001.json").exists()


def test_health_that_cannot_be_read_is_that_of_nobody(sync: Sync, folder: Path) -> None:
    told = "invalid_input: Nobody serves this sync"
    sync("watch").failed_in_one_line(2, told)
    (folder / "sync").mkdir()
    (folder / "sync" / "health.json").write_text("{")
    sync("watch").failed_in_one_line(2, told)


def watched(sync: Sync) -> dict[str, str]:
    lines = sync("watch", "--once").out.splitlines()
    return {line[:14].strip(): line[14:].strip() for line in lines}


def test_what_is_served_tells_that_it_lives_and_logs_its_runs(
    folder: Path, to: str, sync: Sync
) -> None:
    settings = folder / "sync.toml"
    settings.write_text("[schedule]\nrun_on_startup = true\n[health]\nport = 0\n")
    command = [sys.executable, "-m", "practicefusion_connector.cli", "sync", "serve"]
    command += ["--config", str(settings), "--from", str(folder / "export"), "--to", to]
    with subprocess.Popen(
        [*command, "--folder", str(folder / "sync")],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as served:
        assert served.stderr is not None
        try:
            logged = next(line for line in served.stderr if "of the sync" in line)
            said = watched(sync)
            served.send_signal(signal.SIGTERM)
            assert served.wait(60) == 0
        finally:
            served.kill()
    assert logged.split(maxsplit=2)[2] == "INFO Run 1 of the sync is done: 1 created.\n"
    assert said["Served"] == "yes"
    assert watched(sync)["Served"] == "no, it has ended"


def test_a_service_that_died_is_not_said_to_run(sync: Sync, folder: Path) -> None:
    (folder / "sync").mkdir()
    health: dict[str, Any] = {
        **dict.fromkeys(("last_run", "last_success", "next_run", "error")),
        **dict.fromkeys(("enabled", "healthy", "running"), True),
        "note": "Noted.",
        "types": {},
        "progress": {"stage": "applying"},
        "told": "2026-07-01T03:00:00+00:00",
    }

    def shown() -> dict[str, str]:
        (folder / "sync" / "health.json").write_text(json.dumps(health))
        return watched(sync)

    said = shown()
    assert said["Served"] == "no, nothing was heard of it since 2026-07-01T03:00:00+00:00"
    assert (said["Enabled"], said["Running"], said["Now"]) == ("false", "false", "")
    assert said["Note"] == "Noted."
    health["told"] = datetime.now(UTC).isoformat(timespec="seconds")
    said = shown()
    assert (said["Served"], said["Running"], said["Now"]) == ("yes", "true", "applying")


def test_the_log_of_a_service_ends_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("practicefusion_connector")
    before = (logger.level, list(logger.handlers))
    with sync_showing.logged():
        logger.info("Run 1.")
    assert (logger.level, list(logger.handlers)) == before
    assert capsys.readouterr().err.endswith(" INFO Run 1.\n")
