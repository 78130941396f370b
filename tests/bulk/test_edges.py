"""Small things that must not go wrong: circles, odd tokens, other moments, foreign rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from practicefusion_connector import errors
from practicefusion_connector.bulk import (
    ExportPlan,
    JobStore,
    Progress,
    exact,
    quarantined,
    read_deletions,
)
from practicefusion_connector.bulk.checking import check
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.smart.provider import HostTokens
from tests.bulk.conftest import MakeExport
from tests.bulk.reading import resources, served

GOALS = ExportPlan(types=("Goal",))


def manifest(sandbox: Sandbox, **more: object) -> None:
    """Let every look at a status give a manifest of no files."""
    body = {"transactionTime": "2026-06-30T12:00:00Z", "output": [], **more}

    def answer(request: Request) -> Response | None:
        at_status = "/Export/" in request.path and request.method == "GET"
        return Response(json.dumps(body), mimetype="application/json") if at_status else None

    sandbox.behaviour.before_request = answer


def test_an_export_of_nothing_is_one(sandbox: Sandbox, export_of: MakeExport) -> None:
    manifest(sandbox)
    outcome = export_of().run(GOALS)
    assert (outcome.files, outcome.counts, outcome.complete) == ([], {}, True)
    assert outcome.transaction_time == "2026-06-30T12:00:00Z"


def test_parts_of_a_manifest_that_go_round(sandbox: Sandbox, export_of: MakeExport) -> None:
    manifest(sandbox, link=[{"relation": "next", "url": f"{sandbox.fhir_base_url}/Export/2"}])
    with pytest.raises(errors.InvalidResponse, match="circle"):
        export_of().run(GOALS)


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak"])
def test_a_token_that_cannot_be_sent(export_of: MakeExport, token: str) -> None:
    with pytest.raises(errors.InvalidConfig) as caught:
        export_of(tokens=HostTokens(lambda: token)).run(GOALS)
    assert not token or token not in str(caught.value)


def test_an_open_server_is_asked_without_a_token(sandbox: Sandbox, export_of: MakeExport) -> None:
    class Nothing:
        def access_token(self, run: object, *, rejected: str | None = None) -> None:
            return None

    with pytest.raises(errors.ReauthRequired, match="connect first"):
        export_of(tokens=Nothing()).run(GOALS)


def test_a_job_that_tells_of_another_moment_is_taken_anew(
    sandbox: Sandbox, export_of: MakeExport
) -> None:
    class Stopped(Exception):
        pass

    def stop(told: Progress) -> None:
        if told.stage == "checked":
            raise Stopped

    with pytest.raises(Stopped):
        export_of(progress=stop, concurrency=1).run(ExportPlan())
    (job,) = sandbox.bulk.jobs.values()
    job.transaction_time = "2030-01-01T00:00:00.000Z"
    outcome = export_of().run(ExportPlan())
    assert resources(outcome.files) == served(sandbox)
    assert outcome.transaction_time == job.transaction_time


def test_a_job_of_another_version_is_told(
    sandbox: Sandbox, export_of: MakeExport, jobs: JobStore
) -> None:
    export = export_of()
    jobs.save(export.job_id(GOALS), {"novel": 1}, state="novel", expected=None)
    with pytest.raises(errors.InvalidConfig, match="another version"):
        export.run(GOALS)
    export.release(GOALS)
    assert export.run(GOALS).complete


def test_deletions_are_read_off_any_kind_of_url(tmp_path: Path) -> None:
    urls = ["Patient/1", "https://fhir.example.com/r4/Goal/g-2", "Patient?identifier=x", ""]
    urls += ["Goal/under_score", f"Goal/{'x' * 70}/"]
    entries: list[object] = [{"request": {"method": "DELETE", "url": url}} for url in urls]
    entries += [{"request": {"method": "PUT", "url": "Patient/9"}}, {"request": None}, "entry"]
    lines = [{"resourceType": "Bundle", "entry": entries}, {"resourceType": "Bundle"}, []]
    path = tmp_path / "deleted.000.ndjson"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert list(read_deletions(path)) == [
        ("Patient", "1"),
        ("Goal", "g-2"),
        ("Goal", "under_score"),
        ("Goal", "x" * 70),
    ]


def test_entries_that_name_no_deletion_are_put_aside_and_the_others_stand(tmp_path: Path) -> None:
    def entry(method: object, url: object) -> dict[str, object]:
        return {"request": {"method": method, "url": url}}

    unreadable: list[object] = [
        entry("DELETE", "Patient?identifier=x"),
        entry("DELETE", f"Patient/{'x' * 129}"),
        entry("DELETE", "Patient/no id"),
        entry("DELETE", None),
        entry("delete", "Patient/3"),
        entry(["DELETE"], "Patient/4"),
        {"request": None},
        {},
        "entry",
    ]
    others = [entry("DELETE", "Patient/1"), entry("PUT", "Patient/9"), entry("DELETE", "Goal/2")]
    documents: list[object] = [
        {"resourceType": "Bundle", "entry": [*others, *unreadable]},
        {"resourceType": "Bundle"},
        {"resourceType": "Patient", "id": "p"},
        {"resourceType": "Bundle", "entry": {}},
        {"resourceType": "Bundle", "entry": [entry("DELETE", "Goal/5")]},
    ]
    name = "deleted.000.ndjson"
    part, final, aside = tmp_path / "part", tmp_path / name, tmp_path / "quarantine" / name
    part.write_text("".join(json.dumps(each) + "\n" for each in documents))
    done = check(part, final, aside, "Bundle", validation="none", longest=10_000, deletions=True)
    assert list(read_deletions(final)) == [("Patient", "1"), ("Goal", "2"), ("Goal", "5")]
    entries = list(quarantined(aside))
    assert {each["reason"] for each in entries} == {"names no deletion"}
    found = [(each["line"], json.loads(each["raw"])) for each in entries]
    assert found == [*((1, each) for each in unreadable), (3, documents[2]), (4, {})]
    assert (done.aside, done.given, done.documents) == (11, 5, 5)


def test_bundles_that_were_asked_for_are_no_deletions(tmp_path: Path) -> None:
    name = "Bundle.000.ndjson"
    part, aside = tmp_path / "part", tmp_path / "quarantine" / name
    part.write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": {}}]}) + "\n")
    done = check(part, tmp_path / name, aside, "Bundle", validation="none", longest=10_000)
    assert (done.kept, done.aside) == (1, 0)


def test_text_that_looks_like_a_number_stays_text() -> None:
    raw = b'{"a":"1.50","b":1.50,"c":"number-1:1.50","d":1e-7}'
    assert exact.write(exact.read(raw)) == raw


def test_a_document_in_pieces_that_is_too_long(tmp_path: Path) -> None:
    long = {"resourceType": "Patient", "id": "a", "text": {"div": "x" * 3000}}
    part = tmp_path / "P.part"
    part.write_text(json.dumps([long], indent=1))
    final, aside = tmp_path / "P.ndjson", tmp_path / "quarantine" / "P.ndjson"
    done = check(part, final, aside, "Patient", validation="none", longest=1000)
    assert done.kept == 0
    assert done.aside >= 1
    assert "x" * 3000 in (aside.parent / "P.ndjson.original").read_text()
