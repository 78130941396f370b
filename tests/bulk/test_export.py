"""An export of the sandbox from kick-off to clean-up, over real HTTP."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from werkzeug.wrappers import Request, Response

from practicefusion_connector import errors
from practicefusion_connector.bulk import ExportPlan, JobStore, Patience, Progress
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.transport import Transport
from tests.bulk.conftest import QUICK, MakeExport, backend, managed
from tests.bulk.reading import left_over, resources, served


def test_everything_arrives_once_and_as_it_is(
    sandbox: Sandbox, export_of: MakeExport, folder: Path
) -> None:
    outcome = export_of().run(ExportPlan())
    assert resources(outcome.files) == served(sandbox)
    assert outcome.mode == "export"
    assert outcome.complete
    assert not outcome.findings
    assert not outcome.resumed
    assert outcome.counts["Patient"] == 5
    assert outcome.status_url == "Export/{id}"
    assert left_over(folder) == []
    assert sandbox.bulk.jobs == {}, "the job was not deleted at the server"


def test_only_its_owner_can_read_what_was_exported(export_of: MakeExport, folder: Path) -> None:
    export_of().run(ExportPlan(types=("Patient",)))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_types_and_groups(sandbox: Sandbox, export_of: MakeExport, folder: Path) -> None:
    group = sandbox.bulk.group_id
    other = sandbox.bulk.add_group(list(sandbox.resources["Patient"])[1:3])
    plans = ExportPlan.for_groups([group, other], types=("Patient", "Encounter"))
    found = [
        resources(export_of(folder / str(number)).run(plan).files)
        for number, plan in enumerate(plans)
    ]
    assert [len([key for key in each if key[0] == "Patient"]) for each in found] == [5, 2]
    assert {kind for each in found for kind, _ in each} == {"Patient", "Encounter"}
    members = set(sandbox.bulk.members(other) or ())
    assert {
        resource["subject"]["reference"].partition("/")[2]
        for (kind, _), resource in found[1].items()
        if kind == "Encounter"
    } == members


def test_system_level_only_where_it_is_asked_for(sandbox: Sandbox, export_of: MakeExport) -> None:
    sandbox.behaviour.export.levels |= {"system"}
    outcome = export_of().run(ExportPlan(scope="system", types=("Provenance",)))
    assert len(resources(outcome.files)) == len(sandbox.resources["Provenance"])
    paths = [each.path for each in sandbox.requests if each.path.endswith("$export")]
    assert paths == ["/fhir/r4/v1/{practice}/$export"]


def test_changes_and_deletions_since(sandbox: Sandbox, export_of: MakeExport, folder: Path) -> None:
    first = export_of(folder / "1").run(ExportPlan())
    patient, goal = next(iter(sandbox.resources["Patient"])), next(iter(sandbox.resources["Goal"]))
    sandbox.bulk.update("Patient", patient, active=False)
    sandbox.bulk.delete("Goal", goal)
    plan = ExportPlan(since=first.transaction_time)
    second = export_of(folder / "2").run(plan)
    assert set(resources(second.files)) == {("Patient", patient)}
    assert list(second.deletions()) == [("Goal", goal)]
    assert [file.resource_type for file in second.deleted] == ["Bundle"]
    assert second.since == first.transaction_time
    assert second.transaction_time > first.transaction_time


def test_error_files_are_told_by_their_codes_only(sandbox: Sandbox, export_of: MakeExport) -> None:
    sandbox.bulk.add_error("processing", "The record of Ada Shaw failed.")
    sandbox.bulk.add_error("timeout")
    outcome = export_of().run(ExportPlan(types=("Patient",)))
    assert [file.count for file in outcome.errors] == [2]
    assert outcome.issues() == {("error", "processing"): 1, ("error", "timeout"): 1}
    assert "Shaw" not in json.dumps(outcome.to_dict()) + repr(outcome)


def test_waiting_follows_the_server(
    sandbox: Sandbox, export_of: MakeExport, stages: list[Progress]
) -> None:
    sandbox.behaviour.export.polls = 3
    sandbox.behaviour.export.progress = True
    sandbox.behaviour.export.retry_after = "1"
    began = datetime.now(UTC)
    # The server asks for a second each time, and is held to less.
    patience = Patience(first=0.01, shortest=0.01, longest_asked=0.1)
    export_of(progress=stages.append, patience=patience).run(ExportPlan(types=("Patient",)))
    assert [each.percent for each in stages if each.stage == "polling"] == [25.0, 50.0, 75.0]
    assert timedelta(seconds=0.3) <= datetime.now(UTC) - began < timedelta(seconds=5)


def test_the_server_s_wait_is_never_cut_short(sandbox: Sandbox, export_of: MakeExport) -> None:
    sandbox.behaviour.export.retry_after = "1"
    began = datetime.now(UTC)
    export_of().run(ExportPlan(types=("Patient",)))
    assert datetime.now(UTC) - began >= timedelta(seconds=1)


def test_a_token_that_dies_while_waiting_is_replaced(
    sandbox: Sandbox, export_of: MakeExport
) -> None:
    sandbox.behaviour.export.polls = 4
    before = sandbox.tokens.count_access()

    def expire(told: Progress) -> None:
        if told.stage in ("polling", "checked"):
            sandbox.tokens.expire_access()

    outcome = export_of(progress=expire).run(ExportPlan(types=("Patient", "Goal", "Device")))
    assert len(outcome.counts) == 3
    assert sandbox.bulk.kickoffs == 1
    assert sandbox.tokens.count_access() - before >= 5


@pytest.mark.parametrize("status", [404, 500])
def test_a_token_endpoint_that_is_away_leaves_the_job_good(
    sandbox: Sandbox, export_of: MakeExport, jobs: JobStore, status: int
) -> None:
    def away(request: Request) -> Response | None:
        return Response(status=status) if request.path.endswith("/token") else None

    def expire(told: Progress) -> None:
        if told.stage == "polling":
            sandbox.tokens.expire_access()
            sandbox.behaviour.before_request = away

    with pytest.raises(errors.UpstreamUnavailable, match="No access token"):
        export_of(progress=expire).run(ExportPlan(types=("Patient",)))
    assert list(jobs.states().values()) == ["polling"]
    sandbox.behaviour.before_request = None
    assert export_of().run(ExportPlan(types=("Patient",))).resumed
    assert sandbox.bulk.kickoffs == 1


def test_a_status_that_fails_may_pass(sandbox: Sandbox, export_of: MakeExport) -> None:
    sandbox.bulk.faults.fail_status(3)
    sandbox.bulk.faults.limit(2, retry_after=0)
    assert export_of().run(ExportPlan(types=("Patient",))).complete
    assert sandbox.bulk.kickoffs == 1


def test_a_status_that_keeps_failing_ends_the_job(
    sandbox: Sandbox, export_of: MakeExport, jobs: JobStore
) -> None:
    sandbox.bulk.faults.fail_status(QUICK.failures)
    with pytest.raises(errors.UpstreamUnavailable):
        export_of().run(ExportPlan(types=("Patient",)))
    assert list(jobs.states().values()) == ["failed"]
    assert export_of().run(ExportPlan(types=("Patient",))).complete
    assert sandbox.bulk.kickoffs == 2


def test_an_unavailable_server_leaves_the_job_good(
    sandbox: Sandbox, export_of: MakeExport, jobs: JobStore
) -> None:
    sandbox.bulk.faults.fail_status(QUICK.failures, status=503)
    with pytest.raises(errors.UpstreamUnavailable) as caught:
        export_of().run(ExportPlan(types=("Patient",)))
    assert caught.value.retryable
    assert list(jobs.states().values()) == ["polling"]
    assert export_of().run(ExportPlan(types=("Patient",))).resumed
    assert sandbox.bulk.kickoffs == 1


def test_manifests_come_in_parts(sandbox: Sandbox, export_of: MakeExport) -> None:
    sandbox.behaviour.export.manifest_files = 2
    sandbox.behaviour.export.file_resources = 20
    outcome = export_of().run(ExportPlan())
    assert resources(outcome.files) == served(sandbox)
    assert len(outcome.files) > 17


def test_a_token_goes_to_files_that_require_it_and_to_no_others(
    sandbox: Sandbox, export_of: MakeExport, folder: Path
) -> None:
    export_of(folder / "with").run(ExportPlan())
    assert set(sandbox.bulk.authorized_downloads) == {True}
    sandbox.bulk.authorized_downloads.clear()
    sandbox.behaviour.export.requires_access_token = False
    outcome = export_of(folder / "signed").run(ExportPlan())
    assert set(sandbox.bulk.authorized_downloads) == {False}
    assert resources(outcome.files) == served(sandbox)


def test_lapsed_signatures_are_asked_for_anew(sandbox: Sandbox, export_of: MakeExport) -> None:
    sandbox.behaviour.export.requires_access_token = False
    lapsed = Event()

    def lapse(told: Progress) -> None:
        if told.stage == "checked" and not lapsed.is_set():
            lapsed.set()
            sandbox.bulk.lapse_signatures()

    outcome = export_of(progress=lapse, concurrency=1).run(ExportPlan())
    assert resources(outcome.files) == served(sandbox)
    assert sandbox.bulk.kickoffs == 1


def test_a_cancelled_export_leaves_nothing_behind(
    sandbox: Sandbox, export_of: MakeExport, folder: Path, jobs: JobStore
) -> None:
    cancel = Event()

    def stop(told: Progress) -> None:
        if told.stage == "checked":
            cancel.set()

    with pytest.raises(errors.Cancelled):
        export_of(progress=stop, concurrency=1).run(ExportPlan(), cancel=cancel)
    assert sandbox.bulk.jobs == {}, "the server still keeps the job"
    assert [path.name for path in folder.iterdir()] == [".lock"]
    assert list(jobs.states().values()) == ["cancelled"]
    assert export_of().run(ExportPlan(types=("Patient",))).complete


def test_a_finished_export_is_given_again_until_it_is_released(
    sandbox: Sandbox, export_of: MakeExport, folder: Path
) -> None:
    plan = ExportPlan(types=("Patient", "Goal"))
    export = export_of()
    first = export.run(plan)
    again = export.run(plan)
    assert again.resumed
    assert (again.files, again.counts) == (first.files, first.counts)
    assert sandbox.bulk.kickoffs == 1
    export.release(plan, files=True)
    assert [path.name for path in folder.iterdir()] == [".lock"]
    assert not export.run(plan).resumed
    assert sandbox.bulk.kickoffs == 2


def test_a_finished_export_whose_files_are_gone_is_done_anew(
    sandbox: Sandbox, export_of: MakeExport
) -> None:
    plan = ExportPlan(types=("Patient",))
    export_of().run(plan).files[0].path.unlink()
    assert not export_of().run(plan).resumed
    assert sandbox.bulk.kickoffs == 2


def test_a_folder_holds_one_export(export_of: MakeExport) -> None:
    export_of().run(ExportPlan(types=("Patient",)))
    with pytest.raises(errors.InvalidInput, match="holds another export"):
        export_of().run(ExportPlan(types=("Goal",)))


def test_two_runs_do_not_write_to_one_folder(export_of: MakeExport) -> None:
    refused: list[Exception] = []

    def second(told: Progress) -> None:
        if told.stage == "kicked_off":
            with pytest.raises(errors.InvalidInput, match="another export is writing") as caught:
                export_of().run(ExportPlan(types=("Patient",)))
            refused.append(caught.value)

    export_of(progress=second).run(ExportPlan(types=("Patient",)))
    assert refused


def test_who_loses_the_job_stops(export_of: MakeExport, jobs: JobStore) -> None:
    def steal(told: Progress) -> None:
        if told.stage == "kicked_off":
            (job_id,) = jobs.states()
            stored = jobs.load(job_id)
            assert stored is not None
            jobs.save(job_id, stored.document, state="kicked_off", expected=stored.version)

    with pytest.raises(errors.Cancelled, match="Another process"):
        export_of(progress=steal).run(ExportPlan(types=("Patient",)))


def test_only_a_backend_app_may_export(
    sandbox: Sandbox, wire: Transport, jobs: JobStore, folder: Path
) -> None:
    from practicefusion_connector.bulk import Export
    from practicefusion_connector.smart.provider import HostTokens

    connection = backend(sandbox)
    export = Export(connection, HostTokens(lambda: "unknown"), folder, jobs, transport=wire)
    with pytest.raises(errors.AuthExpired) as caught:
        export.run(ExportPlan(mode="export"))
    assert caught.value.connection_id == "bulk"


def test_an_export_opens_and_closes_a_transport_of_its_own(
    sandbox: Sandbox, wire: Transport, jobs: JobStore, folder: Path
) -> None:
    from practicefusion_connector.bulk import Export

    connection = backend(sandbox)
    export = Export(connection, managed(connection, wire), folder, jobs, patience=QUICK)
    assert export.run(ExportPlan(types=("Patient",))).counts == {"Patient": 5}


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"validation": "strictly"}])
def test_wrong_options_are_refused(export_of: MakeExport, options: dict[str, object]) -> None:
    with pytest.raises(errors.InvalidInput):
        export_of(**options)
