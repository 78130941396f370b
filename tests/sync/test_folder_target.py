"""A folder gets the files as they were exported, and says when a run's folder is complete."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from practicefusion_connector import errors
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sync import (
    BulkSource,
    FolderSource,
    FolderTarget,
    State,
    Sync,
    SyncPlan,
)
from practicefusion_connector.sync.sources.base import deletions_in
from tests.sync.conftest import Opened
from tests.sync.data import Resource, write


def test_files_are_kept_as_they_are(people: list[Resource], state: State, tmp_path: Path) -> None:
    export = write(tmp_path / "export", people)
    (export / "deleted").mkdir()
    entry = {"request": {"method": "DELETE", "url": "Patient/gone"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    (export / "deleted" / "deleted.000.ndjson").write_text(json.dumps(bundle) + "\n")
    report = Sync(FolderSource(export), FolderTarget(tmp_path / "kept"), state).run()
    run = tmp_path / "kept" / "000001"
    named = json.loads((run / "complete.json").read_text())["files"]
    for name in named:
        original = export / name.removeprefix("patient/")
        assert (run / name).read_bytes() == original.read_bytes()
        assert stat.S_IMODE((run / name).stat().st_mode) == 0o600
    assert len(named) == len(list(export.rglob("*.ndjson")))
    assert report.total("created") == len(people)
    again = Sync(FolderSource(export), FolderTarget(tmp_path / "kept"), state).run()
    assert again.run == 2
    assert (tmp_path / "kept" / "000002" / "complete.json").exists()


def test_a_run_has_one_folder_whatever_comes_between(
    people: list[Resource], states: Opened, tmp_path: Path
) -> None:
    """Another sync's run begins before it, and it is cut off among its files."""
    export = write(tmp_path / "export", people)

    class Between(FolderSource):
        def types(self) -> tuple[str, ...]:
            other = FolderTarget(tmp_path / "other")
            Sync(FolderSource(export), other, states("other")).run()
            return super().types()

    class CutOff(FolderTarget):
        def take(self, run: int, path: Path, name: str) -> None:
            if path.name.startswith("Patient"):
                raise errors.UpstreamUnavailable("cut off")
            super().take(run, path, name)

    with pytest.raises(errors.UpstreamUnavailable):
        Sync(Between(export), CutOff(tmp_path / "kept"), states("one")).run()
    report = Sync(FolderSource(export), FolderTarget(tmp_path / "kept"), states("one")).run()
    (run,) = [path for path in (tmp_path / "kept").iterdir() if path.is_dir()]
    assert (report.resumed, run.name) == (True, f"{report.run:06d}")
    named = json.loads((run / "complete.json").read_text())["files"]
    assert {Path(name).name for name in named} == {path.name for path in export.iterdir()}


def test_the_deletions_of_each_part_are_kept(
    sandbox: Sandbox, source: BulkSource, state: State, tmp_path: Path
) -> None:
    """Types that share no watermark are exported apart, in files of the same names."""
    target, both = FolderTarget(tmp_path / "kept"), ("Observation", "Patient")
    Sync(source, target, state, SyncPlan(types=both)).run()
    Sync(source, target, state, SyncPlan(types=("Observation",))).run()
    gone = {f"{kind}/{next(iter(sandbox.resources[kind]))}" for kind in both}
    for each in gone:
        sandbox.bulk.delete(*each.split("/"))
    report = Sync(source, target, state, SyncPlan(types=both)).run()
    folder = tmp_path / "kept" / f"{report.run:06d}"
    named = json.loads((folder / "complete.json").read_text())["files"]
    assert {"/".join(key) for name in named for key in deletions_in(folder / name)} == gone
