"""A served sync: schedule, start-up, by hand, never two at once; health as a file and over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import requests

from practicefusion_connector.errors import UpstreamUnavailable
from practicefusion_connector.sync import FolderSource, FolderTarget, Sync, SyncProgress
from practicefusion_connector.sync.config import ScheduleSettings
from practicefusion_connector.sync.health_server import serving
from practicefusion_connector.sync.service import SyncService
from tests.sync.conftest import Opened
from tests.sync.data import Resource, write

PATIENCE = 20.0
Told = Callable[[SyncProgress], None]


class Builds:
    """Makes syncs; one can be held at its first line, or made to fail."""

    def __init__(self, folder: Path, people: list[Resource], states: Opened) -> None:
        self.export = write(folder / "export", people)
        self.folder = folder
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

        source, target = FolderSource(self.export), FolderTarget(self.folder / "kept")
        try:
            yield Sync(source, target, self._states("test"), progress=progress)
        finally:
            self.ended.release()


@pytest.fixture
def builds(tmp_path: Path, people: list[Resource], states: Opened) -> Builds:
    return Builds(tmp_path, people, states)


@contextmanager
def service_of(builds: Builds, **schedule: Any) -> Iterator[SyncService]:
    service = SyncService(builds, ScheduleSettings(**schedule), builds.folder)
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
