"""The compiled path and fhirpathpy give the same answers, on every expression that is compiled."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from practicefusion_connector.fhir.views import View, ViewError, shipped_definition, summarized
from practicefusion_connector.fhir.views import expression as expression_room
from practicefusion_connector.fhir.views.expression import Expression, Scope
from practicefusion_connector.fhir.views.fhirpath import Item
from tests.views.complete import RESOURCES
from tests.views.places import bulk, examples
from tests.views.test_official_cases import CASES, _cases, _comparable

ALL = [*RESOURCES, *examples(), *bulk(15)]

# Plain forms that the shipped views do not happen to use, and edges of those that they do.
FURTHER = {
    "Patient": [
        "Patient.name.family",
        "name[1].given",
        "name.given.last()",
        "name.where(use = 'official' and family != 'X').given",
        "name.where(given.exists().not() or use = 'old').family",
        "name.exists(use = 'official')",
        "telecom.where($this.system = 'phone').value",
        "name.given.join('-')",
        "identifier.system.getReferenceKey()",
        "deceased.exists()",
        "deceased.first()",
        "deceased.readable()",
        "multipleBirth.ofType(boolean)",
        "birthDate.ofType(date)",
        "meta.lastUpdated.ofType(instant)",
        "getResourceKey()",
        "name.period.start.empty()",
        "(active)",
        "'text'",
        "true",
        "extension.value.readable()",
        "extension.value.ofType(Coding).display",
    ],
    "Observation": [
        "value.ofType(Quantity).value > 5",
        "value.ofType(string)",
        "value.empty()",
        "component.value.readable()",
        "component.value.ofType(Quantity).value",
        "component.where(value.exists()).code.readable()",
        "component.referenceRange.low.value",
        "effective.ofType(dateTime)",
        "subject.getReferenceKey('Patient')",
        "performer.getReferenceKey()",
        "hasMember.reference.readable('; ')",
    ],
    "MedicationRequest": [
        "contained.id",
        "medication.ofType(Reference).getReferenceKey()",
        "contained.ofType(Medication).getResourceKey()",
    ],
}


def _shipped(resource: str) -> tuple[list[str], dict[str, object]]:
    definition = shipped_definition(resource)
    constants = {each["name"]: each["valueUri"] for each in definition.get("constant", [])}
    return [column["path"] for column in definition["select"][0]["column"]], constants


def _answer(expression: Expression, resource: dict[str, Any]) -> object:
    item = Item(resource, resource["resourceType"])
    try:
        return expression.values(item, Scope(item))
    except ViewError:
        return "refused"


def _both(text: str, resource: str, constants: dict[str, object]) -> tuple[Expression, Expression]:
    # Without a known type nothing is plain, so the second is always fhirpathpy's answer.
    return Expression(text, resource, constants), Expression(text, None, constants)


@pytest.mark.parametrize("resource", summarized())
def test_every_shipped_expression_is_compiled_and_agrees(resource: str) -> None:
    texts, constants = _shipped(resource)
    mine = [each for each in ALL if each["resourceType"] == resource]
    for text in texts:
        plain, library = _both(text, resource, constants)
        assert plain.is_plain, text
        assert not library.is_plain
        for each in mine:
            assert _answer(plain, each) == _answer(library, each), (text, each["id"])


@pytest.mark.parametrize("resource", FURTHER)
def test_further_forms_agree(resource: str) -> None:
    mine = [each for each in ALL if each["resourceType"] == resource]
    for text in FURTHER[resource]:
        plain, library = _both(text, resource, {})
        for each in mine:
            assert _answer(plain, each) == _answer(library, each), (text, each["id"])


ABSENT = {"extension": [{"url": "urn:absent", "valueCode": "unknown"}]}
SIBLINGS = {
    "resourceType": "Patient",
    "gender": "female",
    "_gender": {"id": "g"},
    "_birthDate": ABSENT,
    "_deceasedBoolean": ABSENT,
    "name": [
        {"given": ["A", None], "_given": [None, ABSENT], "_family": ABSENT},
        {"family": "F", "_family": ABSENT},
    ],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gender", ["female"]),
        ("gender = 'female'", [True]),
        ("gender != 'female'", [False]),
        ("birthDate", []),
        ("birthDate = '1980'", []),
        ("birthDate.exists()", [True]),
        ("birthDate.empty()", [False]),
        ("birthDate.extension('urn:absent').value.ofType(code)", ["unknown"]),
        ("name.given", ["A"]),
        ("name.given.first()", ["A"]),
        ("name.given.last()", []),
        ("name.given.readable(' ')", ["A"]),
        ("name.where(family = 'F').family", ["F"]),
        ("name.where(family.exists()).given.first()", ["A"]),
        ("deceased.exists()", [True]),
        ("deceased.ofType(boolean)", []),
    ],
)
def test_a_primitive_with_a_sibling_is_one_value(text: str, expected: list[object]) -> None:
    plain, library = _both(text, "Patient", {})
    assert plain.is_plain
    assert _answer(plain, SIBLINGS) == expected
    assert _answer(library, SIBLINGS) == expected


def test_a_field_that_is_null_is_not_the_choice() -> None:
    patient = {"resourceType": "Patient", "deceasedBoolean": None, "deceasedDateTime": "2026"}
    plain, library = _both("deceased.ofType(dateTime)", "Patient", {})
    assert _answer(plain, patient) == _answer(library, patient) == ["2026"]


@pytest.mark.skipif(not CASES.is_dir(), reason="the official test cases are not here")
@pytest.mark.parametrize(
    ("resources", "case"), [case for case in _cases() if not case.values[1].get("expectError")]
)
def test_official_cases_without_the_compiled_path(
    resources: list[dict[str, Any]], case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expression_room, "compile_plain", lambda *_: None)
    rows = list(View.from_definition(case["view"]).rows(resources))
    assert _comparable(rows) == _comparable(case["expect"])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["coding", "display", "value", "text"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_odd_data_gives_rows_or_a_view_error_that_shows_nothing(data: st.DataObject) -> None:
    resource = json.loads(json.dumps(data.draw(st.sampled_from(RESOURCES))))
    for name in data.draw(st.sets(st.sampled_from(sorted(set(resource) - {"resourceType"})))):
        resource[name] = data.draw(json_values)
    errors: list[ViewError] = []
    view = View.from_definition(shipped_definition(resource["resourceType"]))
    rows = list(view.rows([resource], errors.append))
    assert [list(row) for row in rows] == [[column.name for column in view.columns]]
    assert all(str(error).startswith('column "') for error in errors)
