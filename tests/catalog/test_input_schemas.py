"""The input schemas say what the check takes, and keep to the profile every consumer takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from practicefusion_connector.catalog import input_schema
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.registry import Action, check, shipped
from practicefusion_connector.registry.inputs import MAX_OUTPUT_BYTES, controls
from tests.catalog.generated import values

BASE = "https://fhir.example.com/r4/practice"
ACTIONS = list(shipped())
SEARCHES = [action for action in ACTIONS if action.operation == "search"]
SCHEMAS = {action.key: input_schema(action) for action in ACTIONS}
COMBINATORS = {"anyOf", "oneOf", "allOf", "not", "if", "then", "else"}
# What draft-07 reads as 2020-12 does, with `$defs` the one name that it spells otherwise.
SHARED_WORDS = {
    *("$schema", "$defs", "$ref", "title", "description", "default", "examples", "type", "enum"),
    *("const", "pattern", "minLength", "maxLength", "minimum", "maximum", "items", "minItems"),
    *("properties", "required", "additionalProperties", "minProperties", "maxProperties", "anyOf"),
}

each_action = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.key)
each_search = pytest.mark.parametrize("action", SEARCHES, ids=lambda action: action.key)


def existing_days(value: Any) -> Any:
    """Move days that not every month has to one that every month has; no pattern knows months."""
    if isinstance(value, str):
        return re.sub(r"([0-9]{4}-[0-9]{2})-(29|3[01])", r"\1-28", value)
    if isinstance(value, dict):
        return {name: existing_days(item) for name, item in value.items()}
    return [existing_days(item) for item in value] if isinstance(value, list) else value


def keywords(schema: Any) -> Iterator[str]:
    """Yield every keyword of a schema, not the names of its properties and definitions."""
    if isinstance(schema, list):
        for item in schema:
            yield from keywords(item)
    if not isinstance(schema, dict):
        return
    for word, value in schema.items():
        yield word
        if word in ("properties", "$defs"):
            for inner in value.values():
                yield from keywords(inner)
        elif word in ("items", "anyOf", "additionalProperties"):
            yield from keywords(value)


@each_action
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_check_takes_what_the_schema_accepts(action: Action, data: st.DataObject) -> None:
    inputs = existing_days(data.draw(values(SCHEMAS[action.key])))
    Draft202012Validator(SCHEMAS[action.key]).validate(inputs)
    request = check(action, inputs, BASE)
    assert request.logical_id == inputs.get("id", "") or action.operation == "search"
    assert request.view == inputs.get("view", "full")
    assert request.validation == inputs.get("validation", "warn")
    assert request.max_output_bytes == inputs.get("max_output_bytes", MAX_OUTPUT_BYTES)
    assert request.max_items == inputs.get("max_items")


# The check takes these too: they come from programs, and no form would draw them.
FORGIVEN = {
    "token": {"true or false"},
    "date": {"nested list"},
    "quantity": {"nested list"},
    "number": {"list of numbers"},
}
WRONG = {
    "whole number": 7,
    "number": 1.5,
    "true or false": True,
    "object": {"nonsense": "x"},
    "nested list": [["2026"]],
    "list of numbers": [7],
}


@each_action
def test_the_check_refuses_the_types_that_the_schema_refuses(action: Action) -> None:
    schema = SCHEMAS[action.key]
    refused = 0
    for name in schema["properties"]:
        parameter = action.named(name)
        forgiven = FORGIVEN.get(parameter.type, set()) if parameter else set()
        for kind, value in WRONG.items():
            inputs = {"id": "1"} | {name: value}
            if action.operation == "search" and name != "id":
                del inputs["id"]
            if Draft202012Validator(schema).is_valid(inputs) or kind in forgiven:
                continue
            refused += 1
            with pytest.raises(InvalidInput) as caught:
                check(action, inputs, BASE)
            assert [problem["path"] for problem in caught.value.problems] == [name], kind
    assert refused > len(schema["properties"])


@each_action
def test_both_refuse_names_they_do_not_know(action: Action) -> None:
    inputs = action.sample | {"no_such_input": "x"}
    assert not Draft202012Validator(SCHEMAS[action.key]).is_valid(inputs)
    with pytest.raises(InvalidInput) as caught:
        check(action, inputs, BASE)
    assert caught.value.problems[0]["path"] == "no_such_input"


def test_a_get_requires_its_id_and_takes_no_paging() -> None:
    for action in ACTIONS:
        schema = SCHEMAS[action.key]
        paging = {"cursor", "max_items"} & schema["properties"].keys()
        if action.operation == "get":
            assert (schema["required"], paging) == (["id"], set())
            with pytest.raises(InvalidInput):
                check(action, {"id": "1", "cursor": "x"}, BASE)
        else:
            assert (schema["required"], paging) == ([], {"cursor", "max_items"})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("view", "sumary", 'Did you mean "summary"'),
        ("view", 1, "takes one of full, summary"),
        ("validation", "strictly", "takes one of none, warn, strict"),
        ("max_output_bytes", 999, "1000 or more"),
        ("max_output_bytes", True, "1000 or more"),
    ],
)
def test_wrong_controls_are_refused_with_the_way_out(name: str, value: Any, told: str) -> None:
    for key, inputs in (("get_patient", {"id": "1"}), ("search_patients", {})):
        with pytest.raises(InvalidInput, match=re.escape(told)):
            check(shipped().action(key), {**inputs, name: value}, BASE)


@each_search
def test_samples_and_examples_satisfy_the_schema(action: Action) -> None:
    schema = SCHEMAS[action.key]
    validator = Draft202012Validator(schema)
    validator.validate(action.sample)
    for name, field in schema["properties"].items():
        for example in field.get("examples", ()):
            validator.validate({name: example})
            check(action, {name: example}, BASE)


@each_action
def test_the_schema_keeps_to_the_portable_profile(action: Action) -> None:
    schema = SCHEMAS[action.key]
    Draft202012Validator.check_schema(schema)
    assert not COMBINATORS & schema.keys()
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    words = set(keywords(schema))
    assert {word for word in words if not word.startswith("x-")} <= SHARED_WORDS
    assert set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(schema))) <= {
        f"#/$defs/{name}" for name in schema.get("$defs", {})
    }
    assert "(?" not in json.dumps(schema), "look-arounds are not in every dialect"


@each_action
def test_the_first_form_is_one_a_plain_field_can_hold(action: Action) -> None:
    for name, field in SCHEMAS[action.key]["properties"].items():
        first = field.get("anyOf", [field])[0]
        assert first["type"] in ("string", "integer"), name
        assert "$ref" not in first, name


@each_action
def test_every_property_explains_itself(action: Action) -> None:
    fields = SCHEMAS[action.key]["properties"]
    assert [field["x-ui"]["order"] for field in fields.values()] == [*range(1, len(fields) + 1)]
    for name, field in fields.items():
        assert field["title"]
        assert field["description"].endswith(".")
        assert field["x-ui"]["visibility"] in ("important", "advanced")
        assert ("x-fhir-param" in field) == (name not in controls(action.operation))


@each_action
def test_draft_07_reads_the_schema_the_same(action: Action) -> None:
    text = json.dumps(SCHEMAS[action.key])
    old = json.loads(text.replace("$defs", "definitions"))
    Draft7Validator.check_schema(old)
    for inputs in (action.sample, {"no_such": 1}, {"id": 5}, {"date": {"ge": "2026-01-01"}}):
        new = Draft202012Validator(SCHEMAS[action.key])
        assert Draft7Validator(old).is_valid(inputs) == new.is_valid(inputs)
