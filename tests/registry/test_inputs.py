"""An action's inputs as a whole: names, empties, controls, a get's id, warnings."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.registry import Action, Request, check, shipped
from tests.leaks import everything_said

BASE = "https://ehr.example/fhir/r4"
REGISTRY = shipped()
SEARCHES = [action for action in REGISTRY if action.operation == "search"]
CANARY = "Zq7xCanaryzK9"


def accepted(key: str, inputs: Any) -> Request:
    return check(REGISTRY.action(key), inputs, BASE)


def refusal(key: str, inputs: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        accepted(key, inputs)
    return caught.value


# Names ---------------------------------------------------------------------------------------


def test_an_unknown_input_names_the_nearest_and_what_there_is() -> None:
    error = refusal("search_observations", {"categry": "vital-signs"})
    assert 'Did you mean "category"?' in str(error)
    assert all(name in str(error) for name in ("patient", "date", "page_size", "max_items"))
    assert error.problems[0]["path"] == "categry"
    assert error.action == "search_observations"


def test_an_unknown_input_far_from_all_names_only_what_there_is() -> None:
    assert "Did you mean" not in str(refusal("search_observations", {"zzzz": 1}))


@pytest.mark.parametrize("action", SEARCHES, ids=lambda action: action.key)
def test_every_parameter_takes_both_spellings_but_not_at_once(action: Action) -> None:
    for parameter in action.parameters:
        example = parameter.examples[0]
        one = check(action, {parameter.input: example}, BASE)
        other = check(action, {parameter.name: example}, BASE)
        assert one.query == other.query != ()
        assert {name for name, _ in one.query} == {parameter.name}
        if parameter.name != parameter.input:
            both = {parameter.name: example, parameter.input: example}
            assert "twice" in str(refusal(action.key, both))


def test_a_name_that_could_be_a_value_is_not_repeated() -> None:
    said = everything_said(refusal("search_patients", {f"{CANARY} born 1980": 1}))
    assert CANARY not in said
    assert "family" in said


def test_every_wrong_input_is_named_at_once() -> None:
    error = refusal("search_observations", {"date": "soon", "patient": "a b", "bogus": 1})
    assert [problem["path"] for problem in error.problems] == ["bogus", "patient", "date"]
    assert all(problem["path"] in str(error) for problem in error.problems)


@pytest.mark.parametrize("inputs", [["x"], "patient=1", 5, True, {1, 2}, object()])
@pytest.mark.parametrize("key", ["search_patients", "get_patient"])
def test_inputs_that_are_no_object_are_refused(key: str, inputs: Any) -> None:
    assert "object" in str(refusal(key, inputs))


def test_any_mapping_will_do() -> None:
    request = accepted("search_patients", MappingProxyType({"gender": "female"}))
    assert request.query == (("gender", "female"),)


# Empties and controls ------------------------------------------------------------------------

EMPTY: list[Any] = [None, "", "  ", [], {}, (), [None], ["", []], {"ge": None}, {"a": {"b": [""]}}]


@pytest.mark.parametrize("empty", EMPTY, ids=repr)
def test_empty_inputs_are_not_sent_at_any_depth(empty: Any) -> None:
    inputs = {"date": empty, "code": empty, "family": empty, "cursor": empty, "max_items": empty}
    request = accepted("search_observations", {k: v for k, v in inputs.items() if k != "family"})
    assert request.query == ()
    assert request.cursor is None
    assert request.max_items is None


def test_empties_among_others_are_dropped_and_false_and_zero_stay() -> None:
    assert accepted("search_patients", {"family": ["Ann", None, ""]}).query == (("family", "Ann"),)
    inputs = {"value_quantity": 0, "code": False}
    assert dict(accepted("search_observations", inputs).query) == {
        "code": "false",
        "value-quantity": "0",
    }


def test_no_inputs_at_all_is_a_search_without_conditions() -> None:
    assert accepted("search_practitioners", None).query == ()


@pytest.mark.parametrize("limit", [1, 500, "500", " 7 "])
def test_max_items_is_a_whole_number(limit: Any) -> None:
    assert accepted("search_patients", {"max_items": limit}).max_items == int(limit)


@pytest.mark.parametrize("limit", [0, -1, "0", 1.5, True, "many", "²", "٥", [5, 6], {"a": 1}])
def test_other_limits_are_refused(limit: Any) -> None:
    assert refusal("search_patients", {"max_items": limit}).problems[0]["path"] == "max_items"


def test_a_cursor_is_text_and_suppresses_the_advice_of_a_first_page() -> None:
    request = accepted("search_observations", {"cursor": "abc"})
    assert request.cursor == "abc"
    assert request.warnings == ()
    assert refusal("search_observations", {"cursor": 7}).problems[0]["path"] == "cursor"


@pytest.mark.parametrize("place", ["family", "code", "birthdate", "general_practitioner"])
@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\x00b", "a\x1fb", "a\ud800b"])
def test_characters_no_query_can_carry_are_refused(place: str, bad: str) -> None:
    for inputs in ({place: bad}, {place: [bad]}, {place: {"ge": bad}}):
        assert refusal("search_patients", inputs)


# Get -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("logical_id", ["1", "b79082d9-4f", "A.b-3", "x" * 64])
def test_a_get_takes_a_logical_id(logical_id: str) -> None:
    assert accepted("get_patient", {"id": logical_id}).logical_id == logical_id


@pytest.mark.parametrize(
    "logical_id",
    [None, "", "  ", "a b", "Patient/1", "../1", "..", ".", "x" * 65, "a?b", "a#b", "a%2fb", 1, []],
)
def test_other_ids_are_refused_before_they_become_a_path(logical_id: Any) -> None:
    assert refusal("get_patient", {"id": logical_id}).problems[0]["path"] == "id"


def test_a_get_takes_no_search_parameters() -> None:
    error = refusal("get_patient", {"id": "1", "family": "x", "max_items": 5})
    assert sorted(problem["path"] for problem in error.problems) == ["family", "max_items"]


# Warnings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", SEARCHES, ids=lambda action: action.key)
def test_a_search_of_patients_records_without_a_patient_warns(action: Action) -> None:
    codes = [warning.code for warning in check(action, {}, BASE).warnings]
    assert ("no_patient" in codes) == (action.compartment is not None)
    if action.compartment:
        named = check(action, {action.compartment: "1"}, BASE)
        assert "no_patient" not in [warning.code for warning in named.warnings]


def test_a_parameter_nobody_declares_warns() -> None:
    request = accepted("search_medication_requests", {"patient": "1", "requester": "2"})
    (warning,) = request.warnings
    assert warning.code == "undeclared_parameter"
    assert "requester" in warning.message
