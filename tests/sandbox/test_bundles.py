"""The searchset Bundle: its shape, its pages, its knobs."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from practicefusion_connector.sandbox import Sandbox
from tests.sandbox.apps import TIMEOUT, App, error_of, system_token


def _links(bundle: dict[str, Any]) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in bundle["link"]}


def _ids(bundle: dict[str, Any]) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle["entry"]]


def test_a_bundle_has_the_vendors_shape(app: App, all_types: str) -> None:
    bundle = app.get("Patient", all_types, {"_count": "3", "gender": "female"}).json()

    assert bundle["resourceType"] == "Bundle"
    assert bundle["type"] == "searchset"
    assert bundle["id"].startswith("urn:uuid:")
    assert bundle["total"] == 10
    assert bundle["updated"]
    assert [list(entry) for entry in bundle["entry"]] == [["resource", "fullUrl"]] * 3
    first = bundle["entry"][0]
    assert first["fullUrl"] == f"{app.base}/Patient/{first['resource']['id']}"
    assert list(_links(bundle)) == ["self", "first", "next", "last"]
    asked = parse_qsl(urlsplit(_links(bundle)["self"]).query)
    assert asked == [
        *(("_count", "3"), ("gender", "female"), ("operation", "search"), ("page", "1"))
    ]


def test_no_match_is_an_empty_entry_list(app: App, all_types: str) -> None:
    bundle = app.get("Patient", all_types, {"family": "Nobody"}).json()

    assert (bundle["total"], bundle["entry"]) == (0, [])
    assert list(_links(bundle)) == ["self", "first", "last"]


def test_following_next_gives_every_record_once(app: App, all_types: str, shared: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {all_types}"}
    url, seen, pages = f"{app.base}/Observation?_count=60", list[str](), 0
    while url:
        bundle = requests.get(url, headers=headers, timeout=TIMEOUT).json()
        seen += _ids(bundle)
        pages += 1
        url = _links(bundle).get("next", "")

    assert len(seen) == len(set(seen))
    assert set(seen) == set(shared.resources["Observation"])
    assert pages == -(-len(seen) // 60)
    assert _links(bundle)["self"] == _links(bundle)["last"]


@pytest.mark.parametrize(("count", "expected"), [(None, 20), ("5", 5), ("500", 200), ("0", 0)])
def test_page_sizes(app: App, all_types: str, count: str | None, expected: int) -> None:
    bundle = app.get("Observation", all_types, {"_count": count}).json()
    assert len(bundle["entry"]) == expected
    assert bundle["total"] > 200


def test_a_page_beyond_the_last_is_empty(app: App, all_types: str) -> None:
    bundle = app.get("Patient", all_types, {"_count": "10", "page": "9"}).json()
    assert bundle["entry"] == []
    assert "next" not in _links(bundle)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"favourite-color": "blue"}, "not-supported"),
        ({"name:exact": "Morales"}, "not-supported"),
        ({"general-practitioner": "1"}, "not-supported"),
        ({"_include": "Patient:organization"}, "not-supported"),
        ({"_revinclude": "Observation:subject"}, "not-supported"),
        ({"_sort": "favourite-color"}, "not-supported"),
        ({"_count": "many"}, "value"),
        ({"_count": "-1"}, "value"),
        ({"page": "x"}, "value"),
        ({"birthdate": "01/02/1990"}, "value"),
        ({"birthdate": "1990-02-30"}, "value"),
        ({"_lastUpdated": "2026-01-01T00:00:00 05:00"}, "value"),
    ],
)
def test_what_the_server_does_not_know_is_an_error(
    app: App, all_types: str, params: dict[str, str], code: str
) -> None:
    answer = app.get("Patient", all_types, params)
    assert error_of(answer) == (400, code)
    diagnostics = answer.json()["issue"][0]["diagnostics"]
    assert next(iter(params.values())) not in diagnostics or "_sort" in params


def test_a_parameter_without_a_value_says_nothing(app: App, all_types: str) -> None:
    bundle = app.get("Patient", all_types, {"family": "", "birthdate": ""}).json()
    assert bundle["total"] == 20
    assert "family" not in _links(bundle)["self"]


def test_provenance_comes_along_on_request(app: App, shared: Sandbox, all_types: str) -> None:
    params = {"_revinclude": "Provenance:target", "_count": "2"}

    bundle = app.get("DocumentReference", all_types, params).json()

    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds[:2] == ["DocumentReference"] * 2
    assert set(kinds[2:]) == {"Provenance"}
    assert bundle["total"] == len(shared.resources["DocumentReference"])
    shown = {f"DocumentReference/{resource_id}" for resource_id in _ids(bundle)[:2]}
    for entry in bundle["entry"][2:]:
        assert shown & {target["reference"] for target in entry["resource"]["target"]}
    without = system_token(shared, "DocumentReference")
    assert len(app.get("DocumentReference", without, params).json()["entry"]) == 2


@pytest.mark.parametrize(
    ("resource_type", "sort", "path"),
    [
        ("Patient", "birthdate", ("birthDate",)),
        ("Patient", "-birthdate", ("birthDate",)),
        ("Encounter", "-date", ("period", "start")),
        ("Observation", "_lastUpdated", ("meta", "lastUpdated")),
        ("MedicationRequest", "status,-authoredon", ("status",)),
    ],
)
def test_sort_orders_the_matches(
    app: App, all_types: str, resource_type: str, sort: str, path: tuple[str, ...]
) -> None:
    bundle = app.get(resource_type, all_types, {"_sort": sort, "_count": "200"}).json()

    values: list[Any] = [entry["resource"] for entry in bundle["entry"]]
    for name in path:
        values = [value[name] for value in values if name in value]
    assert len(set(values)) > 2
    assert values == sorted(values, reverse=sort.startswith("-"))


def test_a_second_sort_rule_orders_within_the_first(app: App, all_types: str) -> None:
    params = {"_sort": "status,-authoredon", "_count": "200"}
    bundle = app.get("MedicationRequest", all_types, params).json()
    active = [
        entry["resource"]["authoredOn"]
        for entry in bundle["entry"]
        if entry["resource"]["status"] == "active"
    ]
    assert len(active) > 2
    assert active == sorted(active, reverse=True)


def test_the_knobs_change_the_bundle(own: Sandbox) -> None:
    own.behaviour.total_reported = False
    own.behaviour.search_mode = True
    own.behaviour.default_page_size = 4
    own.behaviour.ignored_parameters = frozenset({"family"})
    app, token = App(own), system_token(own)

    params = {"family": "Nobody", "gender": "male", "_revinclude": "Provenance:target"}
    bundle = app.get("Patient", token, params).json()

    assert "total" not in bundle
    modes = [entry["search"]["mode"] for entry in bundle["entry"]]
    assert modes[:4] == ["match"] * 4
    assert set(modes[4:]) == {"include"}
    assert "family" not in _links(bundle)["self"]
    assert "gender=male" in _links(bundle)["self"]
