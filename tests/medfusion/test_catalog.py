"""The portal's catalog: schemas that say what the checks do."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from practicefusion_connector.catalog import catalog as practice_catalog
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.medfusion.actions import actions, check
from practicefusion_connector.medfusion.catalog import catalog
from practicefusion_connector.medfusion.client import Medfusion
from practicefusion_connector.registry import shipped
from tests.medfusion.conftest import patient

ENTRIES = {entry["key"]: entry for entry in catalog()["actions"]}


def test_it_has_the_form_of_the_practices_own() -> None:
    own = practice_catalog(shipped())
    assert catalog().keys() == own.keys()
    assert json.loads(json.dumps(catalog())) == catalog()
    assert set(ENTRIES) & {entry["key"] for entry in own["actions"]} == set()


@pytest.mark.parametrize("key", list(ENTRIES))
def test_schemas_are_schemas_and_take_the_samples(key: str) -> None:
    entry = ENTRIES[key]
    for name in ("input_schema", "output_schema"):
        jsonschema.Draft202012Validator.check_schema(entry[name])
    jsonschema.validate(entry["sample_input"], entry["input_schema"])
    assert entry["annotations"]["idempotentHint"] is not key.startswith("medfusion_invite")


@pytest.mark.parametrize(
    ("key", "inputs"),
    [
        ("medfusion_invite_patient", {}),
        ("medfusion_invite_patient", {"patient": {"first_name": "A"}}),
        ("medfusion_invite_patient", {"patient": patient() | {"nick": "N"}}),
        ("medfusion_invite_patients", {"patients": patient()}),
        ("medfusion_list_updated_patients", {"form": "hl7"}),
        ("medfusion_wait_for_batch", {"status_url": "https://x", "timeout": -1}),
    ],
)
def test_what_the_schema_refuses_is_refused(key: str, inputs: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(inputs, ENTRIES[key]["input_schema"])
    with pytest.raises(InvalidInput):
        check(actions()[key], inputs)


def test_results_fit_their_schemas(opened: Medfusion) -> None:
    invited = opened.run("medfusion_invite_patient", {"patient": patient()})
    url = {"status_url": invited.resource["status_url"]}
    results = [
        invited,
        opened.run("medfusion_get_processing_status", url),
        opened.run("medfusion_wait_for_batch", url),
        opened.run("medfusion_list_updated_patients"),
    ]
    for result in results:
        jsonschema.validate(result.to_dict(), ENTRIES[result.action]["output_schema"])


def test_the_connection_form_hides_its_secrets() -> None:
    schema = catalog()["connection_schema"]
    jsonschema.Draft202012Validator.check_schema(schema)
    for name in ("password", "application_token", "client_secret"):
        assert schema["properties"][name]["writeOnly"] is True
    fields = {
        "practice_id": "935134ed-0000-4ca8-897c-b6b1da47e697",
        "username": "u",
        "password": "p",
    }
    jsonschema.validate(fields, schema)
    (method,) = catalog()["auth_methods"]
    assert set(method["fields"]) <= set(schema["properties"])
