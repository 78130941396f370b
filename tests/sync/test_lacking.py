"""What an export lacks: the watermark waits, nothing is deleted for it, and nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from practicefusion_connector import errors
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sync import (
    BulkSource,
    DuckDBTarget,
    FolderSource,
    FolderTarget,
    State,
    Sync,
    SyncPlan,
)
from practicefusion_connector.sync.items import Applied, Item
from practicefusion_connector.sync.replay import replay_quarantine
from tests.sync.data import Resource, write
from tests.sync.practice import source_of
from tests.sync.tables import in_duckdb

TYPES = ("Condition", "Encounter", "Patient")
PLAN = SyncPlan(types=TYPES)


def marked(state: State) -> dict[str, str | None]:
    return {mark.type: mark.instant for mark in state.ledger.watermarks()}


def kinds(path: Path) -> set[str]:
    return {kind for (kind, _), _ in in_duckdb(path)}


def test_lines_an_export_puts_aside_are_kept_and_hold_their_type_alone(
    sandbox: Sandbox, source: BulkSource, target: DuckDBTarget, state: State, tmp_path: Path
) -> None:
    line = b'{"resourceType": "Patient", "id"'
    sandbox.bulk.inject("Patient", line)
    report = Sync(source, target, state, PLAN).run()
    assert (report.status, report.held) == ("incomplete", ["Patient"])
    assert report.quarantine == {"Patient": {"unparsable": 1}}
    assert list((tmp_path / "exports").iterdir()) == []
    (kept,) = state.quarantine.rows()
    assert (kept.file, kept.line, kept.body) == ("Patient.000.ndjson", 1, line)
    assert marked(state)["Condition"] is not None
    again = Sync(source, target, state, PLAN).run()
    assert again.quarantine == {"Patient": {"unparsable": 1}}, "the same line is kept once"


def test_what_breaks_the_rules_waits_as_a_resource_and_can_be_sent_all_the_same(
    sandbox: Sandbox, target: DuckDBTarget, state: State, tmp_path: Path
) -> None:
    wrong = b'{"resourceType": "Patient", "id": "w", "gender": "xyz", "multipleBirthInteger": 1}'
    sandbox.bulk.inject("Patient", wrong)
    with source_of(sandbox, tmp_path, validation="quarantine") as source:
        sync = Sync(source, target, state, PLAN)
        assert sync.run().quarantine == {"Patient": {"invalid": 1}}
        assert replay_quarantine(sync) == {"created": 1}
    assert ("Patient", "w") in dict(in_duckdb(tmp_path / "clinic.duckdb"))
    assert None not in marked(state).values()


def test_a_line_too_long_to_copy_stays_in_its_file(
    sandbox: Sandbox, target: DuckDBTarget, state: State, tmp_path: Path
) -> None:
    long = b'{"resourceType": "Patient", "id": "x", "language": "' + b"y" * 300_000 + b'"}'
    sandbox.bulk.inject("Patient", long)
    with source_of(sandbox, tmp_path, max_body_bytes=200_000) as source:
        report = Sync(source, target, state, PLAN).run()
    assert report.held == ["Patient"]
    (kept,) = (tmp_path / "exports" / "quarantine").iterdir()
    assert long in kept.read_bytes()


def test_a_file_shorter_than_its_count_holds_its_type_and_deletes_nothing(
    sandbox: Sandbox, source: BulkSource, state: State, tmp_path: Path, monkeypatch: Any
) -> None:
    target = DuckDBTarget(tmp_path / "clinic.duckdb")
    Sync(source, target, state, PLAN).run()
    gone = next(iter(sandbox.resources["Condition"]))
    start = sandbox.bulk.start

    def short(*args: Any, **options: Any) -> Any:
        job = start(*args, **options)
        manifest = job.manifest

        def inflated(*asked: Any) -> Any:
            told = manifest(*asked)
            next(each for each in told["output"] if each["type"] == "Condition")["count"] += 1
            return told

        job.manifest = inflated  # type: ignore[method-assign]
        return job

    monkeypatch.setattr(sandbox.bulk, "start", short)
    del sandbox.resources["Condition"][gone]
    plan = SyncPlan(types=TYPES, full=True, delete_missing=True)
    report = Sync(source, target, state, plan).run()
    assert (report.status, report.held, report.total("deleted")) == ("incomplete", ["Condition"], 0)
    assert {each["code"] for each in report.warnings} == {"count_mismatch"}


def test_deletions_nobody_can_read_hold_everything(
    sandbox: Sandbox, source: BulkSource, target: DuckDBTarget, state: State, monkeypatch: Any
) -> None:
    Sync(source, target, state, PLAN).run()
    sandbox.bulk.delete("Condition", next(iter(sandbox.resources["Condition"])))
    start = sandbox.bulk.start

    def broken(*args: Any, **options: Any) -> Any:
        job = start(*args, **options)
        (file,) = [each for each in job.files if each.section == "deleted"]
        file.lines._shared[0] = b"x" * (len(file.lines._shared[0]) - 1) + b"\n"
        return job

    monkeypatch.setattr(sandbox.bulk, "start", broken)
    report = Sync(source, target, state, PLAN).run()
    assert (report.status, report.held) == ("incomplete", sorted(TYPES))
    monkeypatch.undo()
    assert Sync(source, target, state, PLAN).run().total("deleted") == 1


def crawled(sandbox: Sandbox, folder: Path, *kinds: str) -> Any:
    scopes = tuple(f"system/{kind}.rs" for kind in kinds)
    return source_of(sandbox, folder, mode="crawl", scopes=scopes)


def test_a_type_a_crawl_may_not_search_is_left_out_until_it_may(
    sandbox: Sandbox, target: DuckDBTarget, state: State, tmp_path: Path
) -> None:
    everything = SyncPlan(types=TYPES, full=True, delete_missing=True)
    with crawled(sandbox, tmp_path, *TYPES) as source:
        Sync(source, target, state, PLAN).run()
    state.reset()
    with crawled(sandbox, tmp_path, "Patient", "Encounter") as source:
        report = Sync(source, target, state, everything).run()
    assert (report.status, report.total("deleted")) == ("done", 0)
    assert "type_refused" in {each["code"] for each in report.warnings}
    assert set(marked(state)) == {"Encounter", "Patient"}
    assert "Condition" in kinds(tmp_path / "clinic.duckdb")
    with crawled(sandbox, tmp_path, *TYPES) as source:
        assert Sync(source, target, state, PLAN).run().types["Condition"]["unchanged"] > 0


def test_a_type_that_is_gone_altogether_is_not_emptied(
    sandbox: Sandbox, source: BulkSource, target: DuckDBTarget, state: State, tmp_path: Path
) -> None:
    Sync(source, target, state, PLAN).run()
    count = len(sandbox.resources["Condition"])
    sandbox.resources["Condition"].clear()
    plan = SyncPlan(types=TYPES, full=True, delete_missing=True)
    report = Sync(source, target, state, plan).run()
    assert report.types["Condition"] == {"missing": count}
    assert "type_absent" in {each["code"] for each in report.warnings}
    assert "Condition" in kinds(tmp_path / "clinic.duckdb")


def test_a_group_that_was_empty_and_has_a_member_is_exported_in_full(
    sandbox: Sandbox, source: BulkSource, target: DuckDBTarget, state: State
) -> None:
    group = sandbox.bulk.add_group([])
    plan = SyncPlan(scopes=(f"group:{group}",), types=TYPES)
    assert "Patient" not in Sync(source, target, state, plan).run().types
    sandbox.bulk.add_group(list(sandbox.resources["Patient"])[:1], group)
    assert Sync(source, target, state, plan).run().types["Patient"]["created"] == 1


def stop_while_polling(
    sandbox: Sandbox, source: BulkSource, target: DuckDBTarget, state: State
) -> None:
    """Begin a run and stop it while the export is under way."""
    sandbox.behaviour.export.polls = 1000
    stop = Event()

    def stopping(told: Any) -> None:
        if getattr(told.export, "stage", "") == "polling":
            stop.set()

    with pytest.raises(errors.Cancelled):
        Sync(source, target, state, PLAN, progress=stopping).run(stop)


def test_a_run_stopped_while_the_export_is_under_way_keeps_the_job(
    sandbox: Sandbox, source: BulkSource, target: DuckDBTarget, state: State
) -> None:
    stop_while_polling(sandbox, source, target, state)
    sandbox.behaviour.export.polls = 0
    report = Sync(source, target, state, PLAN).run()
    assert (report.status, report.resumed) == ("done", True)
    assert sandbox.bulk.kickoffs == 1


def test_what_no_library_takes_is_refused_alone(
    people: list[Resource], state: State, tmp_path: Path
) -> None:
    """Nesting beyond bounds goes to quarantine; a text or a number beyond bounds, to its cell."""
    deep = '{"resourceType": "Patient", "id": "deep", "x": ' + "[" * 400 + "]" * 400 + "}"
    folder = write(tmp_path / "export", people)
    with (folder / "Patient.000.ndjson").open("a", encoding="utf-8") as file:
        file.write(deep + "\n")
        file.write('{"resourceType": "Patient", "id": "nul", "name": [{"family": "a\\u0000b"}]}\n')
    with (folder / "Encounter.000.ndjson").open("a", encoding="utf-8") as file:
        file.write('{"resourceType": "Encounter", "id": "big", "status": 1e300, "class": 7}\n')
    report = Sync(FolderSource(folder), DuckDBTarget(tmp_path / "t.duckdb"), state).run()
    assert report.quarantine == {"Patient": {"too_deep": 1}}
    assert {("Patient", "nul"), ("Encounter", "big")} <= set(dict(in_duckdb(tmp_path / "t.duckdb")))


class Refusing(DuckDBTarget):
    """Refuses one resource, until told otherwise."""

    refuse = ""

    def apply(self, resource_type: str, items: Sequence[Item]) -> list[Applied]:
        done = super().apply(resource_type, [each for each in items if each.key.id != self.refuse])
        answers = iter(done)
        no = Applied("failed", code="business-rule")
        return [no if each.key.id == self.refuse else next(answers) for each in items]


@pytest.mark.parametrize("full", [False, True])
def test_what_is_deleted_at_the_source_before_it_was_taken_waits_no_longer(
    full: bool, sandbox: Sandbox, source: BulkSource, state: State, tmp_path: Path
) -> None:
    target = Refusing(tmp_path / "clinic.duckdb")
    target.refuse = next(iter(sandbox.resources["Condition"]))
    assert Sync(source, target, state, PLAN).run().held == ["Condition"]
    accepted = Sync(source, target, state, SyncPlan(types=TYPES, accept_quarantine=True)).run()
    assert accepted.quarantine == {"Condition": {"business-rule": 1}}
    sandbox.bulk.delete("Condition", target.refuse)
    last = Sync(source, target, state, SyncPlan(types=TYPES, full=full)).run()
    assert (last.status, last.quarantine) == ("done", {})
    assert replay_quarantine(Sync(source, target, state, PLAN)) == {}


def test_a_reset_gives_up_the_run_that_was_cut_off_and_its_export(
    sandbox: Sandbox, source: BulkSource, target: DuckDBTarget, state: State
) -> None:
    stop_while_polling(sandbox, source, target, state)
    (first,) = sandbox.bulk.jobs
    state.reset()
    sandbox.behaviour.export.polls = 0
    report = Sync(source, target, state, PLAN).run()
    assert (report.status, report.resumed, report.full) == ("done", False, True)
    assert first not in sandbox.bulk.jobs
    assert sandbox.bulk.kickoffs == 2


def test_what_two_groups_brought_waits_in_both(
    sandbox: Sandbox, source: BulkSource, state: State, tmp_path: Path
) -> None:
    patients = list(sandbox.resources["Patient"])
    groups = [sandbox.bulk.add_group(some) for some in (patients[:2], patients[1:])]
    plan = SyncPlan(scopes=tuple(f"group:{group}" for group in groups), types=TYPES)
    target = Refusing(tmp_path / "clinic.duckdb")
    target.refuse = patients[1]
    assert Sync(source, target, state, plan).run().quarantine == {"Patient": {"business-rule": 1}}
    waiting = {mark.scope for mark in state.ledger.watermarks() if mark.held}
    assert waiting == set(plan.scopes)
    target.refuse = ""
    assert replay_quarantine(Sync(source, target, state, plan)) == {"created": 1}
    assert not any(mark.held for mark in state.ledger.watermarks())


def test_a_refused_resource_of_a_type_nobody_asked_for_holds_what_it_came_with(
    people: list[Resource], state: State, tmp_path: Path
) -> None:
    folder = write(tmp_path / "export", people)
    with (folder / "Patient.000.ndjson").open("a", encoding="utf-8") as file:
        file.write('{"resourceType": "Device", "id": "stray"}\n')
    target, plan = Refusing(tmp_path / "t.duckdb"), SyncPlan(types=("Condition", "Patient"))
    target.refuse = "stray"
    report = Sync(FolderSource(folder), target, state, plan).run()
    assert report.held == ["Condition", "Patient"]
    assert set(marked(state).values()) == {None}


def test_a_folder_of_files_has_nothing_to_try_again(
    sandbox: Sandbox, source: BulkSource, state: State, tmp_path: Path
) -> None:
    sandbox.bulk.inject("Patient", b"{")
    sync = Sync(source, FolderTarget(tmp_path / "kept"), state, PLAN)
    assert sync.run().held == ["Patient"]
    with pytest.raises(errors.InvalidInput, match="--accept-quarantine"):
        replay_quarantine(sync)
