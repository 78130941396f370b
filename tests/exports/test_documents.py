"""OpenAPI and draft-07: the same schemas in another document, still valid and still the same."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry as Resources
from referencing.jsonschema import DRAFT202012

from practicefusion_connector.catalog import catalog
from practicefusion_connector.errors import BY_CODE
from practicefusion_connector.exports import FORMATS, export
from practicefusion_connector.registry import shipped

CATALOG = json.loads(json.dumps(catalog(shipped())))
ENTRIES: list[dict[str, Any]] = CATALOG["actions"]
OPENAPI: dict[str, Any] = json.loads(export(CATALOG, "openapi"))
DRAFT07: dict[str, Any] = json.loads(export(CATALOG, "draft07"))
DOCUMENT = DRAFT202012.create_resource(OPENAPI)
RESOURCES: Resources[Any] = Resources().with_resource("urn:openapi", DOCUMENT)

each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["key"])


def operation(entry: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = OPENAPI["paths"][f"/actions/{entry['key']}"]["post"]
    return found


def in_document(schema: dict[str, Any]) -> Draft202012Validator:
    """Return a validator of a schema whose references lead into the OpenAPI document."""
    text = json.dumps(schema).replace('"#/', '"urn:openapi#/')
    return Draft202012Validator(json.loads(text), registry=RESOURCES)


def test_the_document_is_valid_openapi() -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(OPENAPI).iter_errors()] == []


def test_every_reference_in_the_document_leads_somewhere() -> None:
    for reference in set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(OPENAPI))):
        node: Any = OPENAPI
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
        assert node


@each_entry
def test_an_operation_is_the_action(entry: dict[str, Any]) -> None:
    found = operation(entry)
    assert found["operationId"] == entry["key"]
    assert found["summary"] == entry["title"]
    assert found["description"] == entry["description"]
    body = found["requestBody"]["content"]["application/json"]
    in_document(body["schema"]).validate(entry["sample_input"])
    assert not in_document(body["schema"]).is_valid({"no_such_input": 1})
    assert body["schema"]["properties"].keys() == entry["input_schema"]["properties"].keys()
    answer = found["responses"]["200"]["content"]["application/json"]
    in_document(answer["schema"]).validate(entry["sample_output"])
    wrong = entry["sample_output"] | {"resources": [{"resourceType": "Basic", "id": "1"}]}
    assert not in_document(answer["schema"]).is_valid(wrong)


def test_ranges_are_checked_through_the_moved_definitions() -> None:
    entry = next(entry for entry in ENTRIES if entry["key"] == "search_patients")
    body = in_document(operation(entry)["requestBody"]["content"]["application/json"]["schema"])
    assert body.is_valid({"birthdate": {"ge": "1980-01-01"}})
    assert not body.is_valid({"birthdate": {"ge": "January"}})


def test_a_failure_is_the_connectors_problem() -> None:
    schema = OPENAPI["components"]["responses"]["Problem"]["content"]["application/problem+json"]
    validator = in_document(schema["schema"])
    validator.validate(BY_CODE["rate_limited"]("Wait.", retry_after=3).to_dict())
    assert not validator.is_valid({"detail": "It failed."})


@each_entry
def test_draft_07_schemas_say_the_same(entry: dict[str, Any]) -> None:
    old = next(action for action in DRAFT07["actions"] if action["key"] == entry["key"])
    for name, sample in (("input_schema", "sample_input"), ("output_schema", "sample_output")):
        Draft7Validator.check_schema(old[name])
        assert old[name]["$schema"] == "http://json-schema.org/draft-07/schema#"
        assert "$defs" not in json.dumps(old[name])
        Draft7Validator(old[name]).validate(entry[sample])
    assert not Draft7Validator(old["input_schema"]).is_valid({"no_such_input": 1})
    wrong = {"resourceType": entry["resource"], "id": "1", "meta": "text"}
    result = entry["sample_output"] | {"resources": [wrong]}
    assert not Draft7Validator(old["output_schema"]).is_valid(result)
    assert old["sample_output"] == entry["sample_output"]


def test_draft_07_reads_nothing_beside_a_reference() -> None:
    def lone(node: Any) -> bool:
        if isinstance(node, list):
            return all(map(lone, node))
        if not isinstance(node, dict):
            return True
        return ("$ref" not in node or len(node) == 1) and all(map(lone, node.values()))

    schemas = [action["output_schema"] for action in DRAFT07["actions"]]
    assert '"$ref": "#/definitions/' in json.dumps(schemas)
    assert lone(schemas)
    described = schemas[0]["definitions"]["AllergyIntolerance"]["properties"]["code"]
    assert described["description"]
    assert described["allOf"] == [{"$ref": "#/definitions/CodeableConcept"}]


def test_draft_07_has_the_connection_and_the_errors() -> None:
    connection = Draft7Validator(DRAFT07["connection_schema"])
    assert connection.is_valid({"fhir_base_url": "https://x.example/r4", "client_id": "app"})
    assert not connection.is_valid({"client_id": "app"})
    error = BY_CODE["gone"]("It was deleted.").to_dict()
    assert Draft7Validator(DRAFT07["error_schema"]).is_valid(error)
    assert not Draft7Validator(DRAFT07["error_schema"]).is_valid(error | {"status": 404})


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_is_the_same_each_time(name: str) -> None:
    assert export(CATALOG, name) == export(catalog(shipped()), name)


def test_there_is_no_other_format() -> None:
    with pytest.raises(KeyError, match="soap"):
        export(CATALOG, "soap")
