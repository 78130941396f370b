"""The action files are complete, true to their schema, and invent nothing.

Read as data, without the package's loader, so that a mistake in a file is reported as one.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
FACTS = ROOT.parent / "shared" / "facts" / "search_params.json"
SCHEMA: dict[str, Any] = json.loads((ROOT / "schemas" / "action.schema.json").read_text("utf-8"))
NAMES = sorted(path.stem for path in (ROOT / "actions").glob("*.toml"))
SHARED: dict[str, dict[str, Any]] = tomllib.loads(
    (ROOT / "actions" / "shared" / "parameters.toml").read_text("utf-8")
)["parameters"]

RESOURCES = [
    *("AllergyIntolerance", "CarePlan", "CareTeam", "Condition", "Device", "DiagnosticReport"),
    *("DocumentReference", "Encounter", "Goal", "Immunization", "MedicationRequest"),
    *("Observation", "Organization", "Patient", "Practitioner", "Procedure", "Provenance"),
]
SEARCHES = {
    *("search_allergy_intolerances", "search_care_plans", "search_care_teams"),
    *("search_conditions", "search_devices", "search_diagnostic_reports"),
    *("search_document_references", "search_encounters", "search_goals", "search_immunizations"),
    *("search_medication_requests", "search_observations", "search_organizations"),
    *("search_patients", "search_practitioners", "search_procedures"),
}
# US Core 6.1.0 parameters that Practice Fusion answers without declaring, and one of base R4.
UNDECLARED = {
    "CareTeam": {"role": "us-core"},
    "Condition": {"recorded-date": "us-core", "asserted-date": "us-core"},
    "DiagnosticReport": {"code": "us-core"},
    "DocumentReference": {"category": "us-core", "date": "us-core"},
    "Encounter": {"discharge-disposition": "us-core"},
    "Goal": {"lifecycle-status": "us-core", "description": "us-core"},
    "MedicationRequest": {"requester": "fhir-r4"},
}
WITHOUT_PROVENANCE = {"Organization", "Practitioner", "Provenance"}
WITHOUT_PATIENT = {"Organization", "Patient", "Practitioner"}
CATEGORIES = set(SCHEMA["properties"]["categories"]["items"]["enum"])
COMPARATORS = {"eq", "ne", "gt", "ge", "lt", "le", "sa", "eb", "ap"}
DATE = re.compile(r"([a-z]{2})?\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2}))?)?)?")
QUANTITY = re.compile(r"([a-z]{2})?-?\d+(\.\d+)?(\|[^|]*\|[^|]+)?")
REFERENCE = re.compile(r"(?:([A-Z][A-Za-z]+)/)?[A-Za-z0-9.-]{1,64}")

each_file = pytest.mark.parametrize("name", NAMES)


@cache
def read(name: str) -> dict[str, Any]:
    """Parse one file, when its test asks, so that broken TOML fails under the file's name."""
    return tomllib.loads((ROOT / "actions" / f"{name}.toml").read_text("utf-8"))


def snake_case(resource: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", resource).lower()


def input_name(name: str, parameter: dict[str, Any]) -> str:
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", name.lstrip("_")).replace("-", "_").lower()
    return str(parameter.get("input", words))


def parameters_of(declared: dict[str, Any]) -> dict[str, dict[str, Any]]:
    search = declared["search"]
    own: dict[str, dict[str, Any]] = search["parameters"]
    return own | {name: SHARED[name] for name in search["shared"]}


def keys_of(declared: dict[str, Any]) -> tuple[str, str]:
    plural = declared["plural"].replace(" ", "_")
    return f"get_{snake_case(declared['resource'])}", f"search_{plural}"


def violations(schema: dict[str, Any], instance: Any) -> list[str]:
    found = Draft202012Validator(schema).iter_errors(instance)
    return [f"{error.json_path}: {error.message}" for error in found]


def parameter_schema() -> dict[str, Any]:
    return {"$ref": "#/$defs/parameter", "$defs": SCHEMA["$defs"]}


def test_there_is_one_file_for_each_resource() -> None:
    files = {name: read(name) for name in NAMES}
    assert {name: file["resource"] for name, file in files.items()} == {
        snake_case(resource): resource for resource in RESOURCES
    }


def test_the_keys_are_17_gets_and_16_searches_and_one_extension() -> None:
    files = [read(name) for name in NAMES]
    gets = [keys_of(file)[0] for file in files if "get" in file]
    core = [keys_of(file)[1] for file in files if not file["search"].get("extension")]
    beyond = [keys_of(file)[1] for file in files if file["search"].get("extension")]
    assert sorted(gets) == sorted(f"get_{snake_case(resource)}" for resource in RESOURCES)
    assert set(core) == SEARCHES
    assert len(core) == len(SEARCHES) == 16
    assert beyond == ["search_provenances"]
    assert not [key for key, count in Counter(gets + core + beyond).items() if count > 1]


def test_every_data_category_is_carried_by_some_resource() -> None:
    files = [read(name) for name in NAMES]
    assert {category for file in files for category in file["categories"]} == CATEGORIES


@each_file
def test_the_file_satisfies_the_schema(name: str) -> None:
    assert violations(SCHEMA, read(name)) == []


@pytest.mark.parametrize("name", SHARED)
def test_a_shared_parameter_satisfies_the_schema(name: str) -> None:
    assert violations(parameter_schema(), SHARED[name]) == []


@each_file
def test_titles_and_descriptions_fit_a_catalog(name: str) -> None:
    for action in (read(name)["get"], read(name)["search"]):
        assert len(action["title"]) <= 64
        assert len(action["description"]) <= 1000
        assert "  " not in action["description"]
    for parameter, fields in parameters_of(read(name)).items():
        assert "  " not in fields["says"], parameter


@each_file
def test_the_scopes_are_those_of_the_resource(name: str) -> None:
    resource = read(name)["resource"]
    assert read(name)["scopes"] == {"v1": f"{resource}.read", "v2": f"{resource}.rs"}


@each_file
def test_the_search_takes_up_the_shared_parameters_it_should(name: str) -> None:
    file = read(name)
    expected = ["_id", "_lastUpdated", "_count", "_sort"]
    if file["resource"] not in WITHOUT_PROVENANCE:
        expected.append("_revinclude")
    assert file["search"]["shared"] == expected
    assert not set(expected) & set(file["search"]["parameters"])


@each_file
def test_the_compartment_is_a_parameter_of_the_search(name: str) -> None:
    file = read(name)
    if file["resource"] in WITHOUT_PATIENT:
        assert "compartment" not in file
    else:
        assert file["search"]["parameters"][file["compartment"]]["targets"] == ["Patient"]


@each_file
def test_input_names_are_unique_and_samples_use_them(name: str) -> None:
    file = read(name)
    inputs = [input_name(*item) for item in parameters_of(file).items()]
    assert len(set(inputs)) == len(inputs)
    assert set(file["search"]["sample"]) <= set(inputs)
    assert set(file["get"]["sample"]) == {"id"}


@each_file
def test_combinations_name_parameters_of_the_search(name: str) -> None:
    file = read(name)
    combinations = file["search"].get("combinations", [])
    for combination in combinations:
        assert set(combination["parameters"]) <= set(parameters_of(file))
    said = Counter((frozenset(c["parameters"]), c["support"]) for c in combinations)
    assert not [sorted(parameters) for (parameters, _), count in said.items() if count > 1]


@each_file
def test_dates_and_quantities_take_ranges(name: str) -> None:
    for parameter, fields in parameters_of(read(name)).items():
        if fields["type"] in ("date", "quantity"):
            assert fields["repeat"] is True, parameter
            assert set(fields["comparators"]) == COMPARATORS, parameter


@each_file
def test_examples_are_values_the_parameter_takes(name: str) -> None:
    for parameter, fields in parameters_of(read(name)).items():
        for example in fields["examples"]:
            assert fits(fields, example), f"{parameter}: {example}"


def fits(fields: dict[str, Any], example: str) -> bool:
    if fields.get("closed"):
        return example in fields["codes"]
    if fields["type"] == "date":
        return DATE.fullmatch(example) is not None
    if fields["type"] == "quantity":
        return QUANTITY.fullmatch(example) is not None
    if fields["type"] == "number":
        return example.isdigit()
    if fields["type"] == "reference":
        found = REFERENCE.fullmatch(example)
        alone = len(fields["targets"]) == 1
        return found is not None and (found[1] in fields["targets"] or (alone and not found[1]))
    return bool(example.strip())


@pytest.mark.parametrize(
    ("type_", "good", "bad"),
    [
        ("reference", "Practitioner/12", "Location/12"),
        ("date", "ge2026-01-01", "01/02/2026"),
        ("quantity", "ge30|http://unitsofmeasure.org|min", "thirty"),
        ("number", "50", "many"),
    ],
)
def test_the_example_check_tells_good_from_bad(type_: str, good: str, bad: str) -> None:
    fields = {"type": type_, "targets": ["Patient", "Practitioner"]}
    assert fits(fields, good)
    assert not fits(fields, bad)


@each_file
def test_what_practice_fusion_does_not_declare_is_marked(name: str) -> None:
    own = read(name)["search"]["parameters"]
    beyond = {n: fields["support"] for n, fields in own.items() if fields["support"] != "declared"}
    assert beyond == UNDECLARED.get(read(name)["resource"], {})


@each_file
@pytest.mark.skipif(not FACTS.is_file(), reason="the gathered facts are not beside this checkout")
def test_nothing_declared_is_missing_and_nothing_is_invented(name: str) -> None:
    search = read(name)["search"]
    facts = json.loads(FACTS.read_text("utf-8"))[read(name)["resource"]]
    assert {
        parameter: (fields["type"], fields["support"])
        for parameter, fields in search["parameters"].items()
        if fields["support"] != "fhir-r4"
    } == {
        fact["name"]: (fact["type"], "declared" if fact["pf_declared"] else "us-core")
        for fact in facts["params"]
        if fact["name"] != "_id"
    }
    expected = {frozenset(fact["params"]): fact["conformance"] for fact in facts["combos"]}
    for fact in facts["params"]:
        if fact["us_core_6_1_0"] in ("SHALL", "SHOULD"):
            expected[frozenset([fact["name"]])] = fact["us_core_6_1_0"]
    combinations = search.get("combinations", [])
    us_core = [c for c in combinations if c["support"] == "us-core"]
    assert {frozenset(c["parameters"]): c["expectation"] for c in us_core} == expected
    observed = {frozenset(c["parameters"]) for c in combinations if c["support"] == "observed"}
    assert observed == {names_in(seen) for seen in facts["live_verified_searches"]}


def names_in(seen: str) -> frozenset[str]:
    """Return the parameters of a search written as `patient+category=laboratory+_count`."""
    parts = [part.partition("=")[0] for part in seen.split("+")]
    return frozenset(part for part in parts if not part.startswith("("))


REFERENCE_PARAMETER = {
    "type": "reference",
    "support": "declared",
    "or": True,
    "targets": ["Patient"],
    "says": "The patient whose records are wanted.",
    "examples": ["123"],
}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"targets": []}, "targets"),
        ({"targets": None}, "targets"),
        ({"comparators": ["ge"]}, "$.type"),
        ({"components": [["a", "token"], ["b", "token"]]}, "$.type"),
        ({"closed": True}, "closed"),
        ({"codes": ["final"]}, "$.type"),
        ({"type": "token"}, "$.type"),
        ({"system": "http://loinc.org"}, "system"),
        ({"type": "date", "targets": None}, "comparators"),
        ({"type": "composite", "targets": None}, "components"),
        ({"type": "token", "targets": None, "form": "sort"}, "$.type"),
        ({"support": "observed"}, "support"),
        ({"typo": 1}, "typo"),
        ({"says": "no capital and no full stop"}, "says"),
    ],
)
def test_the_schema_refuses_a_parameter_that_contradicts_itself(
    change: dict[str, Any], complaint: str
) -> None:
    assert violations(parameter_schema(), REFERENCE_PARAMETER) == []
    changed = {k: v for k, v in (REFERENCE_PARAMETER | change).items() if v is not None}
    assert complaint in " ".join(violations(parameter_schema(), changed))


def test_the_schema_is_sound_and_explains_every_property() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert list(unexplained(SCHEMA, "#")) == []


def unexplained(node: Any, path: str) -> list[str]:
    """Return the paths of properties without a description, outside conditional rules."""
    if not isinstance(node, dict):
        return []
    missing = []
    for name, schema in node.get("properties", {}).items():
        if "description" not in schema:
            missing.append(f"{path}/{name}")
        missing += unexplained(schema, f"{path}/{name}")
    for name, schema in node.get("$defs", {}).items():
        missing += unexplained(schema, f"{path}/$defs/{name}")
    return missing
