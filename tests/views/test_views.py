"""What a view does and refuses, beyond the official cases."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from practicefusion_connector.fhir.views import Column, View, ViewError, load_view
from tests.views.complete import RESOURCES

SECRET = "Zebulon-Quux"
PATIENT = {
    "resourceType": "Patient",
    "id": "1",
    "birthDate": "1980-05",
    "name": [{"family": SECRET}, {"family": f"{SECRET}-2"}],
    "multipleBirthInteger": 2,
}


def view(*columns: tuple[str, str], **rest: Any) -> dict[str, Any]:
    column = [{"name": name, "path": path} for name, path in columns]
    return {"resource": "Patient", "select": [{"column": column}], **rest}


def rows(definition: dict[str, Any], *resources: dict[str, Any]) -> list[dict[str, object]]:
    return list(View.from_definition(definition).rows(resources or [PATIENT]))


def test_columns_carry_name_type_and_description_in_order() -> None:
    definition = {
        "resource": "Patient",
        "select": [
            {"column": [{"name": "b", "path": "id", "type": "string", "description": "The id."}]},
            {"column": [{"name": "a", "path": "name.given", "collection": True}]},
        ],
    }
    assert View.from_definition(definition).columns == (
        Column("b", "string", "The id."),
        Column("a", "string", "", collection=True),
    )
    assert rows(definition) == [{"b": "1", "a": []}]


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (view(("n", "name..family")), ['column "n"', "name..family", "character 6"]),
        (view(("n", "name family")), ['column "n"', "character 6"]),
        (view(("n", "name.shout()")), ['column "n"', "shout()"]),
        (view(("n", "name.first(1)")), ['column "n"', "first() with 1 parameters"]),
        (view(("n", "name.where(use = %x)")), ['column "n"', "%x"]),
        (view(("1n", "id")), ['column "1n"', "select[0].column[0].name"]),
        (view(("n", "")), ['column "n"', "path"]),
        (view(("n", "id"), ("n", "id")), ['"n"', "two columns"]),
        (view(("n", "id"), where=[{"path": "active ="}]), ["where", "active ="]),
        (view(("n", "id"), constant=[{"name": "c"}]), ["constant[0]", "valueString"]),
        (
            view(("n", "id"), constant=[{"name": "c", "valueDate": "soon"}]),
            ['constant "c"', "Date"],
        ),
        ({"resource": "Patient", "select": []}, ["select"]),
        ({"resource": "patient", "select": [{}]}, ["resource"]),
        ({"resource": "Patient", "select": [{"foreach": "name"}]}, ["select[0].foreach"]),
        (
            {"resource": "Patient", "select": [{"forEach": "name", "repeat": ["name"]}]},
            ["select[0]", "only one of forEach"],
        ),
    ],
)
def test_a_wrong_definition_is_refused_with_its_place(
    definition: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ViewError) as caught:
        View.from_definition(definition)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("name.family", "gives 2 values"),
        ("name.first()", "gives an element"),
        ("name.family.upper()", "cannot be evaluated on this Patient"),
        ("name.family + 1", "cannot be evaluated on this Patient"),
    ],
)
def test_a_cell_that_cannot_be_filled_names_its_column_and_no_value(path: str, words: str) -> None:
    compiled = View.from_definition(view(("id", "id"), ("broken", path)))
    with pytest.raises(ViewError) as caught:
        list(compiled.rows([PATIENT]))
    assert 'column "broken"' in str(caught.value)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None

    errors: list[ViewError] = []
    assert list(compiled.rows([PATIENT], errors.append)) == [{"id": "1", "broken": None}]
    assert [str(error) for error in errors] == [str(caught.value)]


def test_an_element_is_given_where_the_column_says_so() -> None:
    definition = view()
    definition["select"][0]["column"] = [
        {"name": "name", "path": "name.first()", "type": "HumanName"}
    ]
    assert rows(definition) == [{"name": {"family": SECRET}}]


def test_a_condition_that_is_no_boolean_is_refused_without_its_value() -> None:
    with pytest.raises(ViewError) as caught:
        rows(view(("id", "id"), where=[{"path": "name.family"}]))
    assert SECRET not in str(caught.value)


def test_a_repeat_that_circles_is_refused() -> None:
    definition = {
        "resource": "Patient",
        "select": [{"repeat": ["$this"], "column": [{"name": "x", "path": "id"}]}],
    }
    with pytest.raises(ViewError, match="circle"):
        rows(definition)


def test_resources_of_other_types_are_passed_over_and_none_is_changed() -> None:
    before = copy.deepcopy(RESOURCES)
    found = list(load_view("Patient").rows(RESOURCES))
    assert [row["id"] for row in found] == ["p1"]
    assert before == RESOURCES


def test_moments_compare_as_moments() -> None:
    constant = [{"name": "noon", "valueInstant": "2026-01-02T12:00:00Z"}]
    definition = view(("before", "meta.lastUpdated < %noon"), constant=constant)
    stamps = ["2026-01-02T12:30:00+01:00", "2026-01-02T11:30:00-01:00"]
    patients = [{"resourceType": "Patient", "meta": {"lastUpdated": stamp}} for stamp in stamps]
    assert [row["before"] for row in rows(definition, *patients)] == [True, False]


def test_trace_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert rows(view(("n", "name.first().family.trace('seen')"))) == [{"n": SECRET}]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("path", "resource", "expected"),
    [
        ("period.lowBoundary()", {"period": {"start": "2026"}}, "2026-01-01T00:00:00.000+14:00"),
        ("period.highBoundary()", {"period": {"end": "2024-02"}}, "2024-02-29T23:59:59.999-12:00"),
        ("period.lowBoundary()", {"period": {"end": "2024-02"}}, None),
        ("period.start.lowBoundary()", {"period": {"start": "nonsense"}}, None),
        ("length.value.highBoundary()", {"length": {"value": 2}}, 2.5),
    ],
)
def test_boundaries(path: str, resource: dict[str, Any], expected: object) -> None:
    definition = {**view(("x", path)), "resource": "Encounter"}
    encounter = {"resourceType": "Encounter", **resource}
    assert rows(definition, encounter) == [{"x": expected}]


@pytest.mark.parametrize(
    ("reference", "key"),
    [
        ("Patient/7", "7"),
        ("https://ehr.example/fhir/Patient/7/_history/2", "7"),
        ("Patient?identifier=urn:x|7", None),
        ("#contained", None),
        ("urn:uuid:0b8d0c4e-5a3e-4f0e-9d8c-2f1f4f3e8a11", None),
        ("Group/7", None),
    ],
)
def test_a_reference_key_is_that_of_a_literal_reference_of_the_type(
    reference: str, key: str | None
) -> None:
    observation = {"resourceType": "Observation", "subject": {"reference": reference}}
    definition = {**view(("x", "subject.getReferenceKey(Patient)")), "resource": "Observation"}
    assert rows(definition, observation) == [{"x": key}]


def test_one_view_serves_many_threads() -> None:
    compiled = View.from_definition(view(("y", "birthDate & '!'"), ("n", "name.first().family")))
    patients = [{**PATIENT, "birthDate": f"{year}"} for year in range(1950, 1990)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda patient: list(compiled.rows([patient])), patients))
    assert [row["y"] for (row,) in found] == [f"{year}!" for year in range(1950, 1990)]
