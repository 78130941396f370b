"""`practicefusion demo --sync`: what a newcomer sees, and the commands, from outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from practicefusion_connector.cli.sync import sync
from practicefusion_connector.cli.sync_demo import run_sync_demo, worked
from practicefusion_connector.cli.sync_demo_target import Held, compared, reader_of
from practicefusion_connector.errors import InvalidInput
from tests.sync.data import REAL, Resource, population, read, write


def test_the_demo_shows_a_sync_that_works() -> None:
    found = run_sync_demo(patients=3)
    assert found["source"] == found["target"] > 100
    assert (found["dangling"], found["duplicates"], found["second_run_changes"]) == (0, 0, 0)
    assert found["third_run"] == {"updated": 1, "deleted": 1}
    assert worked(found)
    assert not worked({**found, "dangling": 1})
    assert not worked({**found, "target": 1})


def test_the_demo_into_a_fhir_server(fhir_url: str) -> None:
    found = run_sync_demo(patients=2, to=fhir_url)
    assert worked(found), found


def test_the_demo_notices_what_is_wrong_on_a_server(fhir_url: str) -> None:
    run_sync_demo(patients=2, to=fhir_url)
    source = list(population(2))
    reader = reader_of(fhir_url)
    kept = reader.held(["Condition", "Patient"])
    assert reader.dangling(source, [each for each in kept if "Patient/" not in each.name]) > 0
    patients = [each for each in source if each["resourceType"] == "Patient"]
    twice = compared(patients, _Fixed([*kept, kept[0]]), ["Patient"])
    assert (twice["duplicates"], twice["dangling"]) == (1, 0)


def test_the_demo_reads_back_what_it_can() -> None:
    with pytest.raises(InvalidInput, match="duckdb:FILE"):
        run_sync_demo(to="parquet:tables")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ([], "holds no Patient"),
        ([{"resourceType": "Patient", "id": "a"}], "holds no such record"),
        ([{"resourceType": "Goal", "id": "a"}], "holds no Patient"),
    ],
)
def test_data_that_holds_nothing_to_change_is_told(
    data: list[Resource], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "data", data)
    (tmp_path / "data" / "broken.ndjson").write_text("nothing\n")
    with pytest.raises(InvalidInput, match=told):
        run_sync_demo(tmp_path / "data")
    assert capsys.readouterr().err == "Parts of the data left out: 1.\n"


@pytest.mark.soak
@pytest.mark.skipif(not REAL.is_dir(), reason="the data of ten patients is not here")
def test_the_demo_with_real_data() -> None:
    found = run_sync_demo(REAL)
    assert worked(found), found
    assert found["source"] == len(list(read(REAL)))


class _Fixed:
    def __init__(self, held: list[Held]) -> None:
        self._held = held

    def held(self, types: object) -> list[Held]:
        return self._held

    def dangling(self, source: object, held: object) -> int:
        return 0


def invoke(folder: Path, *given: str) -> tuple[int, str]:
    where = ("--from", str(folder / "export"), "--to", f"parquet:{folder / 'tables'}")
    done = CliRunner().invoke(sync, [*given, *where, "--folder", str(folder / "sync")])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


def test_the_commands(people: list[Resource], tmp_path: Path) -> None:
    write(tmp_path / "export", people)
    code, said = invoke(tmp_path, "run", "--json")
    report = json.loads(said)
    assert (code, report["totals"]["created"]) == (0, len(people))
    assert (tmp_path / "sync" / "reports" / "run-000001.html").exists()

    code, said = invoke(tmp_path, "status", "--json")
    status = json.loads(said)
    assert sum(status["types"].values()) == len(people)
    assert status["quarantine"] == {}
    assert status["last"]["status"] == "done"
    assert "Patient" in invoke(tmp_path, "status")[1]

    with (tmp_path / "export" / "Patient.000.ndjson").open("a") as file:
        file.write("nothing\n")
    code, said = invoke(tmp_path, "run")
    assert code == 1
    assert "incomplete" in said
    code, said = invoke(tmp_path, "replay-quarantine", "--json")
    assert (code, json.loads(said)["quarantine"]) == (1, {"Patient": {"unparsable": 1}})
    assert invoke(tmp_path, "reset")[0] == 0
    assert json.loads(invoke(tmp_path, "status", "--json")[1])["watermarks"] == []
