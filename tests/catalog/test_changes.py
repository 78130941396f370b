"""What breaks hosts is named, what does not is not; and nothing breaks the last release."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector.catalog import breaking_changes, catalog
from practicefusion_connector.catalog.changes import contract
from practicefusion_connector.registry import shipped

RELEASED = Path(__file__).parents[2] / "schemas" / "released"
CATALOG = catalog(shipped())


def action(changed: dict[str, Any], key: str) -> dict[str, Any]:
    return next(entry for entry in changed["actions"] if entry["key"] == key)


def inputs(changed: dict[str, Any], key: str) -> dict[str, Any]:
    properties: dict[str, Any] = action(changed, key)["input_schema"]["properties"]
    return properties


def remove_action(changed: dict[str, Any]) -> None:
    changed["actions"].remove(action(changed, "get_goal"))


def remove_input(changed: dict[str, Any]) -> None:
    del inputs(changed, "search_patients")["family"]


def require_input(changed: dict[str, Any]) -> None:
    action(changed, "search_patients")["input_schema"]["required"].append("birthdate")


def remove_choice(changed: dict[str, Any]) -> None:
    inputs(changed, "search_patients")["gender"]["anyOf"][0]["enum"].remove("unknown")


def add_limit(changed: dict[str, Any]) -> None:
    inputs(changed, "search_patients")["family"] = {"type": "string", "enum": ["Shaw"]}


def remove_form(changed: dict[str, Any]) -> None:
    del inputs(changed, "search_patients")["birthdate"]["anyOf"][2]


def remove_output(changed: dict[str, Any]) -> None:
    del action(changed, "get_patient")["output_schema"]["$defs"]["Patient"]["properties"]["name"]


def retype_output(changed: dict[str, Any]) -> None:
    resource = action(changed, "get_observation")["output_schema"]["$defs"]["Observation"]
    resource["properties"]["component"]["items"]["properties"]["code"] = {"type": "string"}


def remove_code(changed: dict[str, Any]) -> None:
    changed["errors"] = [entry for entry in changed["errors"] if entry["code"] != "gone"]


def turn_remedy(changed: dict[str, Any]) -> None:
    changed["errors"][0]["remedy"] = "report"


def require_setting(changed: dict[str, Any]) -> None:
    changed["connection_schema"]["required"].append("redirect_uri")


def remove_method(changed: dict[str, Any]) -> None:
    del changed["auth_methods"][0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (remove_action, ["The action get_goal was removed."]),
        (remove_input, ["search_patients lost the input family."]),
        (require_input, ["search_patients newly requires birthdate."]),
        (remove_choice, ["search_patients lost the choice unknown of gender."]),
        (
            add_limit,
            [
                "search_patients no longer takes family as array.",
                "search_patients now limits family to choices.",
            ],
        ),
        (remove_form, ["search_patients no longer takes birthdate as object."]),
        (remove_output, ["get_patient lost the output resources.name."]),
        (
            retype_output,
            ["get_observation gives resources.component.code as string, not as CodeableConcept."],
        ),
        (remove_code, ["The error code gone was removed."]),
        (turn_remedy, ["The error code invalid_input has another remedy."]),
        (require_setting, ["The connection newly requires redirect_uri."]),
        (remove_method, ["The authorization method authorization_code was removed."]),
    ],
)
def test_each_breaking_change_is_named(
    change: Callable[[dict[str, Any]], None], told: list[str]
) -> None:
    changed = copy.deepcopy(CATALOG)
    change(changed)
    assert breaking_changes(CATALOG, changed) == told


def test_additions_and_new_words_break_nobody() -> None:
    smaller = copy.deepcopy(CATALOG)
    for change in (remove_action, remove_input, remove_choice, remove_output, remove_code):
        change(smaller)
    grown = copy.deepcopy(CATALOG)
    inputs(grown, "search_patients")["family"]["description"] = "Other words."
    assert breaking_changes(smaller, grown) == []


def test_a_contract_serves_in_place_of_its_catalog() -> None:
    changed = copy.deepcopy(CATALOG)
    remove_choice(changed)
    kept = json.loads(json.dumps(contract(CATALOG)))
    assert contract(kept) == kept
    assert breaking_changes(kept, CATALOG) == []
    assert breaking_changes(kept, changed) == breaking_changes(CATALOG, changed)


def test_the_catalog_breaks_nothing_of_the_last_release() -> None:
    by_version = {
        tuple(map(int, path.stem.removeprefix("catalog-").split("."))): path
        for path in RELEASED.glob("catalog-*.json")
    }
    last = max(by_version)
    old = json.loads(by_version[last].read_text("utf-8"))
    assert breaking_changes(old, CATALOG) == []
