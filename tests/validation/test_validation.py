"""Validation finds what is wrong, says where and why, and shows no value."""

from __future__ import annotations

import builtins
import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.fhir.validation import (
    MAX_FINDINGS,
    Finding,
    _compiled,
    validated,
    validator_for,
)
from tests.views.complete import RESOURCES
from tests.views.places import bulk, examples

SECRET = "Zebulon-Quux"

Resource = dict[str, Any]


def sample(resource: str, key: str | None = None) -> Resource:
    found = (each for each in RESOURCES if each["resourceType"] == resource)
    return copy.deepcopy(next(each for each in found if key in (None, each["id"])))


def check(resource: Resource) -> list[Finding]:
    return validator_for(resource["resourceType"])(resource)


def test_the_seventeen_resource_types_can_be_validated() -> None:
    assert validated() == tuple(sorted({each["resourceType"] for each in RESOURCES}))
    assert len(validated()) == 17


def test_good_resources_have_no_findings() -> None:
    checked = 0
    for each in [*RESOURCES, *examples(), *bulk(300)]:
        if each["resourceType"] in validated():
            assert check(each) == [], each["id"]
            checked += 1
    assert checked >= len(RESOURCES)


MUTATIONS: dict[str, tuple[str, Callable[[Resource], object], str, str, str]] = {
    "a date that is none": (
        "Patient",
        lambda each: each.update(birthDate=SECRET),
        "Patient.birthDate",
        "format",
        "expected a date: YYYY, YYYY-MM or YYYY-MM-DD; found a text of 12 characters",
    ),
    "a moment without a time zone": (
        "Observation",
        lambda each: each.update(effectiveDateTime="2026-01-02T10:00:00"),
        "Observation.effectiveDateTime",
        "format",
        "time zone",
    ),
    "an unknown element": (
        "Patient",
        lambda each: each["name"][1].update(nickname=SECRET),
        "Patient.name[1].nickname",
        "unknown_element",
        "no such element",
    ),
    "an unknown element with a name that is no name": (
        "Patient",
        lambda each: each.update({f"{SECRET}!": 1}),
        "Patient",
        "unknown_element",
        "no such element",
    ),
    "a code that is not of the required ones": (
        "Observation",
        lambda each: each.update(status=SECRET),
        "Observation.status",
        "required_code",
        "expected one of the codes amended, cancelled, corrected",
    ),
    "a code in a list": (
        "AllergyIntolerance",
        lambda each: each.update(category=["food", SECRET]),
        "AllergyIntolerance.category[1]",
        "required_code",
        "biologic, environment, food, medication",
    ),
    "a choice element given twice": (
        "Observation",
        lambda each: each.update(valueString=SECRET),
        "Observation.value[x]",
        "choice",
        "it is given as valueQuantity and valueString",
    ),
    "a choice element given twice inside": (
        "Patient",
        lambda each: each["extension"][2].update(valueString=SECRET),
        "Patient.extension[2].value[x]",
        "choice",
        "it is given as valueCode and valueString",
    ),
    "the second choice of a definition": (
        "Patient",
        lambda each: each.update(multipleBirthInteger=2, multipleBirthBoolean=True),
        "Patient.multipleBirth[x]",
        "choice",
        "multipleBirthBoolean and multipleBirthInteger",
    ),
    "a required element that is absent": (
        "Observation",
        lambda each: each.pop("code"),
        "Observation.code",
        "required_element",
        "required",
    ),
    "a required element that is absent inside": (
        "Immunization",
        lambda each: each["performer"][0].pop("actor"),
        "Immunization.performer[0].actor",
        "required_element",
        "required",
    ),
    "an extension without its url": (
        "Patient",
        lambda each: each["extension"][2].pop("url"),
        "Patient.extension[2].url",
        "required_element",
        "required",
    ),
    "a text where an object belongs": (
        "Condition",
        lambda each: each.update(code=SECRET),
        "Condition.code",
        "type",
        "expected an object; found a text of 12 characters",
    ),
    "an object where a list belongs": (
        "Patient",
        lambda each: each.update(name={"family": SECRET}),
        "Patient.name",
        "type",
        "expected a list; found an object",
    ),
    "a text where a number belongs": (
        "Observation",
        lambda each: each["valueQuantity"].update(value="6.3"),
        "Observation.valueQuantity.value",
        "type",
        "expected a number; found a text of 3 characters",
    ),
    "a number where a text belongs, in a list": (
        "Patient",
        lambda each: each["name"][1].update(given=["Ada", 555019]),
        "Patient.name[1].given[1]",
        "type",
        "found a whole number",
    ),
    "a number that is not whole": (
        "MedicationRequest",
        lambda each: each["dispenseRequest"].update(numberOfRepeatsAllowed=1.5),
        "MedicationRequest.dispenseRequest.numberOfRepeatsAllowed",
        "type",
        "found a number",
    ),
    "a number below its least": (
        "Immunization",
        lambda each: each["protocolApplied"][0].update(doseNumberPositiveInt=0),
        "Immunization.protocolApplied[0].doseNumberPositiveInt",
        "format",
        "1 or more",
    ),
    "a null": (
        "Patient",
        lambda each: each.update(gender=None),
        "Patient.gender",
        "required_code",
        "found null",
    ),
    "a resource of another type": (
        "Patient",
        lambda each: each.update(resourceType=SECRET),
        "Patient.resourceType",
        "type",
        "type asked for",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_found_at_its_place_and_no_value_is_shown(name: str) -> None:
    resource, mutate, path, rule, words = MUTATIONS[name]
    broken = sample(resource)
    mutate(broken)
    findings = validator_for(resource)(broken)
    assert [(each.path, each.rule) for each in findings] == [(path, rule)]
    assert words in findings[0].message
    for value in (SECRET, "2026-01-02T10:00:00", "555019", "6.3"):
        assert value not in repr(findings)


@pytest.mark.parametrize("data", [[], 5, SECRET, None])
def test_what_is_no_object_is_one_finding(data: Any) -> None:
    (finding,) = validator_for("Patient")(data)
    assert (finding.path, finding.rule) == ("Patient", "type")
    assert SECRET not in repr(finding)


def test_what_fhir_allows_is_not_found() -> None:
    patient = sample("Patient")
    patient["_birthDate"] = {"extension": [{"url": "urn:x", "valueUuid": "urn:uuid:" + "0" * 8}]}
    assert [each.path for each in check(patient)] == ["Patient._birthDate.extension[0].valueUuid"]
    patient["_birthDate"] = {"extension": [{"url": "urn:x", "valueDateTime": "1980-05-06"}]}
    patient["name"][0] = {"given": ["A", None], "_given": [None, {"id": "g"}]}
    patient["contained"] = [{"resourceType": "Anything", "element": [1]}]
    patient["deceasedDateTime"] = "2026"
    assert check(patient) == []


def test_a_resource_wrong_throughout_gives_a_bounded_list() -> None:
    patient = sample("Patient")
    patient["name"] = [{"use": SECRET}] * (MAX_FINDINGS + 50)
    assert len(check(patient)) == MAX_FINDINGS


def test_a_validator_is_compiled_once_and_changes_nothing() -> None:
    assert validator_for("Goal") is validator_for("Goal")
    resource = sample("Goal")
    before = copy.deepcopy(resource)
    check(resource)
    assert resource == before


def test_an_unknown_type_is_refused_with_those_known() -> None:
    with pytest.raises(ValueError, match=r"'Media'.*Patient"):
        validator_for("Media")


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "jsonschema_rs":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    validator_for.cache_clear()
    _compiled.cache_clear()
    with pytest.raises(InvalidConfig, match=r"practicefusion-connector\[validate\]"):
        validator_for("Patient")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.just(SECRET),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["coding", "value", "extension"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_finding_ever_shows_a_value(data: st.DataObject) -> None:
    resource = copy.deepcopy(data.draw(st.sampled_from(RESOURCES)))
    for name in data.draw(st.sets(st.sampled_from(sorted(set(resource) - {"resourceType"})))):
        resource[name] = data.draw(values)
    for finding in check(resource):
        assert finding.path.startswith(resource["resourceType"])
        assert SECRET not in repr(finding)
