"""The invented population: always the same, whole, and wide enough to test every parameter."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sandbox.population import generate
from practicefusion_connector.sandbox.search import SearchEngine
from practicefusion_connector.sandbox.search.parameters import parameters_of
from practicefusion_connector.sandbox.store import ResourceStore
from tests.sandbox.apps import TYPES, App

PARAMETERS = [(name, parameter) for name in TYPES for parameter in parameters_of(name)]
ELSEWHERE = {"Account", "Appointment", "Endpoint", "EpisodeOfCare", "Specimen"}


def _references(element: Any) -> Iterator[str]:
    if isinstance(element, dict):
        if isinstance(element.get("reference"), str):
            yield element["reference"]
        for value in element.values():
            yield from _references(value)
    elif isinstance(element, list):
        for value in element:
            yield from _references(value)


def test_the_same_seed_gives_the_same_records() -> None:
    first, second = generate(seed=5, patients=2), generate(seed=5, patients=2)
    assert first == second
    assert first[0] is not second[0]
    assert generate(seed=6, patients=2) != first


def test_another_process_in_another_zone_gives_the_same_records() -> None:
    code = (
        "import hashlib, json; from practicefusion_connector.sandbox.population import generate;"
        "print(hashlib.sha256(json.dumps(generate(3, 2)).encode()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"},
        capture_output=True,
        check=True,
        text=True,
    )
    here = hashlib.sha256(json.dumps(generate(3, 2)).encode()).hexdigest()
    assert done.stdout.strip() == here


def test_a_practice_has_at_least_one_patient() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        generate(patients=0)
    assert sum(made["resourceType"] == "Patient" for made in generate(patients=1)) == 1


def test_ids_follow_the_rule(shared: Sandbox) -> None:
    namespace = uuid5(NAMESPACE_URL, "https://sandbox.practicefusion.example")
    for name, resources in shared.resources.items():
        expected = [str(uuid5(namespace, f"{name}/{k}")) for k in range(1, len(resources) + 1)]
        assert list(resources) == expected


def test_the_first_of_every_type_belongs_to_the_first_patient(shared: Sandbox) -> None:
    patient = next(iter(shared.resources["Patient"]))
    for name in set(TYPES) - {"Patient", "Practitioner", "Organization"}:
        first = next(iter(shared.resources[name].values()))
        assert f"Patient/{patient}" in set(_references(first)), name


def test_all_17_types_are_there_for_20_patients(shared: Sandbox) -> None:
    assert set(TYPES) <= set(shared.resources)
    assert len(shared.resources["Patient"]) == 20


def test_references_lead_to_records_that_are_there(shared: Sandbox) -> None:
    for resources in shared.resources.values():
        for resource in resources.values():
            for reference in _references(resource):
                name, _, key = reference.partition("/")
                assert name in ELSEWHERE or key in shared.resources[name], reference


def test_every_record_has_its_meta(shared: Sandbox) -> None:
    updated = set()
    for name in TYPES:
        for resource in shared.resources[name].values():
            updated.add(resource["meta"]["lastUpdated"])
            for profile in resource["meta"].get("profile", ()):
                assert profile.startswith("http://hl7.org/fhir/us/core/StructureDefinition/")
    assert max(updated) <= "2026-06-30T12:00:00Z"
    assert min(updated) < "2025-01-01T00:00:00Z"
    assert len(updated) > 500


def test_records_trip_up_careless_software(shared: Sandbox) -> None:
    patients = list(shared.resources["Patient"].values())
    families = {patient["name"][0]["family"] for patient in patients}
    assert any(not family.isascii() for family in families)
    assert any("'" in family for family in families)
    assert {len(patient["birthDate"]) for patient in patients} == {4, 7, 10}
    encounters = shared.resources["Encounter"].values()
    assert any("period" not in encounter for encounter in encounters)
    immunizations = shared.resources["Immunization"].values()
    assert {made["status"] for made in immunizations} == {"completed", "not-done"}


def test_vital_signs_make_sense(shared: Sandbox) -> None:
    for observation in shared.resources["Observation"].values():
        parts = [part["valueQuantity"]["value"] for part in observation.get("component", ())]
        assert all(above > below for above, below in pairwise(parts))
    starts = [
        encounter["period"]
        for encounter in shared.resources["Encounter"].values()
        if "period" in encounter
    ]
    assert all(period["start"] < period["end"] for period in starts)


@pytest.fixture(scope="module")
def engine(shared: Sandbox) -> SearchEngine:
    return SearchEngine(
        ResourceStore(made for found in shared.resources.values() for made in found.values())
    )


@pytest.mark.parametrize(("resource_type", "name"), PARAMETERS)
def test_every_parameter_tells_some_records_from_others(
    shared: Sandbox, engine: SearchEngine, all_types: str, resource_type: str, name: str
) -> None:
    """For every parameter some value is found by HTTP, and never with all records of its type."""
    app = App(shared)
    index = engine.values(resource_type, name)
    texts = dict.fromkeys(_as_text(value) for values in index.values() for value in values)
    assert texts, "no record has a value"
    for text in texts:
        found = app.get(resource_type, all_types, {name: text, "_count": "1"}).json()["total"]
        assert found > 0
        if found < len(shared.resources[resource_type]):
            return
    pytest.fail("every value is found with every record")


def _as_text(value: Any) -> str:
    """An indexed value as a searcher would write it."""
    if isinstance(value, str):
        return value.replace(",", r"\,")
    if hasattr(value, "start"):
        return f"lt{value.start + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
    if hasattr(value, "units"):
        return f"{value.value}"
    if hasattr(value, "literal"):
        return str(value.literal)
    if hasattr(value, "code"):
        return str(value.code)
    references, tokens = value
    return f"{references[0].literal}${tokens[0].code}"
