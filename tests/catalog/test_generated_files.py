"""The committed files are what the action files say; the catalog is whole and in a fixed order."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector.catalog import catalog
from practicefusion_connector.catalog.entry import ATTEMPTS, MAX_PAGES, RETRIED
from practicefusion_connector.errors import CODES
from practicefusion_connector.registry import Action, Registry, check, shipped
from practicefusion_connector.smart.scopes import spellings
from practicefusion_connector.transport.policy import RETRIED_CODES, Policy

ROOT = Path(__file__).parents[2]
CATALOG = catalog(shipped())
ENTRIES: list[dict[str, Any]] = CATALOG["actions"]

each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["key"])


def script() -> Any:
    path = ROOT / "scripts" / "generate_schemas.py"
    spec = importlib.util.spec_from_file_location("generate_schemas", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_files_are_up_to_date() -> None:
    made = script()
    for name, content in made.generated(Registry.load()).items():
        committed = (ROOT / "schemas" / name).read_text("utf-8")
        assert committed == made.as_text(content), f"run scripts/generate_schemas.py: {name}"


def test_the_sample_resources_are_records_of_the_sandbox() -> None:
    made = script()
    for name, record in made.sandbox_samples(shipped()).items():
        committed = (ROOT / "actions" / "samples" / name).read_text("utf-8")
        assert committed == made.as_text(record), f"run generate_schemas.py --samples: {name}"


def test_the_catalog_has_every_action_in_the_order_of_the_registry() -> None:
    assert [entry["key"] for entry in ENTRIES] == [action.key for action in shipped()]
    assert sum(not entry["extension"] for entry in ENTRIES) == 33
    assert json.dumps(catalog(Registry.load())) == json.dumps(CATALOG)


@each_entry
def test_an_entry_is_complete(entry: dict[str, Any]) -> None:
    action = shipped().action(entry["key"])
    assert 2 <= len(entry["title"]) <= 64
    assert 20 <= len(entry["description"]) <= 1000
    check(action, entry["sample_input"], "https://fhir.example.com/r4")
    assert entry["annotations"] == {
        "title": entry["title"],
        "readOnlyHint": True,
        "destructiveHint": False,
        "idempotentHint": True,
        "openWorldHint": True,
    }
    assert set(entry["errors"]) <= set(CODES)
    assert entry["fhir"]["interaction"] in ("read", "search-type")
    assert entry["deprecated"] is False
    assert entry["version"] == "1.0.0"
    assert all(shipped().action(key).resource == entry["resource"] for key in entry["related"])


@each_entry
def test_the_scopes_are_those_that_let_the_action_run(entry: dict[str, Any]) -> None:
    (any_of,) = entry["scope_requirements"]["all_of"]
    assert tuple(any_of["any_of"]) == spellings(shipped().action(entry["key"]))


def test_patient_records_are_sensitive_and_the_directory_is_not() -> None:
    directory = {e["resource"] for e in ENTRIES if e["sensitivity"] == "directory"}
    assert directory == {"Organization", "Practitioner"}
    for entry in ENTRIES:
        paths = entry["sensitive_output_paths"]
        assert ("$.resources" in paths) == (entry["sensitivity"] == "phi")


def test_retries_and_bounds_are_those_of_the_default_policy() -> None:
    assert set(RETRIED) == RETRIED_CODES
    assert Policy().attempts == ATTEMPTS
    assert Policy().max_pages == MAX_PAGES


@each_entry
def test_paging_names_inputs_and_outputs_that_exist(entry: dict[str, Any]) -> None:
    paging = entry["pagination"]
    if entry["operation"] == "get":
        assert paging == {"type": "none"}
        return
    inputs = entry["input_schema"]["properties"]
    outputs = entry["output_schema"]["properties"]
    assert paging["input"] in inputs
    assert paging["page_size"]["input"] in inputs
    assert paging["max_items"]["input"] in inputs
    assert paging["output"] in outputs
    assert paging["more"] in outputs


def test_a_deprecated_action_says_so() -> None:
    action = shipped().action("get_goal")
    told = {"since": "0.2.0", "message": "Goals moved.", "replacement": "search_goals"}
    changed = Action(**action.model_dump(by_alias=True) | {"deprecation": told, "version": "1.1.0"})
    (entry,) = catalog(Registry([changed]))["actions"]
    assert entry["deprecated"] is True
    assert entry["deprecation"] == told
    assert entry["version"] == "1.1.0"
