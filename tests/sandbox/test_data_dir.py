"""Serving a folder of FHIR files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector.sandbox import Sandbox
from tests.sandbox.apps import App, system_token


def _write(path: Path, *documents: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(document) for document in documents), encoding="utf-8")


def _patient(key: str, family: str = "Example") -> dict[str, Any]:
    return {"resourceType": "Patient", "id": key, "name": [{"family": family}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _write(tmp_path / "one.json", _patient("p1"))
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"resource": _patient("p2")},
            {"resource": {"resourceType": "Media", "id": "m1", "status": "completed"}},
            {"request": {"method": "DELETE", "url": "Patient/p9"}},
        ],
    }
    _write(tmp_path / "deep" / "er" / "bundle.json", bundle)
    practitioner = {
        "resourceType": "Practitioner",
        "id": "d1",
        "identifier": [{"system": "urn:npi", "value": "1"}],
    }
    encounter = {
        "resourceType": "Encounter",
        "id": "e1",
        "subject": {"reference": "Patient/p1"},
        "participant": [{"individual": {"reference": "Practitioner?identifier=urn:npi|1"}}],
    }
    _write(tmp_path / "many.ndjson", practitioner, encounter)
    _write(tmp_path / "package.json", {"name": "not a resource"})
    _write(tmp_path / "list.json", ["neither", "is", "this"])
    (tmp_path / "notes.txt").write_text("{ not even read")
    return tmp_path


def test_every_kind_of_file_is_loaded(folder: Path) -> None:
    with Sandbox(data=folder) as sandbox:
        found = {name: set(resources) for name, resources in sandbox.resources.items()}
        assert found == {
            "Patient": {"p1", "p2"},
            "Media": {"m1"},
            "Practitioner": {"d1"},
            "Encounter": {"e1"},
        }
        assert sandbox.data_problems == []
        app, token = App(sandbox), system_token(sandbox)
        by_practitioner = app.get("Encounter", token, {"practitioner": "d1"}).json()
        assert by_practitioner["total"] == 1
        assert app.get("Goal", token).json()["total"] == 0


def test_what_cannot_be_used_is_reported_and_not_fatal(folder: Path) -> None:
    (folder / "broken.json").write_text('{"resourceType": "Patient", "name": "Secret Person"')
    (folder / "half.ndjson").write_text(json.dumps(_patient("p7")) + "\n\n{oops Secret Person\n")
    (folder / "latin.json").write_bytes(b'{"resourceType": "Patient", "id": "\xe9"}')
    _write(folder / "nameless.json", {"resourceType": "Goal"})
    _write(folder / "z-again.json", _patient("p1", family="Latest"))

    sandbox = Sandbox(data=str(folder))

    problems = {problem.file: problem.reason for problem in sandbox.data_problems}
    assert set(problems) == {
        *("broken.json", "half.ndjson", "latin.json", "nameless.json", "z-again.json")
    }
    assert "line 3" in problems["half.ndjson"]
    assert "without an id" in problems["nameless.json"]
    assert "Secret" not in str(sandbox.data_problems)
    assert "p7" in sandbox.resources["Patient"]
    assert sandbox.resources["Patient"]["p1"]["name"][0]["family"] == "Latest"


def test_a_malformed_element_hides_no_other_record(folder: Path) -> None:
    odd = {
        "resourceType": "Encounter",
        "id": "odd",
        "period": {"start": 20260310},
        "type": [{"coding": ["not a coding", {"code": 7}]}],
        "subject": {"reference": 12},
    }
    good = {
        "resourceType": "Encounter",
        "id": "good",
        "period": {"start": "2026-03-10"},
        "type": [{"coding": [{"code": "x"}]}],
        "subject": {"reference": "Patient/p2"},
    }
    _write(folder / "odd.ndjson", odd, good)
    with Sandbox(data=folder) as sandbox:
        app, token = App(sandbox), system_token(sandbox)
        for params in ({"date": "ge2026"}, {"type": "x"}, {"patient": "p2"}):
            bundle = app.get("Encounter", token, params).json()
            assert [entry["resource"]["id"] for entry in bundle["entry"]] == ["good"]


def test_people_of_the_data_can_log_in(folder: Path) -> None:
    with Sandbox(data=folder) as sandbox:
        roles = [(user["role"], user["patient"]) for user in sandbox.users]
        assert roles == [("provider", None), ("patient", "p2"), ("patient", "p1")]
        token = App(sandbox).connect("openid fhirUser patient/Patient.read", "patient")
        assert token["patient"] == "p2"


def test_data_without_people_still_has_its_provider(tmp_path: Path) -> None:
    _write(tmp_path / "goal.json", {"resourceType": "Goal", "id": "g1"})
    with Sandbox(data=tmp_path) as sandbox:
        assert [user["username"] for user in sandbox.users] == ["provider"]
        app = App(sandbox)
        token = app.connect("openid fhirUser user/Goal.read")["access_token"]
        assert app.get("Goal/g1", token).status_code == 200


def test_a_missing_folder_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="There is no folder"):
        Sandbox(data=tmp_path / "nowhere")
