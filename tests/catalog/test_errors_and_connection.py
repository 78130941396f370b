"""The error and connection schemas say what the code says."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import SecretStr

from practicefusion_connector.catalog import (
    auth_methods,
    connection_schema,
    error_codes,
    error_schema,
)
from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import BY_CODE, CODES, InvalidConfig

ERROR = Draft202012Validator(error_schema())
CONNECTION = Draft202012Validator(connection_schema())
LEAST = {"fhir_base_url": "https://fhir.example.com/r4/1", "client_id": "app"}


@pytest.mark.parametrize("code", CODES)
def test_every_error_satisfies_the_schema(code: str) -> None:
    ERROR.validate(BY_CODE[code]("It failed.").to_dict())
    full = BY_CODE[code](
        "It failed.",
        retry_after=1.5,
        http_status=503,
        correlation_id="abc",
        issues=[{"severity": "error", "code": "throttled"}],
        problems=[{"path": "id", "message": "is required"}],
        missing_scopes=["user/Patient.read"],
        action="get_patient",
        connection_id="default",
        diagnostics="never in a dict",
    ).to_dict()
    ERROR.validate(full)
    assert set(full) == set(error_schema()["properties"])


@pytest.mark.parametrize(
    "change",
    [
        {"code": "made_up"},
        {"status": 500},
        {"retryable": False},
        {"remedy": "report"},
        {"diagnostics": "free text of the server"},
        {"problems": "none"},
    ],
)
def test_what_no_error_says_is_refused(change: dict[str, Any]) -> None:
    error = BY_CODE["rate_limited"]("Wait.").to_dict()
    assert ERROR.is_valid(error)
    assert not ERROR.is_valid(error | change)


def test_the_table_of_codes_is_complete() -> None:
    assert [entry["code"] for entry in error_codes()] == list(CODES)
    for entry in error_codes():
        assert entry.keys() == {"code", "title", "retryable", "remedy", "advice", "http_status"}


def test_the_form_has_every_field_of_a_connection_in_order() -> None:
    properties = connection_schema()["properties"]
    assert list(properties) == list(Connection.model_fields)
    assert [field["x-ui"]["order"] for field in properties.values()] == [
        *range(1, len(properties) + 1)
    ]
    for name, field in properties.items():
        assert field["title"], name
        assert field["description"].endswith("."), name
        assert "anyOf" not in field, name


def test_secrets_and_only_secrets_are_write_only_passwords() -> None:
    secrets = {
        name for name, field in Connection.model_fields.items() if SecretStr.__name__ in str(field)
    }
    marked = {
        name for name, field in connection_schema()["properties"].items() if field.get("writeOnly")
    }
    assert marked == secrets
    assert "client_secret" in secrets
    for name in marked:
        assert connection_schema()["properties"][name]["format"] == "password"


def test_the_examples_make_a_connection() -> None:
    examples = {
        name: field["examples"][0]
        for name, field in connection_schema()["properties"].items()
        if "examples" in field
    }
    CONNECTION.validate(examples)
    assert Connection.of(**examples).fhir_base_url == examples["fhir_base_url"]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"fhir_base_url": "http://127.0.0.1:8080/fhir"},
        {"fhir_base_url": "http://localhost/fhir", "level": "patient"},
        {"client_secret": "s3cret", "auth_method": "client_secret_basic", "id": "clinic-7"},
        {"scopes": ["user/Patient.read"], "redirect_uri": "https://app.example.com/back"},
    ],
)
def test_what_the_form_accepts_makes_a_connection(change: dict[str, Any]) -> None:
    CONNECTION.validate(LEAST | change)
    Connection.of(**(LEAST | change))


@pytest.mark.parametrize(
    "change",
    [
        {"fhir_base_url": "http://fhir.example.com/r4"},
        {"fhir_base_url": "https://user@fhir.example.com/r4"},
        {"fhir_base_url": "https://fhir.example.com/r4?x=1"},
        {"fhir_base_url": "fhir.example.com"},
        {"fhir_base_url": "https://"},
        {"auth_base_url": "ftp://fhir.example.com"},
        {"client_id": ""},
        {"level": "admin"},
        {"auth_method": "none"},
        {"id": "no spaces"},
        {"colour": "blue"},
    ],
)
def test_what_makes_no_connection_the_form_refuses(change: dict[str, Any]) -> None:
    assert not CONNECTION.is_valid(LEAST | change)
    with pytest.raises(InvalidConfig):
        Connection.of(**(LEAST | change))


def test_authorization_methods_name_fields_and_levels_that_exist() -> None:
    for method in auth_methods():
        assert set(method["fields"]) <= set(Connection.model_fields), method["key"]
        for level in method["levels"]:
            assert Connection.of(**LEAST, level=level).level == level
