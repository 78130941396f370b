"""Tables: the summary's columns beside the resource, updated by id, whole or not at all."""

from __future__ import annotations

import copy
import stat
from contextlib import closing
from pathlib import Path

import duckdb

from practicefusion_connector.sync import DuckDBTarget, FolderSource, ParquetTarget, State, Sync
from practicefusion_connector.sync.planning import SyncPlan
from tests.sync.data import Resource, write
from tests.sync.tables import in_duckdb, in_parquet


def keyed(people: list[Resource]) -> dict[tuple[str, str], Resource]:
    return {(each["resourceType"], each["id"]): each for each in people}


def test_rows_have_the_summary_beside_the_resource(
    people: list[Resource], state: State, tmp_path: Path
) -> None:
    Sync(
        FolderSource(write(tmp_path / "export", people)),
        DuckDBTarget(tmp_path / "clinic.duckdb"),
        state,
    ).run()
    with closing(duckdb.connect(str(tmp_path / "clinic.duckdb"), read_only=True)) as database:
        found = database.execute(
            """SELECT p.family, p.active, count(o.id), max(o.value_number)
            FROM "Patient" p JOIN "Observation" o ON o.patient_id = p.id GROUP BY ALL"""
        ).fetchall()
        (birth,) = database.execute("SELECT resource->>'birthDate' FROM \"Patient\"").fetchall()[0]
    patients = [each for each in people if each["resourceType"] == "Patient"]
    assert {family for family, *_ in found} == {each["name"][0]["family"] for each in patients}
    assert all(
        isinstance(active, bool) and count > 0 and value > 0 for _, active, count, value in found
    )
    assert birth in {each["birthDate"] for each in patients}


def test_parquet_follows_changes_and_deletions(
    people: list[Resource], state: State, tmp_path: Path
) -> None:
    folder, tables = write(tmp_path / "export", people), tmp_path / "tables"
    sync = Sync(FolderSource(folder), ParquetTarget(tables), state, SyncPlan(delete_missing=True))
    sync.run()
    assert dict(in_parquet(tables)) == keyed(people)
    assert len(in_parquet(tables)) == len(people)
    untouched = (tables / "Encounter.parquet").stat().st_mtime_ns

    changed = copy.deepcopy(people)
    patient = next(each for each in changed if each["resourceType"] == "Patient")
    patient["language"] = "fr"
    changed.remove(next(each for each in changed if each["resourceType"] == "Goal"))
    write(folder, changed)
    report = sync.run()
    assert (report.total("updated"), report.total("deleted")) == (1, 1)
    assert dict(in_parquet(tables)) == keyed(changed)
    assert (tables / "Encounter.parquet").stat().st_mtime_ns == untouched
    assert not list(tables.glob("*.part"))
    assert not list(tables.glob("*.stale"))


def test_a_parquet_table_larger_than_the_memory_is_written(state: State, tmp_path: Path) -> None:
    folder = write(tmp_path / "export", [{"resourceType": "Observation", "id": "first"}])
    tables = tmp_path / "tables"
    Sync(FolderSource(folder), ParquetTarget(tables), state).run()
    with closing(duckdb.connect(str(tables / ".gathered.duckdb"))) as database:
        database.execute(
            """INSERT INTO "Observation" (id, resource)
            SELECT md5(i::VARCHAR), '{"note": "' || repeat(md5(i::VARCHAR), 150) || '"}'
            FROM range(30000) numbers(i)"""
        )
    (tables / "Observation.stale").touch()
    target = ParquetTarget(tables, memory_limit="96MB")
    target.open(state.memory, "000002")
    target.finish(lambda _: None)
    target.close()
    assert len(in_parquet(tables)) == 30001
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tables, *tables.iterdir())}
    assert modes <= {0o700, 0o600}


def test_the_same_resource_twice_is_one_row_the_later_one(state: State, tmp_path: Path) -> None:
    one = {"resourceType": "Patient", "id": "p", "birthDate": "1950-01-01"}
    folder = write(tmp_path / "export", [one, {**one, "birthDate": "1960-01-01"}])
    report = Sync(FolderSource(folder), DuckDBTarget(tmp_path / "t.duckdb"), state).run()
    assert report.types["Patient"] == {"read": 2, "duplicate": 1, "created": 1}
    ((_, row),) = in_duckdb(tmp_path / "t.duckdb")
    assert row["birthDate"] == "1960-01-01"


def test_names_that_are_no_types_reach_no_table(state: State, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "Patient.ndjson").write_text(
        '{"resourceType": "Patient\\"; DROP TABLE \\"Patient", "id": "p"}\n'
        '{"resourceType": "Patient", "id": "../p"}\n'
        '{"resourceType": "Patient", "id": "p"}\n[]\n\n'
    )
    report = Sync(FolderSource(folder), DuckDBTarget(tmp_path / "t.duckdb"), state).run()
    assert report.types["Patient"] == {"read": 4, "created": 1, "failed": 3}
    assert report.quarantine == {"Patient": {"no_type": 1, "no_id": 1, "unparsable": 1}}
    assert [key for key, _ in in_duckdb(tmp_path / "t.duckdb")] == [("Patient", "p")]
