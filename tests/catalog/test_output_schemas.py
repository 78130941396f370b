"""The output schemas take real results, name what people map, and stand on their own."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from practicefusion_connector.catalog import output_schema, sample_output, summary_schema
from practicefusion_connector.catalog.outputs import type_schema
from practicefusion_connector.errors import ActionWarning, InvalidConfig
from practicefusion_connector.fhir.views import rows
from practicefusion_connector.registry import Action, shipped
from practicefusion_connector.registry.definitions import OutputField
from practicefusion_connector.result import Result

DATA = Path(__file__).parents[3] / "shared" / "data"
EXAMPLES = DATA / "us-core-6.1.0"
R4 = DATA / "fhir-r4" / "r4-schema-17.json"
ACTIONS = list(shipped())
GETS = [action for action in ACTIONS if action.operation == "get"]
SCHEMAS = {action.key: output_schema(action) for action in ACTIONS}

each_action = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.key)
each_get = pytest.mark.parametrize("action", GETS, ids=lambda action: action.key)


def refusals(action: Action, result: dict[str, Any]) -> list[str]:
    found = Draft202012Validator(SCHEMAS[action.key]).iter_errors(result)
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


@cache
def examples() -> list[dict[str, Any]]:
    """Return US Core's example resources, those within bundles too."""
    read = [json.loads(path.read_text("utf-8")) for path in sorted(EXAMPLES.glob("*-*.json"))]
    inner = [entry["resource"] for item in read for entry in item.get("entry", ())]
    return [*read, *inner]


@cache
def definitions() -> dict[str, Any]:
    """Return the definitions of FHIR R4's own JSON Schema."""
    found: dict[str, Any] = json.loads(R4.read_text("utf-8"))["definitions"]
    return found


@each_action
def test_the_sample_output_satisfies_the_schema(action: Action) -> None:
    sample = sample_output(action)
    assert refusals(action, sample) == []
    assert [resource["resourceType"] for resource in sample["resources"]] == [action.resource]
    assert sample.keys() == Result(action.key, []).to_dict().keys()


@each_get
def test_the_sample_is_the_record_that_the_sample_input_asks_for(action: Action) -> None:
    assert sample_output(action)["resources"][0]["id"] == action.sample["id"]


@each_get
def test_the_sample_fills_most_of_what_people_map(action: Action) -> None:
    resource = sample_output(action)["resources"][0]
    named = [field.path for field in action.fields if "." not in field.path]
    filled = [name for name in named if name in resource]
    assert len(filled) >= len(named) / 3, f"{action.resource} has only {', '.join(filled)}"


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="US Core's examples are not beside this checkout")
@each_get
def test_us_core_examples_satisfy_the_schema(action: Action) -> None:
    fitting = [item for item in examples() if item["resourceType"] == action.resource]
    assert fitting
    for resource in fitting:
        result = Result(action.key, [resource]).to_dict()
        assert refusals(action, result) == [], resource["id"]


@pytest.mark.skipif(not R4.is_file(), reason="FHIR's own schema is not beside this checkout")
@each_get
def test_the_declared_fields_are_those_of_fhir(action: Action) -> None:
    for field in action.fields:
        node = definitions()[action.resource]
        for name in field.path.split("."):
            declared = node["properties"][name]
            one = declared.get("items", declared)
            node = definitions().get(one.get("$ref", "").rpartition("/")[2], {})
        kind = one.get("$ref", "").rpartition("/")[2]
        assert field.type.endswith("[]") == ("items" in declared), field.path
        bare = field.type.removesuffix("[]")
        if bare == "BackboneElement":
            assert "properties" in node, field.path
        elif "$ref" in one and bare != "code" and kind != "xhtml":
            assert bare == kind, field.path
        else:
            told = one.get("type", "string")
            assert type_schema(bare)["type"] in (told, "integer" if told == "number" else told)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"resources": [{"resourceType": "Observation", "id": "1"}]}, "resourceType"),
        ({"resources": [{"resourceType": "Patient"}]}, "'id' is a required property"),
        ({"resources": [{"resourceType": "Patient", "id": "1", "name": "x"}]}, "array"),
        ({"action": "get_observation"}, "get_patient"),
        ({"warnings": [{"code": "x"}]}, "message"),
    ],
)
def test_what_is_no_result_of_the_action_is_refused(change: dict[str, Any], told: str) -> None:
    action = shipped().action("get_patient")
    result = Result(action.key, [], warnings=[ActionWarning("x", "Something.")]).to_dict()
    assert refusals(action, result) == []
    assert told in " ".join(refusals(action, result | change))


def test_unknown_elements_and_extensions_pass() -> None:
    action = shipped().action("get_patient")
    resource = {
        "resourceType": "Patient",
        "id": "1",
        "name": [{"given": [None, "Ana"], "_given": [{"extension": []}, None], "new": 1}],
        "_birthDate": {"extension": []},
        "future": {"any": [1, "x"]},
    }
    assert refusals(action, Result(action.key, [resource]).to_dict() | {"later": 1}) == []


@each_action
def test_every_declared_field_is_typed_and_described(action: Action) -> None:
    schema = SCHEMAS[action.key]
    for field in action.fields:
        node = schema["$defs"][action.resource]
        for name in field.path.split("."):
            node = node.get("items", node)["properties"][name]
        assert node["description"] == field.says
        assert node["x-fhir-type"] == field.type.removesuffix("[]")
        assert ("items" in node) == field.type.endswith("[]")
    assert len(action.fields) >= 5


@each_action
def test_the_schema_is_small_and_stands_on_its_own(action: Action) -> None:
    schema = SCHEMAS[action.key]
    Draft202012Validator.check_schema(schema)
    text = json.dumps(schema)
    assert len(text.encode()) <= 60_000
    referred = set(re.findall(r'"\$ref": "([^"]*)"', text))
    assert referred == {f"#/$defs/{name}" for name in schema["$defs"]}


@each_action
def test_the_summary_rows_have_the_columns_of_the_view(action: Action) -> None:
    view = Path(__file__).parents[2] / "schemas" / "views" / f"{action.resource}.json"
    columns = json.loads(view.read_text("utf-8"))["select"][0]["column"]
    schema = summary_schema(action)
    assert list(schema["properties"])[: len(columns)] == [column["name"] for column in columns]
    assert SCHEMAS[action.key]["$defs"]["Row"] == schema
    empty = dict.fromkeys(schema["properties"])
    Draft202012Validator(schema).validate(empty)


@each_get
def test_summary_rows_of_real_resources_satisfy_the_schema(action: Action) -> None:
    resources = sample_output(action)["resources"]
    if EXAMPLES.is_dir():
        resources = [item for item in examples() if item["resourceType"] == action.resource]
    result = Result(action.key, []).to_dict() | {"rows": list(rows(action.resource, resources))}
    del result["resources"]
    assert len(result["rows"]) == len(resources) > 0
    assert refusals(action, result) == []


def changed(action: Action, *fields: tuple[str, str]) -> Action:
    made = tuple(OutputField(path=path, type=kind, says="It.") for path, kind in fields)
    return action.model_copy(update={"fields": made})


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ([("component.code", "CodeableConcept")], "needs component declared before it"),
        ([("code", "CodeableConcept"), ("code.text", "string")], "needs code declared"),
        ([("code", "CodableConcept")], "There is no FHIR datatype CodableConcept"),
    ],
)
def test_a_wrong_declaration_is_told(fields: list[tuple[str, str]], told: str) -> None:
    action = changed(shipped().action("get_observation"), *fields)
    with pytest.raises(InvalidConfig, match=told):
        output_schema(action)
