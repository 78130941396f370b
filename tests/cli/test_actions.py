"""Listing, explaining and running actions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from practicefusion_connector.registry import shipped
from practicefusion_connector.sandbox import Sandbox
from tests.cli.conftest import Commands


def test_the_list_as_json(commands: Commands) -> None:
    listed = commands("actions", "list", "--json").json
    assert [entry["key"] for entry in listed] == [action.key for action in shipped().core()]
    assert len(listed) == 33
    searches = {entry["key"]: entry for entry in listed if entry["operation"] == "search"}
    assert len(searches) == 16
    conditions = searches["search_conditions"]
    assert conditions["resource"] == "Condition"
    assert {"name": "clinical-status", "input": "clinical_status", "type": "token"}.items() <= next(
        parameter
        for parameter in conditions["parameters"]
        if parameter["name"] == "clinical-status"
    ).items()
    for entry in listed:
        for parameter in entry["parameters"]:
            assert parameter.keys() == {"name", "input", "type", "support"}


def test_extensions_are_listed_on_request_and_marked(commands: Commands) -> None:
    listed = commands("actions", "list", "--all", "--json").json
    assert len(listed) == len(shipped())
    assert [entry["key"] for entry in listed if entry["extension"]] == ["search_provenances"]
    assert "(extension)" in commands("actions", "list", "--all").out
    assert "(extension)" not in commands("actions", "list").out


def test_a_search_is_explained(commands: Commands) -> None:
    shown = commands("actions", "show", "search_conditions").out
    for expected in (
        "Search Conditions",
        "clinical_status",
        "declared",
        "remission",  # a code
        "ge2025-01-01",  # an example
        "patient + category (US Core SHALL)",
        "user/Condition.read or patient/Condition.read or system/Condition.rs",
        "Try: practicefusion actions run search_conditions -p patient=",
    ):
        assert expected in shown


def test_a_get_is_explained(commands: Commands) -> None:
    assert "Required: the id of the patient." in commands("actions", "show", "get_patient").out
    inputs = commands("actions", "show", "get_patient", "--json").json["inputs"]
    assert next(iter(inputs)) == "id"


@pytest.mark.parametrize("key", [action.key for action in shipped()])
def test_every_action_can_be_shown(commands: Commands, key: str) -> None:
    assert commands("actions", "show", key).code == 0
    assert commands("actions", "show", key, "--json").json["key"] == key


def test_a_result_as_json(commands: Commands, with_token: list[str], practice: Sandbox) -> None:
    patient = next(iter(practice.resources["Patient"]))
    arguments = ["--input", json.dumps({"patient": patient}), "--json", *with_token]
    result = commands("actions", "run", "search_observations", *arguments).json
    held = {
        logical_id
        for logical_id, each in practice.resources["Observation"].items()
        if each["subject"]["reference"] == f"Patient/{patient}"
    }
    assert result["total"] == len(held)
    assert {each["id"] for each in result["resources"]} <= held
    assert result["count"] == len(result["resources"]) > 0


def test_a_get_for_a_person_is_readable_json(
    commands: Commands, with_token: list[str], practice: Sandbox
) -> None:
    patient, held = next(iter(practice.resources["Patient"].items()))
    ended = commands("actions", "run", "get_patient", "-p", f"id={patient}", *with_token)
    assert ended.json == held
    assert ended.out.count("\n") > 10


def test_a_search_for_a_person_is_a_table(
    commands: Commands, with_token: list[str], practice: Sandbox
) -> None:
    ended = commands("actions", "run", "search_patients", *with_token, "-p", "page_size=3")
    assert ended.code == 0
    patients = list(practice.resources["Patient"].values())
    for patient in patients[:3]:
        assert patient["id"] in ended.out
        assert patient["birthDate"] in ended.out
    assert f"3 shown of {len(patients)}." in ended.out
    assert "--all-pages" in ended.out


def test_pairs_repeat_as_bounds(
    commands: Commands, with_token: list[str], practice: Sandbox
) -> None:
    bounds = ["-p", "birthdate=ge1950", "-p", "birthdate=lt1990"]
    ended = commands("actions", "run", "search_patients", *bounds, "--json", *with_token)
    expected = {
        each["id"]
        for each in practice.resources["Patient"].values()
        if "1950" <= each["birthDate"] < "1990"
    }
    assert {each["id"] for each in ended.json["resources"]} == expected
    assert 0 < len(expected) < len(practice.resources["Patient"])


def test_inputs_from_stdin_and_from_a_file(
    commands: Commands, with_token: list[str], tmp_path: Path
) -> None:
    given = json.dumps({"gender": "female"})
    (tmp_path / "input.json").write_text(given)
    run = ["actions", "run", "search_patients", "--json", *with_token]
    from_stdin = commands(*run, "--input", "-", stdin=given).json
    from_file = commands(*run, "--input", f"@{tmp_path / 'input.json'}").json
    assert from_stdin["resources"] == from_file["resources"] != []
    assert {each["gender"] for each in from_file["resources"]} == {"female"}


def test_all_pages_as_lines(commands: Commands, with_token: list[str], practice: Sandbox) -> None:
    run = ["actions", "run", "search_observations", "-p", "page_size=50", "--all-pages"]
    ended = commands(*run, "--json", *with_token)
    found = [json.loads(line) for line in ended.out.splitlines()]
    assert sorted(each["id"] for each in found) == sorted(practice.resources["Observation"])
    assert len(found) > 50
    assert ended.err.startswith("warning: no_patient: ")
    shown = commands(*run, *with_token)
    assert f"{len(found)} shown, all there are." in shown.out
    assert all(each["id"] in shown.out for each in found)


def test_a_sandbox_of_its_own(commands: Commands) -> None:
    ended = commands("actions", "run", "search_practitioners", "--sandbox", "--json")
    assert ended.code == 0
    assert ended.json["resources"]


def test_strict_refuses_an_ignored_parameter(
    commands: Commands, with_token: list[str], practice: Sandbox
) -> None:
    practice.behaviour.ignored_parameters = frozenset({"family"})
    run = ["actions", "run", "search_patients", "-p", "family=Smith", *with_token]
    warned = commands(*run)
    assert warned.code == 0
    assert warned.err.startswith("warning: parameter_ignored: ")
    commands(*run, "--strict").failed_in_one_line(1, "rejected: The server ignored family")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-p", "famly=Roe"], "invalid_input: search_patients: famly is no input"),
        (["-p", "birthdate=Roe"], "invalid_input: search_patients: birthdate is text like"),
        (["-p", "Roe"], "invalid_input: -p takes NAME=VALUE."),
        (["family=Roe"], "invalid_input: Inputs are given as -p NAME=VALUE"),
        (["--input", '{"family": Roe}'], "invalid_input: --input is not JSON: "),
        (["--input", '["Roe"]'], "invalid_input: --input must be a JSON object"),
        (["--input", "@/nowhere/Roe"], "invalid_input: --input: the file cannot be read"),
        (["--input", '{"family": "Roe"}', "-p", "family=Roe"], "invalid_input: family is given"),
        (["--sandbox"], "invalid_input: Give one of --connection, --sandbox"),
        (["--deadline", "0"], "invalid_input: Invalid value for '--deadline'"),
    ],
)
def test_wrong_inputs_are_named_and_never_repeated(
    commands: Commands, with_token: list[str], arguments: list[str], said: str
) -> None:
    ended = commands("actions", "run", "search_patients", *arguments, *with_token)
    ended.failed_in_one_line(2, said)
    assert "Roe" not in ended.err


def test_an_unset_token_variable(commands: Commands, practice: Sandbox) -> None:
    where = ["--fhir-base-url", practice.fhir_base_url, "--token-env", "NOT_SET"]
    commands("actions", "run", "search_patients", *where).failed_in_one_line(
        2, "invalid_input: The environment variable NOT_SET is not set"
    )
    commands("actions", "run", "search_patients", *where[2:]).failed_in_one_line(
        2, "invalid_input: --token-env goes with --fhir-base-url."
    )


def test_an_unknown_connection(stored: Commands) -> None:
    stored("actions", "run", "search_patients").failed_in_one_line(
        2, 'invalid_input: There is no connection "default"'
    )


def test_a_record_that_is_not_there(commands: Commands, with_token: list[str]) -> None:
    run = ["actions", "run", "get_patient", "-p", "id=nobody", *with_token]
    commands(*run).failed_in_one_line(1, "not_found: ")
    ended = commands(*run, "--json")
    assert ended.out == ""
    assert json.loads(ended.err)["code"] == "not_found"


def test_a_refused_token_is_exit_code_3_and_not_shown(
    commands: Commands, practice: Sandbox
) -> None:
    commands.environment["TOKEN"] = "canary-access-token"
    where = ["--fhir-base-url", practice.fhir_base_url, "--token-env", "TOKEN"]
    ended = commands("actions", "run", "search_patients", *where)
    ended.failed_in_one_line(3, "auth_expired: ")
    assert "canary" not in ended.err


def test_a_server_that_is_not_there_is_exit_code_4(commands: Commands) -> None:
    commands.environment["TOKEN"] = "canary-access-token"
    where = ["--fhir-base-url", "http://127.0.0.1:9/fhir", "--token-env", "TOKEN"]
    limits = ["--deadline", "0.3"]
    ended = commands("actions", "run", "search_patients", *where, *limits)
    ended.failed_in_one_line(4, "")
    assert ended.err.partition(":")[0] in ("network", "deadline_exceeded")


def test_a_base_url_that_is_not_safe(commands: Commands) -> None:
    where = ["--fhir-base-url", "http://example.org/fhir"]
    commands("actions", "run", "search_patients", *where).failed_in_one_line(
        2, "invalid_config: The connection is not usable: fhir_base_url: it must begin with https"
    )
