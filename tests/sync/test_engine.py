"""Runs of a sync from a practice's export: what is exported, when watermarks move, what is held."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from practicefusion_connector import errors
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sync import (
    BulkSource,
    DuckDBTarget,
    FolderSource,
    State,
    Sync,
    SyncBusy,
    SyncPlan,
    SyncReport,
)
from practicefusion_connector.sync.replay import replay_quarantine
from tests.sync.conftest import Opened
from tests.sync.data import Resource, write
from tests.sync.practice import served
from tests.sync.tables import in_duckdb

TYPES = ("Condition", "Encounter", "Patient")


def instants(state: State) -> dict[tuple[str, str], str | None]:
    return {(mark.scope, mark.type): mark.instant for mark in state.ledger.watermarks()}


def test_what_changes_and_goes_arrives_with_the_next_run(
    sandbox: Sandbox, source: BulkSource, target: DuckDBTarget, state: State, tmp_path: Path
) -> None:
    sync = Sync(source, target, state)
    first = sync.run()
    there = served(sandbox, source.types())
    assert dict(in_duckdb(tmp_path / "clinic.duckdb")) == there
    assert first.total("created") == len(there)
    assert first.full
    assert set(instants(state).values()) == {first.transaction_times["patient"]}

    assert sync.run().changes == 0
    patient, observation = next(iter(there)), next(k for k in there if k[0] == "Observation")
    sandbox.bulk.update(*patient, language="fr")
    sandbox.bulk.delete(*observation)
    third = sync.run()
    assert (third.full, third.total("read")) == (False, 1)
    assert (third.total("updated"), third.total("deleted")) == (1, 1)
    assert dict(in_duckdb(tmp_path / "clinic.duckdb")) == served(sandbox, source.types())
    assert sandbox.bulk.kickoffs == 3
    assert list((tmp_path / "exports").iterdir()) == [], "files of applied exports are left"


def test_a_new_type_is_exported_in_full_and_alone(
    sandbox: Sandbox, source: BulkSource, target: DuckDBTarget, state: State
) -> None:
    first = Sync(source, target, state, SyncPlan(types=("Patient",))).run()
    second = Sync(source, target, state, SyncPlan(types=("Condition", "Patient"))).run()
    count = len(sandbox.resources["Condition"])
    assert second.types == {"Condition": {"read": count, "created": count}}
    assert str(instants(state)["patient", "Condition"]) > first.transaction_times["patient"]


def test_a_group_with_a_new_member_is_exported_in_full(
    sandbox: Sandbox, source: BulkSource, target: DuckDBTarget, state: State
) -> None:
    patients = list(sandbox.resources["Patient"])
    one, two = sandbox.bulk.add_group(patients[:2]), sandbox.bulk.add_group(patients[2:3])
    plan = SyncPlan(scopes=(f"group:{one}", f"group:{two}"), types=TYPES)
    assert Sync(source, target, state, plan).run().types["Patient"]["created"] == 3
    sandbox.bulk.add_group([*patients[:2], patients[3]], one)
    second = Sync(source, target, state, plan).run()
    assert second.types["Patient"] == {"read": 3, "created": 1, "unchanged": 2}
    assert Sync(source, target, state, plan).run().total("read") == 0


def test_a_new_member_s_other_types_come_in_full_when_they_are_asked_for(
    sandbox: Sandbox, source: BulkSource, target: DuckDBTarget, state: State, tmp_path: Path
) -> None:
    patients = list(sandbox.resources["Patient"])
    group = sandbox.bulk.add_group(patients[:1])
    scope = f"group:{group}"
    whole = SyncPlan(scopes=(scope,), types=TYPES)
    Sync(source, target, state, whole).run()
    sandbox.bulk.add_group(patients[:2], group)
    Sync(source, target, state, SyncPlan(scopes=(scope,), types=("Patient",))).run()
    assert set(instants(state)) == {(scope, "Patient")}
    Sync(source, target, state, whole).run()
    theirs = {f"Patient/{patient}" for patient in patients[:2]}
    conditions = {
        ("Condition", name)
        for name, each in sandbox.resources["Condition"].items()
        if each["subject"]["reference"] in theirs
    }
    arrived = {key for key, _ in in_duckdb(tmp_path / "clinic.duckdb")}
    assert conditions
    assert conditions <= arrived


def test_a_narrower_sync_deletes_nobody_of_the_wider_one(
    sandbox: Sandbox, source: BulkSource, target: DuckDBTarget, state: State
) -> None:
    Sync(source, target, state, SyncPlan(types=TYPES)).run()
    group = sandbox.bulk.add_group(list(sandbox.resources["Patient"])[:1])
    narrow = SyncPlan(scopes=(f"group:{group}",), types=TYPES, delete_missing=True)
    report = Sync(source, target, state, narrow).run()
    assert (report.total("deleted"), report.total("missing")) == (0, 0)
    assert "other_scopes" in {each["code"] for each in report.warnings}
    state.reset()
    assert Sync(source, target, state, narrow).run().total("deleted") > 0


def test_a_line_that_is_nothing_holds_its_type_until_somebody_consents(
    sandbox: Sandbox, source: BulkSource, target: DuckDBTarget, state: State
) -> None:
    sandbox.bulk.inject("Patient", b'{"resourceType": "Patient", "id"')
    held = Sync(source, target, state, SyncPlan(types=TYPES)).run()
    assert held.status == "incomplete"
    assert held.held == ["Patient"]
    assert {kind for (_, kind), at in instants(state).items() if at is None} == {"Patient"}
    again = Sync(source, target, state, SyncPlan(types=TYPES)).run()
    assert again.types == {"Patient": {"read": 4, "unchanged": 4}}
    accepted = Sync(source, target, state, SyncPlan(types=TYPES, accept_quarantine=True)).run()
    assert accepted.status == "done"
    assert None not in instants(state).values()


class Refusing(DuckDBTarget):
    """Refuses one type, until told otherwise."""

    refuse = "Condition"

    def apply(self, resource_type, items):  # type: ignore[no-untyped-def]
        from practicefusion_connector.sync.items import Applied

        if resource_type == self.refuse:
            return [Applied("failed", code="business-rule", http_status=422) for _ in items]
        return super().apply(resource_type, items)


def test_only_the_type_with_refusals_is_held_and_a_replay_moves_it(
    source: BulkSource, state: State, tmp_path: Path
) -> None:
    target = Refusing(tmp_path / "clinic.duckdb")
    sync = Sync(source, target, state, SyncPlan(types=TYPES))
    report = sync.run()
    assert report.held == ["Condition"]
    failed = report.types["Condition"]["failed"]
    assert report.quarantine == {"Condition": {"business-rule": failed}}
    assert {kind for (_, kind), at in instants(state).items() if at is None} == {"Condition"}
    assert replay_quarantine(sync) == {"failed": failed}
    target.refuse = ""
    assert replay_quarantine(sync) == {"created": failed}
    assert state.quarantine.rows() == []
    assert set(instants(state).values()) == {report.transaction_times["patient"]}


def test_an_issue_the_export_reports_holds_its_types(
    sandbox: Sandbox, source: BulkSource, target: DuckDBTarget, state: State
) -> None:
    sandbox.bulk.add_error()
    report = Sync(source, target, state, SyncPlan(types=TYPES)).run()
    assert (report.status, report.problems) == ("incomplete", 1)
    assert report.total("created") > 0


def test_a_replay_moves_no_watermark_of_an_export_that_lacks_something(
    sandbox: Sandbox, source: BulkSource, state: State, tmp_path: Path
) -> None:
    target = Refusing(tmp_path / "clinic.duckdb")
    sandbox.bulk.add_error()
    sync = Sync(source, target, state, SyncPlan(types=TYPES))
    sync.run()
    Sync(source, target, state, SyncPlan(types=("Encounter",))).run()
    target.refuse = ""
    assert replay_quarantine(sync).total() > 0
    assert instants(state)["patient", "Condition"] is None


def test_a_target_that_was_removed_is_filled_again(
    source: BulkSource, state: State, tmp_path: Path
) -> None:
    sync = Sync(source, DuckDBTarget(tmp_path / "clinic.duckdb"), state, SyncPlan(types=TYPES))
    created = sync.run().total("created")
    (tmp_path / "clinic.duckdb").unlink()
    again = sync.run()
    assert (again.full, again.total("created")) == (True, created)


def test_what_a_full_export_has_no_longer_is_reported_and_deleted_only_when_asked(
    people: list[Resource], target: DuckDBTarget, state: State, tmp_path: Path
) -> None:
    folder = write(tmp_path / "export", people)
    Sync(FolderSource(folder), target, state).run()
    left = [each for each in people if each["resourceType"] != "Goal"] + [
        next(each for each in people if each["resourceType"] == "Goal")
    ]
    write(folder, left)
    gone = len(people) - len(left)
    assert Sync(FolderSource(folder), target, state).run().types["Goal"]["missing"] == gone
    asked = SyncPlan(delete_missing=True)
    assert Sync(FolderSource(folder), target, state, asked).run().types["Goal"]["deleted"] == gone
    assert len(in_duckdb(tmp_path / "clinic.duckdb")) == len(left)


def test_a_stopped_sync_goes_on_from_its_line(
    people: list[Resource], states: Opened, tmp_path: Path
) -> None:
    folder, stop = write(tmp_path / "export", people), Event()
    target = DuckDBTarget(tmp_path / "clinic.duckdb")
    target.batch = (10, 1 << 20)

    def stopping(told) -> None:  # type: ignore[no-untyped-def]
        if told.type == "Observation" and told.lines >= 20:
            stop.set()

    with pytest.raises(errors.Cancelled):
        Sync(FolderSource(folder), target, states("one"), progress=stopping).run(stop)
    applied: list[int] = []
    report: SyncReport = Sync(
        FolderSource(folder),
        target,
        states("one"),
        progress=lambda told: applied.append(told.lines) if told.type == "Observation" else None,
    ).run()
    assert report.resumed
    assert applied[0] == 30
    assert report.total("created") == len(people)


def test_a_sync_that_runs_is_not_run_by_another(
    people: list[Resource], target: DuckDBTarget, states: Opened, tmp_path: Path
) -> None:
    folder = write(tmp_path / "export", people)
    with states("one").lock(), pytest.raises(SyncBusy):
        Sync(FolderSource(folder), target, states("one")).run()
    assert Sync(FolderSource(folder), target, states("one")).run().status == "done"


def test_a_reset_exports_all_and_sends_only_what_changed(
    source: BulkSource, target: DuckDBTarget, state: State
) -> None:
    sync = Sync(source, target, state, SyncPlan(types=TYPES))
    created = sync.run().total("created")
    state.reset()
    assert sync.run().total("unchanged") == created
    state.reset(("Patient",), everything=True)
    again = sync.run()
    assert set(again.types) == {"Patient"}
    assert again.total("updated") == again.total("read") > 0


def test_what_goes_before_everything_is_sent_again_is_deleted_all_the_same(
    sandbox: Sandbox, source: BulkSource, target: DuckDBTarget, state: State, tmp_path: Path
) -> None:
    plan = SyncPlan(types=("Goal", "Patient"), delete_missing=True)
    Sync(source, target, state, plan).run()
    sandbox.bulk.delete("Goal", next(iter(sandbox.resources["Goal"])))
    state.reset(everything=True)
    report = Sync(source, target, state, plan).run()
    assert report.total("deleted") == 1
    assert {key for key, _ in in_duckdb(tmp_path / "clinic.duckdb")} == set(
        served(sandbox, plan.types)
    )
