"""Neither logs nor errors nor the job store show a token, a signature or anything of a patient."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from werkzeug.wrappers import Request, Response

from practicefusion_connector import errors
from practicefusion_connector.bulk import ExportPlan, JobStore, Progress
from practicefusion_connector.sandbox import Sandbox
from tests.bulk.conftest import MakeExport

CANARY = "Zephyrine"


@pytest.fixture
def secrets(sandbox: Sandbox) -> list[str]:
    """Names and ids of patients, planted; tokens and signatures are added as they are known."""
    patient = next(iter(sandbox.resources["Patient"]))
    sandbox.bulk.update("Patient", patient, name=[{"family": CANARY}], gender=CANARY)
    sandbox.bulk.inject("Patient", b'{"resourceType": "Patient", "id": "' + CANARY.encode())
    sandbox.bulk.add_error("processing", f"{CANARY} failed")
    sandbox.behaviour.export.requires_access_token = False
    return [CANARY, patient]


def assert_none(secrets: list[str], *texts: str) -> None:
    for text in texts:
        assert not [secret for secret in secrets if secret in text]


@pytest.mark.parametrize("mode", ["export", "crawl"])
def test_logs_reports_and_rows(
    sandbox: Sandbox,
    export_of: MakeExport,
    jobs: JobStore,
    folder: Path,
    secrets: list[str],
    caplog: pytest.LogCaptureFixture,
    mode: str,
) -> None:
    told: list[Progress] = []

    def progress(each: Progress) -> None:
        told.append(each)
        secrets.extend(job.signature for job in sandbox.bulk.jobs.values())

    with caplog.at_level(0):
        outcome = export_of(progress=progress, validation="quarantine").run(
            ExportPlan(mode=mode, types=("Patient", "Goal"))  # type: ignore[arg-type]
        )
    assert outcome.quarantined
    secrets.extend(sandbox.tokens._access)
    logged = [record.getMessage() + (record.exc_text or "") for record in caplog.records]
    (job_id,) = jobs.states()
    rows = json.dumps([jobs.load(job_id), jobs.parts(job_id)])
    shown = [repr(outcome), json.dumps(outcome.to_dict()), *map(repr, told)]
    assert_none(secrets, *logged, *shown, rows, (folder / "export.json").read_text())


def test_errors_show_nothing(sandbox: Sandbox, export_of: MakeExport, secrets: list[str]) -> None:
    def break_off(request: Request) -> Response | None:
        if "/signed/" in request.path:
            secrets.append(request.args["signature"])
            raise ConnectionAbortedError
        return None

    sandbox.behaviour.before_request = break_off
    with pytest.raises(errors.ConnectorError) as caught:
        export_of().run(ExportPlan(types=("Patient",)))
    secrets.extend(sandbox.tokens._access)
    error = caught.value
    assert len(secrets) > 3
    assert_none(secrets, "".join(traceback.format_exception(error)), json.dumps(error.to_dict()))


@pytest.fixture
def queried(sandbox: Sandbox) -> str:
    """A status URL with a secret in its query."""
    started = sandbox.bulk.start

    def redirect(request: Request) -> Response | None:
        if not request.path.endswith("$export"):
            return None
        from practicefusion_connector.sandbox.bulk.snapshot import Asked

        job = started(Asked(frozenset({"Goal"})), request.url, "")
        url = f"{sandbox.fhir_base_url}/Export/{job.handle}?key={CANARY}"
        return Response(status=202, headers={"Content-Location": url})

    sandbox.behaviour.before_request = redirect
    return CANARY


class Stopped(Exception):
    pass


def stop(told: Progress) -> None:
    if told.stage == "polling":
        raise Stopped


def test_a_secret_in_the_status_url_is_not_kept(
    sandbox: Sandbox, export_of: MakeExport, jobs: JobStore, queried: str
) -> None:
    with pytest.raises(Stopped):
        export_of(progress=stop).run(ExportPlan(types=("Goal",)))
    (job_id,) = jobs.states()
    stored = jobs.load(job_id)
    assert stored is not None
    assert queried not in json.dumps(stored.document)
    assert export_of().run(ExportPlan(types=("Goal",))).counts == {"Goal": 5}
    assert sandbox.bulk.kickoffs == 2


def test_with_keys_it_is_kept_and_the_job_goes_on(
    sandbox: Sandbox, export_of: MakeExport, tmp_path: Path, queried: str
) -> None:
    store = JobStore(f"sqlite:///{tmp_path}/sealed.db", keys=[Fernet.generate_key().decode()])
    with pytest.raises(Stopped):
        export_of(progress=stop, jobs=store).run(ExportPlan(types=("Goal",)))
    assert queried.encode() not in (tmp_path / "sealed.db").read_bytes()
    outcome = export_of(jobs=store).run(ExportPlan(types=("Goal",)))
    assert outcome.resumed
    assert outcome.status_url == "Export/{id}"
    assert sandbox.bulk.kickoffs == 1
    store.close()
