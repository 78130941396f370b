"""Each example runs as a person would run it, and prints what the practice really holds."""

from __future__ import annotations

import json
import runpy
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from practicefusion_connector.cli.authorization import authorize
from practicefusion_connector.connection import Connection
from practicefusion_connector.registry import shipped
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.stores import ConnectionRecord, Sealer, open_store
from practicefusion_connector.testing.person import approve

EXAMPLES = Path(__file__).parents[2] / "examples"

Example = Callable[..., str]


@pytest.fixture
def example(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Example]:
    """Runs an example in this process and returns what it printed."""

    def run(name: str, *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        monkeypatch.syspath_prepend(str(EXAMPLES))
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    yield run
    sys.modules.pop("_practice", None)


def test_every_example_is_tested_here() -> None:
    names = {path.name for path in EXAMPLES.glob("[!_]*.py")}
    tested = Path(__file__).read_text()
    assert names
    assert all(f'"{name}"' in tested for name in names)


def test_patient_intake_enrichment(example: Example) -> None:
    told = json.loads(example("patient_intake_enrichment.py"))
    assert told["match"] == "one"
    on_file = told["on_file"]
    assert on_file["birth_date"] == told["form"]["birthdate"]
    assert told["form"]["family"] in on_file["name"]
    for section in ("allergies", "problems", "medications", "immunizations"):
        assert on_file[section]
        assert all(all(entry.values()) for entry in on_file[section])


def test_an_intake_form_that_fits_nobody_is_left_alone(example: Example) -> None:
    told = json.loads(example("patient_intake_enrichment.py", "--family", "Nobody"))
    assert told == {"form": {"family": "Nobody"}, "match": "none", "on_file": None}
    several = json.loads(example("patient_intake_enrichment.py", "--birthdate", "ge1900"))
    assert (several["match"], several["on_file"]) == ("several", None)


def test_clinical_summary(example: Example) -> None:
    told = example("clinical_summary.py")
    title, *sections = told.split("\n\n")
    assert ", born " in title
    read = {section.split("\n")[0]: section.split("\n")[1:] for section in sections}
    assert list(read) == [
        "Problems", "Allergies", "Medications", "Vital signs", "Results", "Goals", "Care plan",
        "Care team",
    ]  # fmt: skip
    assert all(line.startswith("  - ") for lines in read.values() for line in lines if line)
    assert any("Blood pressure" in line for line in read["Vital signs"])
    days = [line[4:14] for line in read["Vital signs"] if line[4:5].isdigit()]
    assert days == sorted(days, reverse=True)


def test_encounter_documentation(example: Example) -> None:
    told = example("encounter_documentation.py", "--visits", "2")
    visits = [line for line in told.splitlines() if not line.startswith(" ")]
    assert len(visits) == 2
    assert visits == sorted(visits, reverse=True)
    for title in ("Diagnoses: ", "Notes: "):
        assert f"  {title}" in told


def test_directory_sync(example: Example, tmp_path: Path) -> None:
    told = example("directory_sync.py", "--directory", str(tmp_path / "directory.sqlite"))
    with closing(sqlite3.connect(tmp_path / "directory.sqlite")) as directory:
        entries = directory.execute("SELECT kind, name, npi, address FROM directory").fetchall()
        marks = directory.execute("SELECT action FROM watermark ORDER BY action").fetchall()
    for kind in ("Organization", "Practitioner"):
        of_kind = [entry for entry in entries if entry[0] == kind]
        assert f"{kind}: {len(of_kind)} added, 0 changed, 0 unchanged\n" in told
        assert any(all(entry) for entry in of_kind)
    assert marks == [("search_organizations",), ("search_practitioners",)]


def test_a_second_directory_sync_reads_only_what_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    script = runpy.run_path(str(EXAMPLES / "directory_sync.py"))
    sys.modules.pop("_practice", None)
    with (
        script["practice"](None) as pf,
        closing(sqlite3.connect(":memory:")) as directory,
    ):
        directory.executescript(script["SCHEMA"])
        first = script["sync"](pf, directory, "search_practitioners")
        directory.execute("UPDATE watermark SET read_at = '2000-01-01T00:00:00+00:00'")
        directory.execute("UPDATE directory SET phone = 'old' WHERE rowid = 1")
        second = script["sync"](pf, directory, "search_practitioners")
        directory.execute("UPDATE watermark SET read_at = '2999-01-01T00:00:00+00:00'")
        third = script["sync"](pf, directory, "search_practitioners")
        (olds,) = directory.execute("SELECT count(*) FROM directory WHERE phone = 'old'").fetchone()
    assert first["added"] > 1
    assert second == {"added": 0, "changed": 1, "unchanged": first["added"] - 1}
    assert third == {"added": 0, "changed": 0, "unchanged": 0}
    assert olds == 0


def test_an_example_runs_as_a_script() -> None:
    ended = subprocess.run(
        [sys.executable, str(EXAMPLES / "clinical_summary.py")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "\nProblems\n  - " in ended.stdout
    assert ended.stderr == ""


def test_portal_invitation(example: Example) -> None:
    lines = example("portal_invitation.py").splitlines()
    found, invited = (int(part.split()[0]) for part in lines[-1].rstrip(".").split(", "))
    assert found == invited > 0
    assert len([line for line in lines if line.endswith(": accepted.")]) == invited


def test_an_example_runs_with_a_stored_connection(
    example: Example, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = Fernet.generate_key().decode()
    monkeypatch.setenv("PRACTICEFUSION_STORE", tmp_path.as_uri())
    monkeypatch.setenv("PRACTICEFUSION_STORE_KEY", key)
    with (
        Sandbox(patients=2) as sandbox,
        closing(open_store(tmp_path.as_uri(), Sealer(key))) as kept,
    ):
        connection = Connection.of(
            id="clinic",
            fhir_base_url=sandbox.fhir_base_url,
            client_id=sandbox.public_client_id,
            redirect_uri="http://127.0.0.1/callback",
        )
        grant = authorize(
            connection, shipped(), lambda url: approve(url, "provider", "provider-password")
        )
        kept.save(ConnectionRecord(connection=connection, tokens=grant.tokens), expected=None)
        patient = list(sandbox.resources["Patient"].values())[1]
        told = example("clinical_summary.py", "--connection", "clinic", "--patient", patient["id"])
    assert f"born {patient['birthDate']}" in told
