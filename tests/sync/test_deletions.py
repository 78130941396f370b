"""Deletions that an export names in a way nobody can read: they are told, and the others done."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from practicefusion_connector.errors import Cancelled
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sync import (
    BulkSource,
    DuckDBTarget,
    FolderSource,
    ParquetTarget,
    State,
    Sync,
    SyncPlan,
    SyncProgress,
)
from tests.sync.data import Resource, write
from tests.sync.tables import in_parquet

TYPES = ("Condition", "Encounter", "Patient")
PLAN = SyncPlan(types=TYPES)


def test_a_deletion_that_names_nothing_holds_the_run_and_the_others_are_done(
    sandbox: Sandbox,
    source: BulkSource,
    target: DuckDBTarget,
    state: State,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Sync(source, target, state, PLAN).run()
    before = {mark.type: mark.instant for mark in state.ledger.watermarks()}
    unnamed, named = list(sandbox.resources["Condition"])[:2]
    for gone in (unnamed, named):
        sandbox.bulk.delete("Condition", gone)
    start = sandbox.bulk.start

    def odd(*args: Any, **options: Any) -> Any:
        job = start(*args, **options)
        (file,) = [each for each in job.files if each.section == "deleted"]
        bundle = json.loads(file.lines._shared[0])
        (entry,) = [each for each in bundle["entry"] if unnamed in each["request"]["url"]]
        # As long as it was: the manifest has told the sizes.
        entry["request"]["url"] = entry["request"]["url"].replace("Condition/", "Condition?")
        file.lines._shared[0] = json.dumps(bundle, separators=(",", ":")).encode() + b"\n"
        return job

    with monkeypatch.context() as patched:
        patched.setattr(sandbox.bulk, "start", odd)
        report = Sync(source, target, state, PLAN).run()
    assert (report.status, report.held, report.problems) == ("incomplete", sorted(TYPES), 1)
    assert report.total("deleted") == 1
    assert {mark.type: mark.instant for mark in state.ledger.watermarks()} == before
    # The watermark has waited, so the next export names both once more.
    report = Sync(source, target, state, PLAN).run()
    assert (report.status, report.total("deleted")) == ("done", 1)


class Order(DuckDBTarget):
    """Notes the types of what it deletes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.deleted: list[str] = []

    def delete(self, keys: Any) -> Any:
        self.deleted += [key.type for key, _ in keys]
        return super().delete(keys)


def test_what_is_missing_is_deleted_who_refers_first(
    people: list[Resource], state: State, tmp_path: Path
) -> None:
    """A server that minds its references keeps an Encounter that an Observation names."""
    kinds = ("Observation", "Encounter", "Patient")
    target = Order(tmp_path / "clinic.duckdb")
    listed = [each for each in people if each["resourceType"] in kinds]
    folder = write(tmp_path / "export", listed)
    sync = Sync(FolderSource(folder), target, state, SyncPlan(delete_missing=True))
    sync.run()
    for kind in kinds:
        file = folder / f"{kind}.000.ndjson"
        file.write_text(file.read_text().splitlines()[0] + "\n")
    gone = sync.run().total("deleted")
    assert len(target.deleted) == gone
    assert tuple(dict.fromkeys(target.deleted)) == kinds


@pytest.mark.parametrize("stage", ["deleting", "finishing"])
def test_a_run_that_deletes_or_finishes_is_stopped_as_well(
    stage: str, people: list[Resource], state: State, tmp_path: Path
) -> None:
    listed = [each for each in people if each["resourceType"] in ("Goal", "Patient")]
    folder, plan = write(tmp_path / "export", listed), SyncPlan(delete_missing=True)
    target, stop = ParquetTarget(tmp_path / "tables"), Event()
    Sync(FolderSource(folder), target, state, plan).run()
    for kind in ("Goal", "Patient"):
        file = folder / f"{kind}.000.ndjson"
        file.write_text(file.read_text().splitlines()[0] + "\n")

    def told(progress: SyncProgress) -> None:
        if progress.stage == stage:
            stop.set()

    with pytest.raises(Cancelled):
        Sync(FolderSource(folder), target, state, plan, progress=told).run(stop)
    report = Sync(FolderSource(folder), target, state, plan).run()
    assert (report.resumed, report.status) == (True, "done")
    assert len(in_parquet(tmp_path / "tables")) == 2
