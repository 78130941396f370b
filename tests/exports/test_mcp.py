"""MCP tools are small, name every parameter, and follow the grant."""

from __future__ import annotations

import json
from statistics import mean
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from practicefusion_connector.catalog import catalog
from practicefusion_connector.exports.mcp import tools
from practicefusion_connector.registry import check, shipped
from practicefusion_connector.result import Result

CATALOG = catalog(shipped())
ENTRIES = {entry["key"]: entry for entry in CATALOG["actions"]}
TOOLS = {tool["name"]: tool for tool in tools(CATALOG)}
COMBINATORS = {"anyOf", "oneOf", "allOf", "not", "if", "$ref"}


def test_a_tool_takes_a_kilobyte_on_average() -> None:
    sizes = {
        name: len(json.dumps([tool[part] for part in ("name", "description", "inputSchema")]))
        for name, tool in TOOLS.items()
    }
    average = mean(sizes.values())
    print(f"average {average:.0f} bytes, largest {max(sizes.values())}")  # noqa: T201
    assert average <= 1000
    assert max(sizes.values()) <= 2000


@pytest.mark.parametrize("key", ENTRIES)
def test_a_tool_names_every_parameter_with_one_plain_type(key: str) -> None:
    schema = TOOLS[key]["inputSchema"]
    Draft202012Validator.check_schema(schema)
    full = ENTRIES[key]["input_schema"]
    assert list(schema["properties"]) == list(full["properties"])
    assert schema.get("required", []) == full["required"]
    assert schema["additionalProperties"] is False
    for name, field in schema["properties"].items():
        assert isinstance(field["type"], str), name
        assert not COMBINATORS & field.keys(), name


@pytest.mark.parametrize("key", ENTRIES)
def test_what_a_model_gives_is_what_the_check_takes(key: str) -> None:
    action = shipped().action(key)
    given: dict[str, Any] = {}
    for name, field in TOOLS[key]["inputSchema"]["properties"].items():
        examples = ENTRIES[key]["input_schema"]["properties"][name].get("examples", ["x"])
        if "enum" in field:
            given[name] = field["enum"][0]
        elif field["type"] == "array":
            given[name] = examples
        elif name == "max_output_bytes":
            given[name] = 50_000
        else:
            given[name] = examples[0]
    Draft202012Validator(TOOLS[key]["inputSchema"]).validate(given)
    check(action, given, "https://fhir.example.com/r4")


@pytest.mark.parametrize("key", ENTRIES)
def test_results_satisfy_the_output_schema(key: str) -> None:
    validator = Draft202012Validator(TOOLS[key]["outputSchema"])
    validator.validate(ENTRIES[key]["sample_output"])
    odd = {"resourceType": "Patient", "id": 7, "name": "no list"}
    validator.validate(Result(key, [odd]).to_dict())


def test_a_tool_carries_title_hints_and_the_summary_by_default() -> None:
    for key, tool in TOOLS.items():
        assert tool["title"] == ENTRIES[key]["title"]
        assert tool["annotations"]["readOnlyHint"] is True
        assert tool["inputSchema"]["properties"]["view"]["default"] == "summary"
        assert tool["_meta"]["practicefusion/sensitivity"] in ("phi", "directory")
        first = tool["description"].partition(".")[0]
        assert ENTRIES[key]["description"].startswith(first)
        assert tool["description"].endswith(".")


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        ([], set()),
        (["openid", "launch/patient"], set()),
        (["user/Patient.read"], {"get_patient", "search_patients"}),
        (["patient/Patient.rs"], {"get_patient", "search_patients"}),
        (["system/Observation.s"], {"search_observations"}),
        (["user/Goal.r?status=active"], {"get_goal"}),
        (["user/Goal.read", "user/Device.write"], {"get_goal", "search_goals"}),
        (["user/*.read"], set(ENTRIES)),
        (["system/*.cruds"], set(ENTRIES)),
    ],
)
def test_tools_follow_the_granted_scopes(granted: list[str], expected: set[str]) -> None:
    assert {tool["name"] for tool in tools(CATALOG, granted)} == expected


def test_the_order_is_that_of_the_catalog() -> None:
    assert list(TOOLS) == list(ENTRIES)
    some = [tool["name"] for tool in tools(CATALOG, ["user/Patient.read", "user/Goal.read"])]
    assert some == [key for key in ENTRIES if key in some]
