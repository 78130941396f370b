"""The committed R4 schemas are what the script derives, and hold what they should."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from fhirpathpy.models import models

from tests.views.places import DATA

ROOT = Path(__file__).parents[2]
R4 = ROOT / "schemas" / "r4"
SOURCE = DATA / "fhir-r4" / "r4-schema-17.json"
SCRIPT = ROOT / "scripts" / "derive_r4_schema.py"


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((R4 / name).read_text(encoding="utf-8"))
    return content


@pytest.mark.skipif(not SOURCE.exists(), reason="HL7's R4 schema is not here")
def test_the_committed_files_are_what_the_script_gives(tmp_path: Path) -> None:
    runpy.run_path(str(SCRIPT))["main"]([str(SOURCE), str(tmp_path)])
    assert {file.name for file in tmp_path.iterdir()} == {file.name for file in R4.iterdir()}
    for file in tmp_path.iterdir():
        assert file.read_bytes() == (R4 / file.name).read_bytes(), file.name


def test_the_script_asks_for_its_source() -> None:
    with pytest.raises(SystemExit, match="SOURCE"):
        runpy.run_path(str(SCRIPT))["main"]([])


def test_the_choice_elements_are_those_of_an_independent_model() -> None:
    """fhirpathpy's R4 model comes from the StructureDefinitions, the table from the JSON Schema."""
    definitions = _read("definitions.json")
    expected: dict[str, dict[str, set[str]]] = {}
    for path, types in models["r4"]["choiceTypePaths"].items():
        owner, _, element = path.rpartition(".")
        name = _as_defined(owner)
        if name in definitions:
            expected.setdefault(name, {})[element] = {f"{element}{each}" for each in types}
    found = {
        name: {element: set(fields) for element, fields in groups.items()}
        for name, groups in _read("choices.json").items()
    }
    assert found == expected


def _as_defined(owner: str) -> str:
    """Return HL7's definition name of a backbone element: `Observation.component` and so on."""
    resource, *rest = owner.split(".")
    return f"{resource}_{rest[-1][0].upper()}{rest[-1][1:]}" if rest else resource


def test_every_reference_leads_somewhere_and_nothing_is_kept_for_nothing() -> None:
    text = (R4 / "definitions.json").read_text(encoding="utf-8")
    definitions = _read("definitions.json")
    parts = text.split('"$ref":"#/definitions/')[1:]
    referenced = {part.split('"', 1)[0] for part in parts}
    resources = {name for name in definitions if '"const":"' + name + '"' in text}
    assert referenced <= set(definitions)
    assert set(definitions) <= referenced | resources
    assert "description" not in {key for each in definitions.values() for key in each}
    assert list(definitions) == sorted(definitions)
