"""A served sync: schedule, start-up, by hand, never two at once; health as a file and over HTTP."""

from __future__ import annotations

import json
import logging
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from errno import ENOSPC
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import requests

from practicefusion_connector.errors import InvalidConfig, UpstreamUnavailable
from practicefusion_connector.sync import (
    DuckDBTarget,
    FolderSource,
    FolderTarget,
    State,
    Sync,
    SyncProgress,
    Target,
    health_server,
)
from practicefusion_connector.sync import health as health_room
from practicefusion_connector.sync.config import ScheduleSettings
from practicefusion_connector.sync.health import is_served
from practicefusion_connector.sync.health_server import serving
from practicefusion_connector.sync.reports.report import write_json
from practicefusion_connector.sync.runs import RunDocument
from practicefusion_connector.sync.service import StateOpener, SyncService
from tests.sync.conftest import Opened
from tests.sync.data import Resource, write

PATIENCE = 20.0
Told = Callable[[SyncProgress], None]


class Builds:
    """Makes syncs; one can be held at its first line, or made to fail."""

    def __init__(self, folder: Path, people: list[Resource], states: Opened) -> None:
        self.export = write(folder / "export", people)
        self.folder = folder
        self.target: Target = FolderTarget(folder / "kept")
        self._states = states
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self.ended = threading.Semaphore(0)
        self.error: Exception | None = None

    @contextmanager
    def __call__(self, told: Told) -> Iterator[Sync]:
        if self.error is not None:
            raise self.error

        def progress(now: SyncProgress) -> None:
            told(now)
            self.begun.set()
            assert self.go_on.wait(PATIENCE)

        source = FolderSource(self.export)
        try:
            yield Sync(source, self.target, self._states("test"), progress=progress)
        finally:
            self.ended.release()


@pytest.fixture
def builds(tmp_path: Path, people: list[Resource], states: Opened) -> Builds:
    return Builds(tmp_path, people, states)


@contextmanager
def service_of(
    builds: Builds, open_state: StateOpener | None = None, **schedule: Any
) -> Iterator[SyncService]:
    settings = ScheduleSettings(**schedule)
    service = SyncService(builds, settings, builds.folder, open_state=open_state)
    service.start()
    try:
        yield service
    finally:
        builds.go_on.set()
        assert service.stop(PATIENCE)


def test_health_says_what_happened_and_when_it_runs_next(
    builds: Builds, people: list[Resource]
) -> None:
    with service_of(builds, cron="0 3 * * *") as service:
        before = service.health()
        assert (before["enabled"], before["running"], before["last_run"]) == (True, False, None)
        assert "T" in before["next_run"]
        report = service.run_once()
        assert report is not None
        health = json.loads((builds.folder / "health.json").read_text())
    assert health["healthy"] is True
    assert health["last_success"] is not None
    assert health["running"] is False
    assert report.total("created") == len(people)
    kept = json.loads((builds.folder / "reports" / "run-000001.json").read_text())
    assert kept["totals"]["created"] == len(people)
    assert json.loads((builds.folder / "health.json").read_text())["enabled"] is False


def test_it_runs_on_start_up_and_refuses_a_second_run_meanwhile(builds: Builds) -> None:
    builds.go_on.clear()
    with service_of(builds, run_on_startup=True) as service, serving(service, "127.0.0.1", 0) as at:
        assert builds.begun.wait(PATIENCE)
        told = requests.get(f"{at}/health", timeout=10).json()
        assert told["running"] is True
        assert service.run_once() is None
        assert requests.post(f"{at}/run", timeout=10).status_code == 409
        builds.go_on.set()
        assert builds.ended.acquire(timeout=PATIENCE)


def test_it_runs_at_its_interval(builds: Builds) -> None:
    with service_of(builds, interval_ms=1000):
        assert builds.ended.acquire(timeout=PATIENCE)


def test_a_run_can_be_begun_by_hand_from_this_machine_alone(builds: Builds) -> None:
    with service_of(builds, enabled=False) as service, serving(service, "127.0.0.1", 0) as at:
        assert service.health()["next_run"] is None
        for headers in (
            {"Origin": "https://elsewhere.example"},
            {"Host": "elsewhere.example"},
            {"Host": "[::1"},
            {"Host": ""},
        ):
            assert requests.post(f"{at}/run", headers=headers, timeout=10).status_code == 403
        assert requests.get(f"{at}/other", timeout=10).status_code == 404
        with closing(HTTPConnection(at.removeprefix("http://"), timeout=10)) as raw:
            raw.request("GET", "//[::1/health")
            assert raw.getresponse().status == 404
        assert requests.post(f"{at}/run", timeout=10).status_code == 202
        assert builds.ended.acquire(timeout=PATIENCE)


def test_who_does_not_ask_or_goes_away_holds_nothing_and_leaves_no_trace(
    builds: Builds, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def address(at: str) -> tuple[str, int]:
        return "127.0.0.1", int(at.rpartition(":")[2])

    with service_of(builds, enabled=False) as service:
        with serving(service, "127.0.0.1", 0) as at, socket.create_connection(address(at)) as gone:
            gone.sendall(b"GET /hea")
            # Closed with a reset, as a probe that has had enough does.
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            gone.close()
            assert requests.get(f"{at}/health", timeout=10).status_code == 200
        monkeypatch.setattr(health_server, "_PATIENCE", 0.1)
        with (
            serving(service, "127.0.0.1", 0) as at,
            socket.create_connection(address(at), timeout=PATIENCE) as silent,
        ):
            assert silent.recv(1) == b""
    assert capfd.readouterr().err == ""


def test_a_defect_in_telling_health_is_logged_by_its_name(
    builds: Builds, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with service_of(builds, enabled=False) as service, serving(service, "127.0.0.1", 0) as at:
        with monkeypatch.context() as patched:
            patched.setattr(service, "health", dict)
            with pytest.raises(requests.ConnectionError):
                requests.get(f"{at}/health", timeout=10)
        assert requests.get(f"{at}/health", timeout=10).status_code == 200
    assert caplog.messages == ["Health was asked for and not told: KeyError."]


def test_a_disk_that_does_not_take_health_ends_no_run(
    builds: Builds, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: Any) -> None:
        raise OSError(ENOSPC, "No space left on device")

    service = SyncService(builds, ScheduleSettings(enabled=False), builds.folder)
    with monkeypatch.context() as patched:
        patched.setattr(health_room, "write_json", full)
        with pytest.raises(InvalidConfig, match="No space left on device"):
            service.start()
    service.start()
    with monkeypatch.context() as patched:
        patched.setattr(health_room, "write_json", full)
        assert service.run_once() is not None
        assert service.health()["last_success"] is not None
    assert service.stop(PATIENCE)


def test_a_failure_is_told_and_the_schedule_outlives_it(builds: Builds) -> None:
    builds.error = UpstreamUnavailable("The server failed.")
    with service_of(builds, enabled=False) as service, serving(service, "127.0.0.1", 0) as at:
        assert service.run_once() is None
        told = requests.get(f"{at}/health", timeout=10)
        assert (told.status_code, told.json()["error"]) == (
            503,
            "upstream_unavailable: The server failed.",
        )
        builds.error = RuntimeError("a patient's name")
        assert service.run_once() is None
        assert "patient" not in json.dumps(service.health()["error"])
        builds.error = None
        assert service.run_once() is not None
        assert requests.get(f"{at}/health", timeout=10).status_code == 200


def test_another_process_that_runs_the_sync_is_no_failure(
    builds: Builds, states: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    with service_of(builds, cron="0 3 * * *") as service:
        assert service.run_once() is not None
        before = service.health()
        with caplog.at_level(logging.INFO), states("test").lock():
            assert service.run_once() is None
        met = service.health()
        assert "Another process" in met["note"]
        for name in ("healthy", "last_run", "last_success", "error", "types", "next_run"):
            assert met[name] == before[name]
        assert service.run_once() is not None
        assert service.health()["note"] is None
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_how_a_run_ended_is_logged_and_nothing_of_the_records(
    builds: Builds, people: list[Resource], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "practicefusion_connector")
    builds.target = DuckDBTarget(builds.folder / "clinic.duckdb")
    with service_of(builds, enabled=False) as service:
        service.run_once()
        with (builds.export / "Patient.000.ndjson").open("a") as file:
            file.write("nothing\n")
        service.run_once()
        builds.error = UpstreamUnavailable("The server failed.", diagnostics="a patient's name")
        service.run_once()
        builds.error = RuntimeError("a patient's name")
        service.run_once()
    assert [record.getMessage() for record in caplog.records] == [
        f"Run 1 of the sync is done: {len(people)} created.",
        "Run 2 of the sync is incomplete: 1 failed.",
        "The run of the sync failed: upstream_unavailable: The server failed.",
        "The run of the sync failed: internal: RuntimeError in the sync.",
    ]
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "ERROR", "ERROR"]
    assert not any(record.exc_info for record in caplog.records)


class Recalls:
    """Opens the state for a service that begins, and says when it has been read."""

    def __init__(self, states: Opened) -> None:
        self._states = states
        self.go_on, self.done = threading.Event(), threading.Event()
        self.go_on.set()

    @contextmanager
    def __call__(self) -> Iterator[State]:
        try:
            assert self.go_on.wait(PATIENCE)
            yield self._states("test")
        finally:
            self.done.set()


@contextmanager
def restarted(builds: Builds, recalls: Recalls) -> Iterator[SyncService]:
    with service_of(builds, open_state=recalls, enabled=False) as service:
        try:
            yield service
        finally:
            recalls.go_on.set()
    assert recalls.done.wait(PATIENCE)


def test_a_service_that_begins_again_knows_how_the_last_runs_ended(
    builds: Builds, people: list[Resource], states: Opened
) -> None:
    def known() -> dict[str, Any]:
        recalls = Recalls(states)
        with restarted(builds, recalls) as service:
            assert recalls.done.wait(PATIENCE)
            return service.health()

    builds.target = DuckDBTarget(builds.folder / "clinic.duckdb")
    assert known()["last_run"] is None
    with service_of(builds, enabled=False) as service:
        first = service.run_once()
    assert first is not None
    found = known()
    assert (found["healthy"], found["error"]) == (True, None)
    assert (found["last_run"], found["last_success"]) == (first.started, first.finished)
    assert sum(found["types"].values()) == len(people)

    with (builds.export / "Patient.000.ndjson").open("a") as file:
        file.write("nothing\n")
    with service_of(builds, enabled=False) as service:
        second = service.run_once()
    assert second is not None
    found = known()
    assert (found["healthy"], found["last_run"]) == (False, second.started)
    assert found["last_success"] == first.finished
    assert "quarantine" in found["error"]
    marks = states("test").ledger.watermarks()
    states("test").move([(m.scope, m.type, m.held, False) for m in marks if m.held], {})
    assert known()["healthy"] is True

    ledger = states("test").ledger
    stopped = ledger.begin(RunDocument(started="2026-07-01T03:00:00Z", reason="It broke."))
    found = known()
    assert (found["healthy"], found["error"]) == (False, "It broke.")
    assert found["last_run"] == "2026-07-01T03:00:00Z"
    ledger.write(stopped, "failed")
    assert known()["error"] == "It broke."


def test_a_state_out_of_reach_delays_no_start_and_what_runs_meanwhile_outranks_it(
    builds: Builds, states: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    states("test").ledger.begin(RunDocument(started="2026-07-01T03:00:00Z", reason="It broke."))
    recalls = Recalls(states)
    recalls.go_on.clear()
    with restarted(builds, recalls) as service:
        assert service.run_once() is not None
        recalls.go_on.set()
        assert recalls.done.wait(PATIENCE)
        assert service.health()["healthy"] is True

    def out_of_reach() -> AbstractContextManager[State]:
        told.set()
        raise UpstreamUnavailable("The state is out of reach.")

    told = threading.Event()
    service = SyncService(
        builds, ScheduleSettings(enabled=False), builds.folder, open_state=out_of_reach
    )
    service.start()
    assert told.wait(PATIENCE)
    for thread in threading.enumerate():
        if thread.name == "practicefusion-recall":
            thread.join(PATIENCE)
    assert service.stop(PATIENCE)
    assert service.health()["healthy"] is True
    said = "How the sync's last run ended cannot be read: upstream_unavailable: "
    assert caplog.messages == [said + "The state is out of reach."]


def test_a_service_that_died_is_known_by_its_silence(
    builds: Builds, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = threading.Semaphore(0)

    def write(path: Path, data: Any) -> None:
        write_json(path, data)
        told.release()

    monkeypatch.setattr(health_room, "_TOLD_EVERY", 0.01)
    monkeypatch.setattr(health_room, "write_json", write)
    with service_of(builds, enabled=False):
        for _ in range(3):
            assert told.acquire(timeout=PATIENCE)
        served = json.loads((builds.folder / "health.json").read_text())
        assert is_served(served)
    ended = json.loads((builds.folder / "health.json").read_text())
    assert ended["told"] is None
    assert not is_served(ended)
    assert not is_served({**served, "told": "2026-07-01T03:00:00+00:00"})
    assert not is_served({"running": True})


def test_a_run_under_way_stops_and_goes_on_later(builds: Builds, people: list[Resource]) -> None:
    builds.go_on.clear()
    with service_of(builds, enabled=False) as service:
        assert service.trigger()
        assert builds.begun.wait(PATIENCE)
        stopping = threading.Thread(target=service.stop, args=(PATIENCE,))
        stopping.start()
        builds.go_on.set()
        stopping.join()
    again = SyncService(builds, ScheduleSettings(enabled=False), builds.folder)
    report = again.run_once()
    assert report is not None
    assert report.total("created") == len(people)
