"""Tables: the summary's columns beside the resource, updated by id, whole or not at all."""

from __future__ import annotations

import copy
import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from practicefusion_connector import errors
from practicefusion_connector.sync import DuckDBTarget, FolderSource, ParquetTarget, State, Sync
from practicefusion_connector.sync.items import read_item
from practicefusion_connector.sync.planning import SyncPlan
from practicefusion_connector.sync.targets.rows import Rows
from tests.leaks import everything_said
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
    target.open(state.memory)
    target.finish(2, lambda _: None)
    target.close()
    assert len(in_parquet(tables)) == 30001
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tables, *tables.iterdir())}
    assert modes <= {0o700, 0o600}


def view(folder: Path, *columns: tuple[str, str, str]) -> Path:
    """Declare the columns of a user's own view of patients: name, path and type of each."""
    folder.mkdir(exist_ok=True)
    listed = [{"name": name, "path": path, "type": kind} for name, path, kind in columns]
    (folder / "Patient.json").write_text(json.dumps({"select": [{"column": listed}]}))
    return folder


def cells(folder: Path, kind: str, names: str) -> list[Any]:
    """Return columns of the patients' table, ordered by id."""
    with closing(duckdb.connect()) as database:
        table = f"read_parquet('{folder}/Patient.parquet')"
        if kind == "duckdb":
            database.execute(f"ATTACH '{folder}/t.duckdb' AS t (READ_ONLY)")
            table = 't."Patient"'
        found: list[Any] = database.execute(f"SELECT {names} FROM {table} ORDER BY id").fetchall()
        return found


def tables(folder: Path, kind: str, views: Path | None = None) -> DuckDBTarget:
    if kind == "parquet":
        return ParquetTarget(folder, views=views)
    return DuckDBTarget(folder / "t.duckdb", views=views)


LINE = "address.first().line.first()"


@pytest.mark.parametrize("kind", ["duckdb", "parquet"])
def test_a_table_follows_its_view_for_all_that_it_holds(
    kind: str, people: list[Resource], state: State, tmp_path: Path
) -> None:
    """The type of a column changed, one added, one left out, one filled by another path."""
    people = copy.deepcopy(people)
    source, place = FolderSource(write(tmp_path / "export", people)), tmp_path / "tables"
    patients = sorted(
        (each for each in people if each["resourceType"] == "Patient"), key=lambda each: each["id"]
    )
    views = view(
        tmp_path / "views",
        ("house", LINE, "integer"),
        ("gone", "id", "string"),
        ("when", "id", "string"),
    )
    Sync(source, tables(place, kind, views), state).run()
    assert cells(place, kind, "house, gone") == [(None, each["id"]) for each in patients]

    # One of them is sent again; the others are not.
    patients[0]["language"] = "fr"
    write(tmp_path / "export", people)
    view(
        views,
        ("house", LINE, "string"),
        ("names", "name.family", "string"),
        ("when", "birthDate", "date"),
    )
    report = Sync(source, tables(place, kind, views), state).run()
    assert (report.total("updated"), report.total("created")) == (1, 0)
    wanted = [
        (each["address"][0]["line"][0], each["name"][0]["family"], each["birthDate"])
        for each in patients
    ]
    assert cells(place, kind, 'house, names, "when"') == wanted
    with pytest.raises(duckdb.BinderException):
        cells(place, kind, "gone")

    # Where nothing is sent again, tables follow all the same.
    view(views, ("house", "address.first().city", "string"))
    assert Sync(source, tables(place, kind, views), state).run().total("updated") == 0
    assert cells(place, kind, "house") == [(each["address"][0]["city"],) for each in patients]
    held = in_duckdb(place / "t.duckdb") if kind == "duckdb" else in_parquet(place)
    assert dict(held) == keyed(people)


def test_a_table_that_is_cut_off_while_it_is_filled_anew_stays_as_it_was(
    people: list[Resource], state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = FolderSource(write(tmp_path / "export", people))
    Sync(source, tables(tmp_path, "duckdb"), state).run()
    views = view(tmp_path / "views", ("house", LINE, "string"))
    with monkeypatch.context() as patched:
        patched.setattr(DuckDBTarget, "batch", (1, 1))
        patched.setattr(Rows, "kept", cut_off(Rows.kept, after=2))
        with pytest.raises(KeyboardInterrupt):
            Sync(source, tables(tmp_path, "duckdb", views), state).run()
    assert dict(in_duckdb(tmp_path / "t.duckdb")) == keyed(people)
    Sync(source, tables(tmp_path, "duckdb", views), state).run()
    assert dict(in_duckdb(tmp_path / "t.duckdb")) == keyed(people)
    assert all(house for (house,) in cells(tmp_path, "duckdb", "house"))


def cut_off(call: Callable[..., Any], after: int) -> Callable[..., Any]:
    calls = 0

    def cut(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > after:
            raise KeyboardInterrupt
        return call(*args)

    return cut


def test_columns_that_are_one_to_a_table_are_named(
    people: list[Resource], state: State, tmp_path: Path
) -> None:
    source = FolderSource(write(tmp_path / "export", people))
    views = view(tmp_path / "views", ("Id", "id", "string"))
    with pytest.raises(errors.InvalidConfig, match=r'The view of Patient.*"id" and "Id".*rename'):
        Sync(source, tables(tmp_path, "duckdb", views), state).run()


def test_what_duckdb_refuses_is_told_without_its_words(
    people: list[Resource], state: State, tmp_path: Path
) -> None:
    """They quote the value, which is a patient's record."""
    folder = write(tmp_path / "export", people)
    target = tables(tmp_path, "duckdb")
    Sync(FolderSource(folder), target, state).run()
    with closing(duckdb.connect(str(tmp_path / "t.duckdb"))) as database:
        database.execute('CREATE UNIQUE INDEX by_hand ON "Patient" (family)')
    patient = next(each for each in people if each["resourceType"] == "Patient")
    write(folder, [*people, {**patient, "id": "another"}])
    with pytest.raises(errors.UpstreamUnavailable) as caught:
        Sync(FolderSource(folder), target, state).run()
    assert "(ConstraintException)" in str(caught.value)
    assert patient["name"][0]["family"] not in "".join(everything_said(caught.value))
    with closing(duckdb.connect(str(tmp_path / "t.duckdb"))) as database:
        database.execute("DROP INDEX by_hand")
    Sync(FolderSource(folder), target, state).run()
    assert len(in_duckdb(tmp_path / "t.duckdb")) == len(people) + 1


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_umask")
@pytest.mark.parametrize("linked", [False, True])
def test_what_lies_beside_a_duckdb_file_is_open_to_no_more_than_the_file(
    linked: bool, people: list[Resource], state: State, tmp_path: Path
) -> None:
    place, name = tmp_path / "open", "t.duckdb"
    place.mkdir(mode=0o755)
    if linked:
        (tmp_path / name).symlink_to(place / name)
    target = DuckDBTarget((tmp_path if linked else place) / name)

    def rights() -> dict[str, int]:
        return {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()}

    items = [
        read_item(1, json.dumps(each).encode())
        for each in people
        if each["resourceType"] == "Patient"
    ]
    target.open(state.memory)
    target.apply("Patient", items)
    owner_s_alone = {name: 0o600, f"{name}.wal": 0o600, f"{name}.tmp": 0o700}
    assert rights() == owner_s_alone
    # Its log is made anew after each checkpoint.
    target.finish(1, lambda _: None)
    assert rights() == {name: 0o600, f"{name}.tmp": 0o700}
    target.apply("Patient", items)
    assert rights() == owner_s_alone
    target.close()
    assert rights() == {name: 0o600}
    (place / name).chmod(0o640)
    target.open(state.memory)
    target.delete([(item.key, None) for item in items])
    assert rights()[f"{name}.wal"] == 0o640
    target.close()


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
