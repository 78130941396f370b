"""Zapier, Activepieces and n8n: valid by the vendors' own packages, and they ask FHIR rightly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector.catalog import catalog
from practicefusion_connector.exports import export
from practicefusion_connector.exports.direct import inputs, outputs
from practicefusion_connector.registry import shipped
from tests.exports.vendors import bundle, check

CATALOG = catalog(shipped())
ENTRIES = {entry["key"]: entry for entry in CATALOG["actions"]}
PATIENT = {"resourceType": "Patient", "id": "1"}
OBSERVATION = {"resourceType": "Observation", "id": "2"}
PROVENANCE = {"resourceType": "Provenance", "id": "3"}
ASKED = "/Observation?patient=1&category=vital-signs%2Claboratory&date=ge2026-01-01&date=lt2026-02"


def searched(**given: Any) -> dict[str, Any]:
    return {
        "patient": "1",
        "category": ["vital-signs", "laboratory"],
        "date": ["ge2026-01-01", "lt2026-02"],
        "code": "",
        **given,
    }


def test_zapier_takes_the_app_definition_and_runs_it(tmp_path: Path) -> None:
    definition = export(CATALOG, "zapier")
    cases = [
        {"key": "get_patient", "input": {"id": "a/b"}, "answer": PATIENT},
        {
            "key": "search_observations",
            "input": searched(page_size=5),
            "answer": bundle(OBSERVATION, PROVENANCE),
        },
        {"key": "search_patients", "input": {}, "answer": {"resourceType": "Bundle"}},
    ]
    told = check("zapier", definition, cases, tmp_path)
    assert told["errors"] == []
    base = "https://fhir.example.com/r4"
    assert told["runs"] == [
        {"url": f"{base}/Patient/a%2Fb", "found": [PATIENT]},
        {"url": f"{base}{ASKED}&_count=5", "found": [OBSERVATION]},
        {"url": f"{base}/Patient?", "found": []},
    ]
    assert list(json.loads(definition)["searches"]) == list(ENTRIES)


def test_zapiers_schema_would_tell_a_mistake(tmp_path: Path) -> None:
    definition = json.loads(export(CATALOG, "zapier"))
    definition["searches"]["get_patient"]["display"]["label"] = "x" * 65
    definition["searches"]["get_goal"]["operation"]["inputFields"][0]["type"] = "date"
    told = check("zapier", json.dumps(definition), [], tmp_path)
    assert len(told["errors"]) >= 2


def test_activepieces_takes_the_piece_and_runs_it(tmp_path: Path) -> None:
    dates = [{"value": "ge2026-01-01"}, {"value": "lt2026-02"}]
    cases = [
        {"name": "get_patient", "props": {"id": "a/b"}, "answer": PATIENT},
        {
            "name": "search_observations",
            "props": searched(date=dates, page_size=5),
            "answer": bundle(OBSERVATION, PROVENANCE),
        },
    ]
    told = check("activepieces", export(CATALOG, "activepieces"), cases, tmp_path)
    assert told["problems"] == []
    assert told["names"] == list(ENTRIES)
    bearer = "Bearer token-of-the-test"
    assert told["runs"] == [
        {"url": "/Patient/a%2Fb", "authorization": bearer, "found": PATIENT},
        {"url": f"{ASKED}&_count=5", "authorization": bearer, "found": [OBSERVATION]},
    ]
    assert told["auth"]["type"] == "OAUTH2"
    assert told["auth"]["pkceMethod"] == "S256"
    assert told["auth"]["extra"] == {"aud": "{fhir_base_url}"}
    for name, action in told["props"].items():
        assert list(action["props"]) == [field.key for field in inputs(ENTRIES[name])]


@pytest.fixture(scope="module")
def n8n(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Every action's node with nothing set, and with its sample input set."""
    cases: list[dict[str, Any]] = []
    for entry in ENTRIES.values():
        chosen = {"resource": entry["resource"], "operation": entry["operation"]}
        known = {field.key for field in inputs(entry) if not field.choices}
        sample = {name: value for name, value in entry["sample_input"].items() if name in known}
        filled = sample if entry["operation"] == "get" else {"filters": sample}
        cases += [chosen, chosen | filled]
    folder = tmp_path_factory.mktemp("n8n")
    return check("n8n", export(CATALOG, "n8n"), cases, folder)


def test_n8n_asks_for_what_is_missing_and_takes_the_sample(n8n: Any) -> None:
    for number, entry in enumerate(ENTRIES.values()):
        empty, filled = n8n["cases"][2 * number : 2 * number + 2]
        assert filled["issues"] is None, entry["key"]
        if entry["operation"] == "get":
            assert empty["issues"]["parameters"] == {"id": ['Parameter "ID" is required.']}
            assert filled["parameters"]["id"] == entry["sample_input"]["id"]
        else:
            assert empty["issues"] is None


def test_n8n_sends_each_input_under_fhirs_name(n8n: Any) -> None:
    for number, entry in enumerate(ENTRIES.values()):
        filters = n8n["cases"][2 * number]["filters"]
        sent = {field["name"]: field["routing"]["send"]["property"] for field in filters}
        wanted = {field.key: field.wire for field in inputs(entry) if not field.required}
        assert sent == wanted, entry["key"]


def test_n8n_requests_the_resource(n8n: Any) -> None:
    for number, entry in enumerate(ENTRIES.values()):
        operations = n8n["cases"][2 * number]["operations"]
        (own,) = [option for option in operations if option["value"] == entry["operation"]]
        assert own["action"] == entry["title"]
        url = own["routing"]["request"]["url"].removeprefix("=")
        assert url.partition("/{{")[0] == f"/{entry['resource']}"
        assert ("postReceive" in own["routing"].get("output", {})) == (
            entry["operation"] == "search"
        )


def test_n8ns_credential_is_oauth_with_pkce_and_an_audience(n8n: Any) -> None:
    connection = n8n["connection"]
    assert connection["grantType"] == "pkce"
    assert connection["authUrl"] == '={{$self["authBaseUrl"]}}/authorize'
    assert "fhirBaseUrl" in connection["authQueryParameters"]
    assert "user/Patient.read" in connection["scope"].split()


@pytest.mark.parametrize("key", ENTRIES)
def test_hosts_get_every_fhir_parameter_and_no_control(key: str) -> None:
    action = shipped().action(key)
    drawn = {field.key: field for field in inputs(ENTRIES[key])}
    if action.operation == "get":
        assert list(drawn) == ["id"]
        return
    assert {name: field.wire for name, field in drawn.items()} == {
        parameter.input: parameter.name for parameter in action.parameters
    }
    for parameter in action.parameters:
        field = drawn[parameter.input]
        if parameter.closed:
            assert tuple(field.choices) == parameter.codes
        elif parameter.form != "sort":
            assert field.choices == {}


@pytest.mark.parametrize("key", ENTRIES)
def test_output_paths_lead_through_the_sample_where_it_has_them(key: str) -> None:
    paths = [field.path for field in outputs(ENTRIES[key])]
    assert len(set(paths)) == len(paths) >= 10
    assert ("id",) in paths
    sample = ENTRIES[key]["sample_output"]["resources"][0]
    found = [path for path in paths if reached(sample, path)]
    assert len(found) >= 8, found


def reached(node: Any, path: tuple[str, ...]) -> bool:
    """Say whether a path leads to a plain value, with a list exactly where it says so."""
    if not path:
        return not isinstance(node, dict | list)
    name = path[0].removesuffix("[]")
    if not isinstance(node, dict) or name not in node:
        return False
    inner = node[name]
    assert isinstance(inner, list) == path[0].endswith("[]"), path
    return any(reached(item, path[1:]) for item in (inner if isinstance(inner, list) else [inner]))
