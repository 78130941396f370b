"""Validation of answers: nothing, a warning that names path and rule, or an error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module

import pytest

from practicefusion_connector import PracticeFusion
from practicefusion_connector.errors import InvalidConfig, InvalidResponse
from tests.client.practice import authorized
from tests.leaks import everything_said

SECRET = "31/12/1980"
FOUND = [
    ("Patient.birthDate", "format"),
    ("Patient.gender", "required_code"),
    ("Patient.name[].family", "type"),
]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeFusion]:
    """A practice with one patient whose record breaks the rules, and one whose does not."""
    folder = tmp_path_factory.mktemp("data")
    names = [{"text": "Pat Shaw"}, {"family": 7}, {"family": 8}]
    broken = {"birthDate": SECRET, "gender": "?", "name": names}
    for name, content in {"broken": broken, "good": {}}.items():
        patient = {"resourceType": "Patient", "id": name, **content}
        (folder / f"{name}.json").write_text(json.dumps(patient))
    with authorized(data=folder) as (_, pf):
        yield pf


def test_a_warning_is_the_default_and_holds_path_and_rule(odd: PracticeFusion) -> None:
    got = odd.run("get_patient", {"id": "broken"})
    searched = odd.run("search_patients", {"id": "broken,good"})

    for result in (got, searched):
        told = sorted(each.message for each in result.warnings if each.code == "validation")
        assert told == [f"{path}: {rule}" for path, rule in FOUND]
        assert SECRET not in str(result.warnings)
    assert [resource["id"] for resource in searched.resources] == ["broken", "good"]


def test_none_looks_at_nothing(odd: PracticeFusion) -> None:
    assert odd.run("get_patient", {"id": "broken", "validation": "none"}).warnings == []


def test_strict_refuses_what_breaks_the_rules(odd: PracticeFusion) -> None:
    with pytest.raises(InvalidResponse, match="breaks FHIR R4's rules") as caught:
        odd.run("get_patient", {"id": "broken", "validation": "strict"})

    assert sorted((p["path"], p["message"]) for p in caught.value.problems) == FOUND
    assert SECRET not in everything_said(caught.value)
    assert odd.run("get_patient", {"id": "good", "validation": "strict"}).resource["id"] == "good"


def test_without_the_library_only_strict_asks_for_it(
    odd: PracticeFusion, monkeypatch: pytest.MonkeyPatch
) -> None:
    shaping = import_module("practicefusion_connector.shaping")
    validation = import_module("practicefusion_connector.fhir.validation")
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    monkeypatch.setattr(shaping, "find_spec", lambda name: None)
    shaping._can_validate.cache_clear()
    validation.validator_for.cache_clear()
    validation._compiled.cache_clear()
    try:
        assert odd.run("get_patient", {"id": "broken"}).warnings == []
        with pytest.raises(InvalidConfig, match=r"practicefusion-connector\[validate\]"):
            odd.run("get_patient", {"id": "broken", "validation": "strict"})
    finally:
        shaping._can_validate.cache_clear()
