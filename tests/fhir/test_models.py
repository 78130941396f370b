"""Typed models on request: good ones beside bad ones, in their order, imported only then."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from practicefusion_connector.fhir.models import typed

PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "1", "birthDate": "1980-01-01"}


def test_each_resource_becomes_its_model() -> None:
    goal = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "walk"},
        "subject": {"reference": "Patient/1"},
    }
    result = typed([PATIENT, goal])
    assert [type(model).__name__ for model in result.models] == ["Patient", "Goal"]
    assert result.models[0].birthDate.isoformat() == "1980-01-01"
    assert result.problems == []


@pytest.mark.parametrize(
    ("bad", "kind", "path"),
    [
        ({"resourceType": "Patient", "birthDate": "canary"}, "Patient", "birthDate"),
        ({"resourceType": "Patient", "canary": 1}, "Patient", "canary"),
        ({"resourceType": "Patient", "name": "canary"}, "Patient", "name"),
        ({"resourceType": "Spaceship"}, "Spaceship", "resourceType"),
        ({"resourceType": "..os"}, "..os", "resourceType"),
        ({"resourceType": ""}, "", "resourceType"),
        ({}, "None", "resourceType"),
    ],
)
def test_one_bad_resource_is_reported_and_hides_none(
    bad: dict[str, Any], kind: str, path: str
) -> None:
    result = typed([PATIENT, bad, PATIENT])
    assert len(result.models) == 2
    (problem,) = result.problems
    assert (problem.position, problem.resource_type) == (1, kind)
    assert any(path in found for found in problem.paths)
    if path != "canary":
        assert "canary" not in repr(problem)


def test_no_resources_are_no_models() -> None:
    assert typed([]) == ([], [])


def test_the_models_are_imported_only_when_asked_for() -> None:
    program = (
        "import sys\n"
        "import practicefusion_connector.fhir.models as m\n"
        "assert not [n for n in sys.modules if n.split('.')[0] == 'fhir']\n"
        "assert len(m.typed([{'resourceType': 'Patient'}]).models) == 1\n"
        "assert 'fhir.resources.R4B.patient' in sys.modules\n"
        "assert 'fhir.resources.R4B.goal' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
