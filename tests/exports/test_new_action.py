"""A new action is a file: catalog, tools and every export carry it with no other change."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from practicefusion_connector.catalog import action_entry, breaking_changes, catalog
from practicefusion_connector.exports import FORMATS, export
from practicefusion_connector.exports.mcp import tools
from practicefusion_connector.registry import Registry, check, shipped
from tests.exports.vendors import bundle
from tests.exports.vendors import check as checked_by

COVERAGE = """
resource    = "Coverage"
noun        = "coverage"
plural      = "coverages"
compartment = "patient"
profiles    = ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-coverage"]
categories  = []

[scopes]
v1 = "Coverage.read"
v2 = "Coverage.rs"

[get]
title       = "Get Coverage by ID"
description = "Returns one insurance coverage: who is insured, by whom, and for how long."
sample      = { id = "cov-1" }

[search]
title       = "Search Coverages"
description = "Finds a patient's insurance coverages."
shared      = ["_id", "_lastUpdated", "_count"]
sample      = { patient = "pat-1", status = "active" }

[search.parameters.patient]
type     = "reference"
support  = "us-core"
or       = true
targets  = ["Patient"]
says     = "The patient who is insured."
examples = ["pat-1"]

[search.parameters.status]
type     = "token"
support  = "fhir-r4"
or       = true
codes    = ["active", "cancelled", "draft", "entered-in-error"]
closed   = true
says     = "Whether it is in force."
examples = ["active"]

[fields]
status = { type = "code", says = "Whether it is in force." }
beneficiary = { type = "Reference", says = "Who is insured." }
payor = { type = "Reference[]", says = "Who pays." }
"""
RECORD = {
    "resourceType": "Coverage",
    "id": "cov-1",
    "status": "active",
    "beneficiary": {"reference": "Patient/pat-1"},
    "payor": [{"display": "Lakeside Health Plan"}],
}
KEYS = ["get_coverage", "search_coverages"]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """The shipped actions and those of one more file."""
    folder = tmp_path / "actions"
    (folder / "samples").mkdir(parents=True)
    (folder / "coverage.toml").write_text(COVERAGE, "utf-8")
    (folder / "samples" / "coverage.json").write_text(json.dumps(RECORD), "utf-8")
    return Registry.load(folder)


def entries(registry: Registry) -> dict[str, dict[str, Any]]:
    return {entry["key"]: entry for entry in catalog(registry)["actions"]}


def test_the_file_is_one_that_the_schema_of_action_files_takes() -> None:
    schema = json.loads(
        (Path(__file__).parents[2] / "schemas" / "action.schema.json").read_text("utf-8")
    )
    Draft202012Validator(schema).validate(tomllib.loads(COVERAGE))


def test_the_catalog_has_both_actions_and_breaks_nothing(registry: Registry) -> None:
    found = entries(registry)
    assert set(found) - {action.key for action in shipped()} == set(KEYS)
    assert breaking_changes(catalog(shipped()), catalog(registry)) == []
    for key in KEYS:
        entry = found[key]
        check(registry.action(key), entry["sample_input"], "https://fhir.example.com/r4")
        Draft202012Validator(entry["input_schema"]).validate(entry["sample_input"])
        Draft202012Validator(entry["output_schema"]).validate(entry["sample_output"])
        assert entry["sample_output"]["resources"] == [RECORD]
        assert entry["output_schema"]["$defs"]["Coverage"]["properties"]["payor"]["items"]
        assert entry == action_entry(registry.action(key), registry)


def test_without_a_sample_there_is_a_least_one(tmp_path: Path) -> None:
    (tmp_path / "coverage.toml").write_text(COVERAGE, "utf-8")
    entry = entries(Registry.load(tmp_path))["get_coverage"]
    assert entry["sample_output"]["resources"] == [{"resourceType": "Coverage", "id": "cov-1"}]
    Draft202012Validator(entry["output_schema"]).validate(entry["sample_output"])


def test_mcp_has_both_tools_for_those_who_may(registry: Registry) -> None:
    whole = catalog(registry)
    assert [tool["name"] for tool in tools(whole, ["user/Coverage.read"])] == KEYS
    (found,) = tools(whole, ["system/Coverage.s"])
    assert found["inputSchema"]["properties"]["status"]["enum"][0] == "active"


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_export_carries_it_and_the_rest_as_before(
    registry: Registry, format_name: str
) -> None:
    before = titles(export(catalog(shipped()), format_name))
    after = titles(export(catalog(registry), format_name))
    assert after - before == {"Get Coverage by ID", "Search Coverages"}
    assert before - after == set()
    assert len(before) == len(shipped())


def titles(exported: str) -> set[str]:
    """Return the titles of the actions an export offers, wherever the format has them."""
    words = r'"(?:title|summary|label|displayName|action)": "((?:Get|Search) [^"]*)"'
    return set(re.findall(words, exported))


def test_the_vendors_take_it(registry: Registry, tmp_path: Path) -> None:
    whole = catalog(registry)
    asked = [{"key": KEYS[1], "input": {"status": ["active"]}, "answer": bundle(RECORD)}]
    zapier = checked_by("zapier", export(whole, "zapier"), asked, tmp_path)
    assert zapier["errors"] == []
    assert zapier["runs"][0]["url"].endswith("/Coverage?status=active")
    assert zapier["runs"][0]["found"] == [RECORD]
    piece = checked_by("activepieces", export(whole, "activepieces"), [], tmp_path)
    assert (piece["problems"], piece["names"][-2:]) == ([], KEYS)
    node = checked_by(
        "n8n", export(whole, "n8n"), [{"resource": "Coverage", "operation": "search"}], tmp_path
    )
    assert node["cases"][0]["issues"] is None
    assert [field["name"] for field in node["cases"][0]["filters"]][:2] == ["patient", "status"]
