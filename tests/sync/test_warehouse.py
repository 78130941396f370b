"""A warehouse through dlt: real PostgreSQL, upserts by id, deletions applied."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dlt.common.runtime import anon_tracker
from sqlalchemy import Engine, create_engine, text

from practicefusion_connector import errors
from practicefusion_connector.sync import FolderSource, State, Sync, SyncPlan, WarehouseTarget
from practicefusion_connector.sync.targets.warehouse import destination_of
from tests.leaks import everything_said
from tests.sync.data import Resource, write

TYPES = ("Patient", "MedicationRequest")


@pytest.fixture
def database(postgresql_url: str) -> Iterator[Engine]:
    engine = create_engine(postgresql_url)
    yield engine
    engine.dispose()


def rows(database: Engine, dataset: str, table: str) -> dict[str, Any]:
    with database.connect() as connection:
        found = connection.execute(text(f"SELECT id, resource FROM {dataset}.{table}"))
        listed = [(name, json.loads(resource)) for name, resource in found]
    assert len(dict(listed)) == len(listed)
    return dict(listed)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_warehouse_follows_changes_and_deletions(
    people: list[Resource], database: Engine, postgresql_url: str, state: State, tmp_path: Path
) -> None:
    dataset = f"clinic_{uuid.uuid4().hex[:8]}"
    folder = write(tmp_path / "export", [r for r in people if r["resourceType"] in TYPES])
    destination = destination_of(postgresql_url)
    target = WarehouseTarget(destination, dataset, tmp_path / "dlt")
    sync = Sync(FolderSource(folder), target, state, SyncPlan(delete_missing=True))

    def expected(kind: str, source: list[Resource]) -> dict[str, Any]:
        return {each["id"]: each for each in source if each["resourceType"] == kind}

    created = sync.run().total("created")
    assert anon_tracker._ANON_TRACKER_ENDPOINT is None, "dlt would count its users"
    assert rows(database, dataset, "patient") == expected("Patient", people)
    orders = rows(database, dataset, "medication_request")
    assert orders == expected("MedicationRequest", people)
    assert created == len(orders) + len(expected("Patient", people))
    assert sync.run().changes == 0

    changed = [copy.deepcopy(r) for r in people if r["resourceType"] in TYPES]
    changed[0]["language"] = "fr"
    changed.pop()
    write(folder, changed)
    third = sync.run()
    assert (third.total("updated"), third.total("deleted")) == (1, 1)
    for kind, table in (("Patient", "patient"), ("MedicationRequest", "medication_request")):
        assert rows(database, dataset, table) == expected(kind, changed)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_warehouse_that_was_emptied_or_replaced_is_filled_again(
    people: list[Resource], database: Engine, postgresql_url: str, state: State, tmp_path: Path
) -> None:
    first, second = (f"clinic_{uuid.uuid4().hex[:8]}" for _ in range(2))
    patients = [each for each in people if each["resourceType"] == "Patient"]
    folder = write(tmp_path / "export", patients)

    def created(dataset: str) -> int:
        target = WarehouseTarget(destination_of(postgresql_url), dataset, tmp_path / "dlt")
        return Sync(FolderSource(folder), target, state).run().total("created")

    assert (created(first), created(first)) == (len(patients), 0)
    with database.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {first} CASCADE"))
    assert (created(first), created(first)) == (len(patients), 0)
    assert (created(second), created(second)) == (len(patients), 0)
    assert len(rows(database, first, "patient")) == len(rows(database, second, "patient"))


def test_a_warehouse_that_cannot_be_reached_is_told_without_its_address(
    state: State, tmp_path: Path
) -> None:
    away = destination_of("postgresql://somebody:secret@127.0.0.1:1/clinic")
    target = WarehouseTarget(away, "clinic", tmp_path / "dlt")
    folder = write(tmp_path / "export", [{"resourceType": "Patient", "id": "a"}])
    with pytest.raises(errors.UpstreamUnavailable, match="cannot be reached") as caught:
        Sync(FolderSource(folder), target, state).run()
    assert "127.0.0.1" not in everything_said(caught.value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_a_warehouse_refuses_is_told_without_its_words_and_another_name_helps(
    people: list[Resource],
    database: Engine,
    postgresql_url: str,
    state: State,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """They quote the value, which is a patient's record; dlt would log them, too."""
    dataset, views = f"clinic_{uuid.uuid4().hex[:8]}", tmp_path / "views"
    views.mkdir()
    patients = [copy.deepcopy(each) for each in people if each["resourceType"] == "Patient"]

    def run(name: str, kind: str) -> None:
        column = {"name": name, "path": "address.first().line.first()", "type": kind}
        (views / "Patient.json").write_text(json.dumps({"select": [{"column": [column]}]}))
        patients[0]["language"] = f"{name} {kind}"
        folder = write(tmp_path / "export", patients)
        destination = destination_of(postgresql_url)
        target = WarehouseTarget(destination, dataset, tmp_path / "dlt", views=views)
        Sync(FolderSource(folder), target, state).run()

    run("house", "integer")
    with pytest.raises(
        errors.UpstreamUnavailable, match=r"rows of Patient .*another name"
    ) as caught:
        run("house", "string")
    house = patients[0]["address"][0]["line"][0]
    assert house not in everything_said(caught.value) + "".join(capfd.readouterr())
    run("another_name", "string")
    with database.connect() as connection:
        found = connection.execute(text(f"SELECT another_name FROM {dataset}.patient"))
        assert house in found.scalars()
