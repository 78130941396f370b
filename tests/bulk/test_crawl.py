"""What a crawl finds is what an export gives, and it goes on where it was stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from werkzeug.wrappers import Request, Response

from practicefusion_connector import errors
from practicefusion_connector.bulk import Export, ExportPlan, JobStore, Progress
from practicefusion_connector.bulk.crawl import MARGIN
from practicefusion_connector.registry import shipped
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.smart.scopes import scopes_for
from practicefusion_connector.transport import Transport
from tests.bulk.conftest import QUICK, MakeExport, backend, managed
from tests.bulk.reading import left_over, resources, served

CRAWL = ExportPlan(mode="crawl")


def test_a_crawl_finds_what_an_export_gives(
    sandbox: Sandbox, export_of: MakeExport, folder: Path
) -> None:
    crawled = export_of(folder / "crawl").run(CRAWL)
    exported = export_of(folder / "export").run(ExportPlan(mode="export"))
    assert resources(crawled.files) == resources(exported.files) == served(sandbox)
    assert crawled.counts == exported.counts
    assert [(file.path.name, file.bytes) for file in crawled.files] == [
        (file.path.name, file.bytes) for file in exported.files
    ]
    assert (crawled.mode, crawled.deleted, crawled.status_url) == ("crawl", [], None)
    assert [warning.code for warning in crawled.warnings] == ["deletions_unknown"]
    assert left_over(folder) == []


def test_its_moment_is_the_server_s_and_early(export_of: MakeExport) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    outcome = export_of().run(ExportPlan(mode="crawl", types=("Goal",)))
    moment = datetime.fromisoformat(outcome.transaction_time)
    assert began - MARGIN - timedelta(seconds=1) <= moment <= began - MARGIN + timedelta(minutes=1)


def test_a_server_without_a_clock_cannot_be_crawled(
    sandbox: Sandbox, wire: Transport, export_of: MakeExport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "practicefusion_connector.sandbox.http_server.KeepAliveHandler.date_time_string",
        lambda self: "no time",
    )
    with pytest.raises(errors.InvalidResponse, match="what time it is"):
        export_of().run(CRAWL)


@pytest.mark.parametrize("ignored", [frozenset(), frozenset({"_lastUpdated"})])
def test_only_what_changed_since(
    sandbox: Sandbox, export_of: MakeExport, ignored: frozenset[str]
) -> None:
    since = sandbox.bulk.now()
    patient, goal = next(iter(sandbox.resources["Patient"])), next(iter(sandbox.resources["Goal"]))
    sandbox.bulk.update("Patient", patient, active=False)
    sandbox.bulk.update("Goal", goal, description={"text": "Walk."})
    sandbox.behaviour.ignored_parameters = ignored
    outcome = export_of().run(ExportPlan(mode="crawl", since=since, types=("Patient", "Goal")))
    assert set(resources(outcome.files)) == {("Patient", patient), ("Goal", goal)}
    codes = {warning.code for warning in outcome.warnings}
    assert ("parameter_ignored" in codes) is bool(ignored)


def test_a_server_that_ignores_the_patient_is_not_crawled(
    sandbox: Sandbox, export_of: MakeExport
) -> None:
    sandbox.behaviour.ignored_parameters = frozenset({"patient"})
    with pytest.raises(errors.Rejected, match="cannot be crawled"):
        export_of().run(ExportPlan(mode="crawl", types=("Goal",)))


def test_filters_narrow_a_crawl(sandbox: Sandbox, export_of: MakeExport) -> None:
    plan = ExportPlan(
        mode="crawl",
        types=("Observation",),
        type_filter=("Observation?category=laboratory", "Observation?category=social-history"),
    )
    found = resources(export_of().run(plan).files)
    categories = {
        coding["code"]
        for resource in found.values()
        for category in resource["category"]
        for coding in category["coding"]
    }
    assert {"laboratory", "social-history"} <= categories
    assert "vital-signs" not in categories


def test_a_group_is_crawled_by_its_members(
    sandbox: Sandbox, wire: Transport, jobs: JobStore, folder: Path
) -> None:
    members = list(sandbox.resources["Patient"])[1:3]
    group = sandbox.bulk.add_group(members)
    scopes = (*scopes_for(shipped().core(), "system"), "system/Group.rs")
    connection = backend(sandbox, scopes=scopes)
    export = Export(
        connection, managed(connection, wire), folder, jobs, transport=wire, patience=QUICK
    )
    outcome = export.run(
        ExportPlan(scope=f"group:{group}", mode="crawl", types=("Patient", "Encounter"))
    )
    found = resources(outcome.files)
    assert {name for kind, name in found if kind == "Patient"} == set(members)
    assert any(kind == "Encounter" for kind, _ in found)


def test_types_the_grant_does_not_cover_are_told(
    sandbox: Sandbox, wire: Transport, jobs: JobStore, folder: Path
) -> None:
    connection = backend(sandbox, scopes="system/Patient.rs system/Goal.rs")
    export = Export(connection, managed(connection, wire), folder, jobs, transport=wire)
    outcome = export.run(
        ExportPlan(mode="crawl", types=("Patient", "Goal", "Encounter", "Location"))
    )
    assert set(outcome.counts) == {"Patient", "Goal"}
    told = {warning.code: warning.message for warning in outcome.warnings}
    assert "Encounter" in told["type_refused"]
    assert "Location" in told["type_not_crawled"]


@pytest.mark.parametrize("status", [400, 403, 405, 422])
def test_what_is_refused_for_one_patient_is_had_of_the_others(
    sandbox: Sandbox, export_of: MakeExport, status: int
) -> None:
    hidden = next(iter(sandbox.resources["Patient"]))

    def refuse(request: Request) -> Response | None:
        return Response(status=status) if request.args.get("patient") == hidden else None

    sandbox.behaviour.before_request = refuse
    outcome = export_of().run(ExportPlan(mode="crawl", types=("Goal", "CarePlan", "Provenance")))
    assert outcome.counts["Goal"] == 4
    assert "records_refused" in {warning.code for warning in outcome.warnings}
    assert set(outcome.lacking) == {"Goal", "CarePlan", "Provenance"}
    # Whatever the server says of one patient, the others' Provenance still comes along.
    assert outcome.counts["Provenance"] > 0
    assert outcome.left_out == []


def test_patients_listed_twice_or_without_an_id(sandbox: Sandbox, export_of: MakeExport) -> None:
    first, second, *_ = sandbox.resources["Patient"].values()
    page = [first, second, first, {"resourceType": "Patient"}, {**first, "id": "a b"}]
    entries = [{"resource": each} for each in page]

    def listing(request: Request) -> Response | None:
        if set(request.args) != {"_count"} or not request.path.endswith("/Patient"):
            return None
        bundle = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
        return Response(json.dumps(bundle), mimetype="application/fhir+json")

    sandbox.behaviour.before_request = listing
    outcome = export_of().run(ExportPlan(mode="crawl", types=("Patient", "Goal")))
    assert outcome.counts == {"Patient": 2, "Goal": 2}
    assert "patient_left_out" in {warning.code for warning in outcome.warnings}


def test_a_server_without_revinclude(sandbox: Sandbox, export_of: MakeExport) -> None:
    def refuse(request: Request) -> Response | None:
        return Response(status=400) if "_revinclude" in request.args else None

    sandbox.behaviour.before_request = refuse
    outcome = export_of().run(ExportPlan(mode="crawl", types=("Goal", "Provenance")))
    assert outcome.counts == {"Goal": 5}
    assert "parameter_left_out" in {warning.code for warning in outcome.warnings}


def test_a_server_that_ignores_revinclude(sandbox: Sandbox, export_of: MakeExport) -> None:
    sandbox.behaviour.ignored_parameters = frozenset({"_revinclude"})
    outcome = export_of().run(ExportPlan(mode="crawl", types=("Goal", "Provenance")))
    assert (outcome.counts, outcome.left_out) == ({"Goal": 5}, ["Provenance"])
    assert "parameter_ignored" in {warning.code for warning in outcome.warnings}


@pytest.mark.parametrize("named", [True, False])
def test_a_server_without_last_updated(
    sandbox: Sandbox, export_of: MakeExport, named: bool
) -> None:
    since = sandbox.bulk.now()
    goal = next(iter(sandbox.resources["Goal"]))
    sandbox.bulk.update("Goal", goal, description={"text": "Walk."})
    said = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "_lastUpdated"}]}

    def refuse(request: Request) -> Response | None:
        if "_lastUpdated" not in request.args:
            return None
        return Response(json.dumps(said) if named else "", 400)

    sandbox.behaviour.before_request = refuse
    plan = ExportPlan(mode="crawl", since=since, types=("Goal", "Provenance"))
    outcome = export_of().run(plan)
    assert {name for kind, name in resources(outcome.files) if kind == "Goal"} == {goal}
    # Where the server does not say which it is, what may be lost is told.
    assert outcome.left_out == ([] if named else ["Provenance"])
    told = [each.message for each in outcome.warnings if each.code == "parameter_left_out"]
    assert [("_lastUpdated" in each) for each in told] == ([True] if named else [False, True])


Gaps = Callable[[Sequence[object]], dict[str, object]]
GAPS: dict[str, Gaps] = {
    "entry_without_resource": lambda entries: {"entry": [*entries, {"fullUrl": "urn:x"}]},
    "total_mismatch": lambda entries: {"entry": entries, "total": len(entries) + 2},
}


@pytest.mark.parametrize("code", GAPS)
@pytest.mark.parametrize(("path", "lacking"), [("Goal", ["Goal"]), ("Patient", ["Device", "Goal"])])
def test_what_a_search_does_not_give_is_known_to_be_missing(
    sandbox: Sandbox, export_of: MakeExport, code: str, path: str, lacking: list[str]
) -> None:
    def answer(request: Request) -> Response | None:
        if not request.path.endswith(f"/{path}"):
            return None
        found = [
            {"resource": each}
            for each in sandbox.resources[path].values()
            if request.args.get("patient", "") in json.dumps(each)
        ]
        bundle = {"resourceType": "Bundle", "type": "searchset", **GAPS[code](found)}
        return Response(json.dumps(bundle), mimetype="application/fhir+json")

    sandbox.behaviour.before_request = answer
    outcome = export_of().run(ExportPlan(mode="crawl", types=("Goal", "Device")))
    assert outcome.counts["Goal"] == 5
    assert outcome.lacking == lacking
    assert [each.code for each in outcome.warnings].count(code) == 1


def test_patients_that_could_not_be_listed_are_missing_after_a_kill_too(
    sandbox: Sandbox, export_of: MakeExport
) -> None:
    patients = [{"resource": each} for each in sandbox.resources["Patient"].values()]
    bundle = {"resourceType": "Bundle", "type": "searchset", **GAPS["total_mismatch"](patients)}
    killed: list[str] = []

    def answer(request: Request) -> Response | None:
        if request.path.endswith("/Goal") and not killed:
            killed.append(request.path)
            return Response(status=501)
        listing = request.path.endswith("/Patient")
        return Response(json.dumps(bundle), mimetype="text/json") if listing else None

    sandbox.behaviour.before_request = answer
    plan = ExportPlan(mode="crawl", types=("Goal",))
    with pytest.raises(errors.UpstreamUnavailable):
        export_of().run(plan)
    outcome = export_of().run(plan)
    assert (outcome.resumed, outcome.lacking) == (True, ["Goal"])
    assert "total_mismatch" in {warning.code for warning in outcome.warnings}


MEMBERS = {
    "a version": [{"entity": {"reference": "Patient/a/_history/2"}}],
    "an address": [{"entity": {"reference": "https://fhir.example.com/Patient/a"}}],
    "a member twice": [{"entity": {"reference": "Patient/a"}}] * 2,
    "one who has left": [
        {"entity": {"reference": "Patient/a"}},
        {"entity": {"reference": "Patient/b"}, "inactive": True},
        {"entity": {"reference": "Practitioner/c"}},
    ],
}
UNREADABLE: dict[str, list[object]] = {
    "an identifier": [{"entity": {"identifier": {"value": "7"}}}],
    "another name": [{"entity": {"reference": "urn:uuid:7"}}],
    "no object": ["Patient/b", {"entity": "Patient/b"}],
    "nobody": [],
}


@pytest.mark.parametrize("members", [*MEMBERS, *UNREADABLE])
def test_members_of_a_group_are_read_or_told(
    sandbox: Sandbox, export_of: MakeExport, members: str
) -> None:
    listed = MEMBERS.get(members) or UNREADABLE[members]
    group = {"resourceType": "Group", "id": "g", "type": "person", "member": listed}

    def answer(request: Request) -> Response | None:
        known = request.path.endswith("/Group/g")
        return Response(json.dumps(group), mimetype="application/fhir+json") if known else None

    sandbox.behaviour.before_request = answer
    plan = ExportPlan(scope="group:g", mode="crawl", types=("Goal", "Practitioner"))
    outcome = export_of().run(plan)
    asked = [each.query for each in sandbox.requests if each.path.endswith("/Goal")]
    assert len(asked) == (1 if members in MEMBERS else 0)
    assert outcome.lacking == ([] if members in MEMBERS else ["Goal"])


def searched(sandbox: Sandbox) -> int:
    return sum(each.path.endswith("/Goal") for each in sandbox.requests)


def test_a_crawl_goes_on_where_it_was_stopped(
    sandbox: Sandbox, export_of: MakeExport, folder: Path
) -> None:
    plan = ExportPlan(mode="crawl", types=("Patient", "Goal"))

    class Stopped(Exception):
        pass

    def stop(told: Progress) -> None:
        if told.stage == "crawling" and told.count >= 3:
            raise Stopped

    with pytest.raises(Stopped):
        export_of(progress=stop, concurrency=1).run(plan)
    # What a killed run wrote behind the last entry in the ledger does not count.
    with (folder / "Goal.000.ndjson.part").open("ab") as part:
        part.write(b'{"resourceType": "Goal", "id": "half')
    before = searched(sandbox)
    outcome = export_of().run(plan)
    assert outcome.resumed
    assert (before, searched(sandbox)) == (3, 5)
    assert set(resources(outcome.files)) == {
        key for key in served(sandbox) if key[0] in ("Patient", "Goal")
    }


def test_a_crawl_whose_files_are_gone_begins_anew(
    sandbox: Sandbox, export_of: MakeExport, folder: Path
) -> None:
    plan = ExportPlan(mode="crawl", types=("Patient", "Goal"))

    def stop(told: Progress) -> None:
        if told.stage == "crawling":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_of(progress=stop, concurrency=1).run(plan)
    (folder / "Goal.000.ndjson.part").unlink()
    assert export_of().run(plan).counts == {"Patient": 5, "Goal": 5}


def test_a_file_that_was_settled_before_the_kill_is_settled_once(
    sandbox: Sandbox, export_of: MakeExport, folder: Path, jobs: JobStore
) -> None:
    plan = ExportPlan(mode="crawl", types=("Goal", "Patient"))

    def stop(told: Progress) -> None:
        if told.stage == "checked" and told.resource_type == "Goal":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_of(progress=stop, concurrency=1).run(plan)
    # As if the process had died between the move of the file and the entry in the ledger.
    (job_id,) = jobs.states()
    stored = jobs.load(job_id)
    assert stored is not None
    part = jobs.parts(job_id)["Goal.000.ndjson"]
    jobs.save_part(job_id, "Goal.000.ndjson", {**part, "state": "coming"}, version=stored.version)
    aside = folder / "quarantine" / "Goal.000.ndjson"
    aside.parent.mkdir()
    aside.write_text('{"file": "Goal.000.ndjson", "line": 1, "reason": "is not JSON"}\n')
    outcome = export_of().run(plan)
    assert outcome.counts == {"Patient": 5, "Goal": 5}
    assert outcome.quarantined == 1


def test_a_crawl_can_be_cancelled(sandbox: Sandbox, export_of: MakeExport, folder: Path) -> None:
    cancel = Event()

    def stop(told: Progress) -> None:
        cancel.set()

    with pytest.raises(errors.Cancelled):
        export_of(progress=stop, concurrency=1).run(CRAWL, cancel=cancel)
    assert [path.name for path in folder.iterdir()] == [".lock"]


def test_crawled_resources_are_checked_too(sandbox: Sandbox, export_of: MakeExport) -> None:
    goal = next(iter(sandbox.resources["Goal"]))
    sandbox.bulk.update("Goal", goal, lifecycleStatus="wishful")
    outcome = export_of(validation="quarantine").run(ExportPlan(mode="crawl", types=("Goal",)))
    assert (outcome.quarantined, outcome.counts) == (1, {"Goal": 4})
    assert outcome.findings[0].path == "Goal.lifecycleStatus"
