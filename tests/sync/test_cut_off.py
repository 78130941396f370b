"""Runs that were cut off, and what became of them: gone on with, or given up with their exports."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event

import pytest

from practicefusion_connector import errors
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.settings import policy
from practicefusion_connector.stores import MemoryStore
from practicefusion_connector.sync import (
    BulkSource,
    DuckDBTarget,
    FolderSource,
    State,
    Sync,
    SyncPlan,
    SyncProgress,
)
from practicefusion_connector.sync.building import built
from practicefusion_connector.sync.config import read_settings
from tests.sync.conftest import Opened
from tests.sync.data import Resource, write
from tests.sync.practice import QUICK, served, source_of
from tests.sync.tables import in_duckdb

TYPES = ("Condition", "Encounter", "Patient")


def fetching(told: SyncProgress) -> bool:
    return told.stage == "exporting" and bool(told.export.file)


def applying(told: SyncProgress) -> bool:
    return told.stage == "applying" and told.lines > 0


def cut_off(sync: Sync, when: Callable[[SyncProgress], bool]) -> None:
    """Run a sync and stop it at a moment."""
    stop = Event()

    def watched(told: SyncProgress) -> None:
        if when(told):
            stop.set()

    sync = Sync(sync.source, sync.target, sync.state, sync.plan, progress=watched)
    with pytest.raises(errors.Cancelled):
        sync.run(stop)


def exports(folder: Path) -> list[Path]:
    return sorted((folder / "exports").iterdir())


@pytest.mark.parametrize("moment", [fetching, applying])
@pytest.mark.parametrize(
    "changed", [{"mode": "crawl"}, {"type_filter": ("Condition?clinical-status=active",)}]
)
def test_other_settings_of_the_source_export_anew(
    sandbox: Sandbox,
    state: State,
    target: DuckDBTarget,
    tmp_path: Path,
    moment: Callable[[SyncProgress], bool],
    changed: dict[str, object],
) -> None:
    plan = SyncPlan(types=TYPES)
    with source_of(sandbox, tmp_path) as source:
        cut_off(Sync(source, target, state, plan), moment)
    with source_of(sandbox, tmp_path, **changed) as source:
        Sync(source, target, state, plan).run()
    there = served(sandbox, TYPES)
    narrowed = "type_filter" in changed
    kept = {
        key
        for key, each in there.items()
        if not (narrowed and key[0] == "Condition")
        or each["clinicalStatus"]["coding"][0]["code"] == "active"
    }
    arrived = {key for key, _ in in_duckdb(tmp_path / "clinic.duckdb")}
    assert kept <= arrived <= set(there)
    assert exports(tmp_path) == [], "what was given up is left"
    assert not sandbox.bulk.jobs, "a job was left at the server"


def test_two_targets_that_share_a_folder_leave_each_other_s_exports(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    source = {
        "fhir_base_url": sandbox.fhir_base_url,
        "client_id": sandbox.backend_client_id,
        "client_secret": sandbox.backend_client_secret,
        "types": TYPES,
    }

    def opened(to: str) -> AbstractContextManager[Sync]:
        given = {"source": source, "target": {"to": to}, "sync": {"folder": tmp_path / "sync"}}
        settings = read_settings(None, {}, given)
        return built(
            settings, settings.plan(), policy_for=policy, open_store=MemoryStore, patience=QUICK
        )

    one, other = f"duckdb:{tmp_path}/one.duckdb", f"duckdb:{tmp_path}/other.duckdb"
    with opened(one) as sync:
        cut_off(sync, applying)
    with opened(other) as sync:
        assert not sync.run().resumed
    with opened(one) as sync:
        assert sync.run().resumed
    for name in ("one", "other"):
        assert dict(in_duckdb(tmp_path / f"{name}.duckdb")) == served(sandbox, TYPES)
    assert [path for path in (tmp_path / "sync" / "exports").rglob("*") if path.is_file()] == []


def test_a_sync_s_folder_may_move(sandbox: Sandbox, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    plan, target = SyncPlan(types=TYPES), DuckDBTarget(tmp_path / "clinic.duckdb")
    for folder in (here, there):
        state = State(f"sqlite:///{folder}/state.db", "clinic")
        with source_of(sandbox, folder) as source:
            sync = Sync(source, target, state, plan)
            if folder == here:
                cut_off(sync, applying)
            else:
                sync.run()
        state.close()
        if folder == here:
            here.rename(there)
    assert dict(in_duckdb(tmp_path / "clinic.duckdb")) == served(sandbox, TYPES)
    assert exports(there) == []


def test_what_narrows_a_type_is_part_of_what_was_synced(
    sandbox: Sandbox, state: State, target: DuckDBTarget, tmp_path: Path
) -> None:
    plan = SyncPlan(types=TYPES)
    active = "Condition?clinical-status=active"
    first_patient = f"Patient?_id={next(iter(sandbox.resources['Patient']))}"
    for filters, since in (
        ((active,), {None}),
        ((active,), {"since"}),
        ((), {None, "since"}),
        ((first_patient,), {None, "since"}),
        ((first_patient, active), {None, "since"}),
    ):
        with source_of(sandbox, tmp_path, type_filter=filters) as source:
            sync = Sync(source, target, state, plan)
            with state.lock(), sync.opened():
                run, _ = sync.begin()
            parts = run.document.parts
            assert {part.asked_since and "since" for part in parts} == since
            sync.run()
    held = state._database.url.database
    assert first_patient.encode() not in Path(str(held)).read_bytes(), "a search is PHI"


def test_a_filter_of_a_type_that_is_not_synced_is_refused(
    sandbox: Sandbox, state: State, target: DuckDBTarget, tmp_path: Path
) -> None:
    refused = pytest.raises(errors.InvalidInput, match="type_filter narrows Goal")
    with source_of(sandbox, tmp_path, type_filter=("Goal?x=y",)) as source, refused:
        Sync(source, target, state, SyncPlan(types=TYPES)).run()
    assert sandbox.bulk.kickoffs == 0


@pytest.mark.parametrize(
    ("plan", "goes_on"),
    [
        (SyncPlan(types=TYPES), True),
        (SyncPlan(types=TYPES, delete_missing=True), True),
        (SyncPlan(types=TYPES, full=True), False),
        (SyncPlan(types=("Condition", "Patient")), False),
        (SyncPlan(types=(*TYPES, "Observation")), False),
    ],
)
def test_another_wish_is_not_forgotten(
    sandbox: Sandbox,
    source: BulkSource,
    state: State,
    target: DuckDBTarget,
    plan: SyncPlan,
    goes_on: bool,
) -> None:
    before = Sync(source, target, state, SyncPlan(types=TYPES))
    before.run()
    patient = next(iter(sandbox.resources["Patient"]))
    sandbox.bulk.update("Patient", patient, language="fr")
    cut_off(before, applying)
    report = Sync(source, target, state, plan).run()
    assert report.resumed is goes_on
    assert report.full is plan.full
    assert set(report.types) >= ({*plan.types} if plan.full else {"Patient"})


def test_a_full_run_that_was_cut_off_is_gone_on_with_by_any_other(
    source: BulkSource, state: State, target: DuckDBTarget
) -> None:
    Sync(source, target, state, SyncPlan(types=TYPES)).run()
    cut_off(Sync(source, target, state, SyncPlan(types=TYPES, full=True)), applying)
    report = Sync(source, target, state, SyncPlan(types=TYPES)).run()
    assert (report.resumed, report.full) == (True, True)


def test_a_file_that_was_replaced_is_read_from_its_beginning(
    people: list[Resource], states: Opened, target: DuckDBTarget, tmp_path: Path
) -> None:
    patients = [each for each in people if each["resourceType"] == "Patient"]
    folder = write(tmp_path / "export", patients)
    target.batch = (1, 1 << 20)
    cut_off(Sync(FolderSource(folder), target, states("one")), applying)
    (file,) = folder.iterdir()
    lines = file.read_text("utf-8").splitlines(keepends=True)
    # The first line changes, and no byte more or less.
    first = json.loads(lines[0])
    first["birthDate"] = "1901" + first["birthDate"][4:]
    other = file.with_name("new")
    other.write_text(json.dumps(first) + "\n" + "".join(lines[1:]), "utf-8")
    assert other.stat().st_size == file.stat().st_size
    other.replace(file)
    report = Sync(FolderSource(folder), target, states("one")).run()
    assert not report.resumed
    arrived = dict(in_duckdb(tmp_path / "clinic.duckdb"))
    assert arrived["Patient", first["id"]] == first


def test_files_are_kept_where_they_are_wanted(
    sandbox: Sandbox, state: State, target: DuckDBTarget, tmp_path: Path
) -> None:
    plan = SyncPlan(types=("Patient",), full=True)
    patient = next(iter(sandbox.resources["Patient"]))
    with source_of(sandbox, tmp_path, keep_files=True) as source:
        for language in ("fr", "de"):
            sandbox.bulk.update("Patient", patient, language=language)
            Sync(source, target, state, plan).run()
    (kept,) = exports(tmp_path)
    languages = {
        resource.get("language")
        for file in sorted(kept.rglob("Patient*.ndjson"))
        for resource in map(json.loads, file.read_text("utf-8").splitlines())
        if resource["id"] == patient
    }
    assert kept.name == "kept"
    assert len(list(kept.iterdir())) == 2
    assert languages == {"fr", "de"}, "an old export was read again"


@pytest.mark.parametrize("how", ["absolute", "versioned", "no member", "identifiers alone"])
def test_a_group_s_members_are_found_however_they_are_named(
    sandbox: Sandbox,
    source: BulkSource,
    state: State,
    target: DuckDBTarget,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    patients = list(sandbox.resources["Patient"])[:2]
    group = sandbox.bulk.add_group(patients[:1])
    given = sandbox.bulk.group

    def named(group_id: str) -> Resource | None:
        found = json.loads(json.dumps(given(group_id)))
        for member in found and found["member"]:
            reference = member["entity"]["reference"]
            member["entity"] = {
                "absolute": {"reference": f"{sandbox.fhir_base_url}/{reference}"},
                "versioned": {"reference": f"{reference}/_history/1"},
                "no member": {},
                "identifiers alone": {"identifier": {"value": "1"}},
            }[how]
        if how == "no member":
            del found["member"]
        return found

    monkeypatch.setattr(sandbox.bulk, "group", named)
    plan = SyncPlan(scopes=(f"group:{group}",), types=("Encounter", "Patient"))
    Sync(source, target, state, plan).run()
    assert state.ledger.members(f"group:{group}") == set(patients[:1])
    sandbox.bulk.add_group(patients, group)
    assert Sync(source, target, state, plan).run().full, "a new member was not noticed"
