"""Deletions that an export names in a way nobody can read: they are told, and the others done."""

from __future__ import annotations

import json
from typing import Any

import pytest

from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sync import BulkSource, DuckDBTarget, State, Sync, SyncPlan

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
