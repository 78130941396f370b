"""A process killed at any moment is gone on from by the next, without a second kick-off."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector.bulk import ExportedFile, ExportPlan, JobStore, Progress
from practicefusion_connector.sandbox import Sandbox
from tests.bulk.conftest import MakeExport
from tests.bulk.reading import left_over, resources, served


class Worker:
    """Runs one plan again and again, each time in a process of its own."""

    def __init__(self, sandbox: Sandbox, tmp_path: Path, plan: dict[str, Any]) -> None:
        self.folder = tmp_path / "export"
        self._asked = {
            "connection": {
                "id": "bulk",
                "fhir_base_url": sandbox.fhir_base_url,
                "client_id": sandbox.backend_client_id,
                "client_secret": sandbox.backend_client_secret,
                "level": "system",
            },
            "folder": str(self.folder),
            "jobs": f"sqlite:///{tmp_path}/jobs.db",
            "plan": plan,
        }

    def start(self, die: dict[str, Any] | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bulk.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps({**self._asked, "die": die}))
        process.stdin.close()
        return process

    def dies(self, stage: str, times: int) -> None:
        process = self.start({"stage": stage, "times": times})
        assert _ended(process)[0] == -signal.SIGKILL

    def finishes(self) -> dict[str, Any]:
        code, out = _ended(self.start())
        assert code == 0
        outcome: dict[str, Any] = json.loads(out)
        return outcome


def _ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        out, said = process.stdout.read(), process.stderr.read()
        code = process.wait(60)
    assert code in (0, -signal.SIGKILL), said
    return code, out


def files(outcome: dict[str, Any]) -> list[ExportedFile]:
    return [ExportedFile(**{**each, "path": Path(each["path"])}) for each in outcome["files"]]


@pytest.fixture(autouse=True)
def _many_files(sandbox: Sandbox) -> None:
    sandbox.behaviour.export.polls = 2
    sandbox.behaviour.export.file_resources = 20


def test_a_process_killed_at_every_stage(
    sandbox: Sandbox, tmp_path: Path, export_of: MakeExport
) -> None:
    worker = Worker(sandbox, tmp_path, {})
    for stage, times in [("kicked_off", 1), ("checked", 5)]:
        worker.dies(stage, times)
    outcome = export_of(worker.folder).run(ExportPlan())
    assert resources(outcome.files) == served(sandbox)
    assert outcome.resumed
    assert sandbox.bulk.kickoffs == 1
    # Only what was under way at the kill was asked for twice: two files at once.
    assert len(sandbox.bulk.authorized_downloads) <= len(outcome.files) + 2
    assert left_over(worker.folder) == []


def test_a_process_killed_within_a_file_goes_on_by_range(
    sandbox: Sandbox, tmp_path: Path, export_of: MakeExport
) -> None:
    sandbox.behaviour.export.patients = 200
    sandbox.behaviour.export.file_resources = 100_000
    worker = Worker(sandbox, tmp_path, {"types": ["Observation"]})
    worker.dies("downloading", 3)
    had = (worker.folder / "Observation.000.ndjson.part").stat().st_size
    assert had > 3_000_000
    starts: list[str] = []

    def look(request: Any) -> None:
        if "/Binary/" in request.path:
            starts.append(request.headers.get("Range", "whole"))

    sandbox.behaviour.before_request = look
    outcome = export_of(worker.folder).run(ExportPlan(types=("Observation",)))
    (file,) = outcome.files
    assert file.count == 26 * 200
    assert file.complete
    assert starts == [f"bytes={had - 4096}-"]
    assert sandbox.bulk.kickoffs == 1


def test_a_process_killed_while_it_crawls(
    sandbox: Sandbox, tmp_path: Path, export_of: MakeExport
) -> None:
    types = ("Patient", "Goal", "Device")
    worker = Worker(sandbox, tmp_path, {"mode": "crawl", "types": types})
    worker.dies("crawling", 1)
    outcome = export_of(worker.folder).run(ExportPlan(mode="crawl", types=types))
    assert outcome.resumed
    assert set(resources(outcome.files)) == {key for key in served(sandbox) if key[0] in types}


@pytest.mark.parametrize("moment", ["kicked_off", "checked"])
def test_an_expired_job_is_replaced_once(
    sandbox: Sandbox, export_of: MakeExport, jobs: JobStore, moment: str
) -> None:
    class Stopped(Exception):
        pass

    def stop(told: Progress) -> None:
        if told.stage == moment:
            raise Stopped

    with pytest.raises(Stopped):
        export_of(progress=stop, concurrency=1).run(ExportPlan())
    sandbox.bulk.expire()
    patient = next(iter(sandbox.resources["Patient"]))
    sandbox.bulk.update("Patient", patient, active=False)
    outcome = export_of().run(ExportPlan())
    # All of it is of the new moment, what the old job had given too.
    assert resources(outcome.files) == served(sandbox)
    assert sandbox.bulk.kickoffs == 2
    assert list(jobs.states().values()) == ["done"]


def test_a_job_that_expires_while_it_is_fetched(sandbox: Sandbox, export_of: MakeExport) -> None:
    expired: list[Progress] = []

    def expire(told: Progress) -> None:
        if told.stage == "checked" and not expired:
            expired.append(told)
            sandbox.bulk.expire()

    outcome = export_of(progress=expire, concurrency=1).run(ExportPlan())
    assert resources(outcome.files) == served(sandbox)
    assert sandbox.bulk.kickoffs == 2


def test_a_file_that_is_gone_for_a_moment_costs_no_kickoff(
    sandbox: Sandbox, export_of: MakeExport
) -> None:
    sandbox.bulk.faults.lose_files(1, status=404)
    outcome = export_of().run(ExportPlan())
    assert resources(outcome.files) == served(sandbox)
    assert sandbox.bulk.kickoffs == 1


def test_a_job_whose_files_stay_away_does_not_stay_beside_the_next_one(
    sandbox: Sandbox, export_of: MakeExport
) -> None:
    at_once: list[int] = []

    def look(told: Progress) -> None:
        at_once.append(len(sandbox.bulk.jobs))

    sandbox.bulk.faults.lose_files(2, status=404)
    outcome = export_of(progress=look, concurrency=1).run(ExportPlan(types=("Patient",)))
    assert set(resources(outcome.files)) == {key for key in served(sandbox) if key[0] == "Patient"}
    assert sandbox.bulk.kickoffs == 2
    assert max(at_once) == 1


def test_jobs_that_always_expire_are_given_up(sandbox: Sandbox, export_of: MakeExport) -> None:
    from practicefusion_connector.errors import NotFound

    sandbox.behaviour.export.lifetime = 0.0
    with pytest.raises(NotFound):
        export_of().run(ExportPlan())
    assert sandbox.bulk.kickoffs == 3


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2])
def test_kills_at_random_moments(sandbox: Sandbox, tmp_path: Path, seed: int) -> None:
    """With faults on; only a kick-off whose answer was lost with its process is made again."""
    source = random.Random(seed)
    sandbox.behaviour.export.patients = 400
    sandbox.behaviour.export.file_resources = 5000
    worker = Worker(sandbox, tmp_path, {})
    for _ in range(12):
        sandbox.bulk.faults.break_downloads(2, after_bytes=source.randrange(1, 200_000))
        sandbox.bulk.faults.fail_status(source.randrange(3))
        process = worker.start()
        time.sleep(source.uniform(0.3, 1.6))
        process.kill()
        _ended(process)
    outcome = worker.finishes()
    assert len(resources(files(outcome))) == sum(outcome["counts"].values())
    assert outcome["counts"]["Patient"] == 400
    assert sandbox.bulk.kickoffs <= 2
