"""What anybody may ask: discovery, metadata, keys, the practice directory, the start page."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from practicefusion_connector.sandbox import Sandbox
from tests.sandbox.apps import TIMEOUT, TYPES, App, error_of


def test_smart_configuration_has_the_vendors_members_and_no_others(app: App) -> None:
    answer = app.get(".well-known/smart-configuration", None)

    assert answer.headers["Content-Type"].startswith("application/json")
    found = answer.json()
    assert set(found) == {
        *("issuer", "jwks_uri", "authorization_endpoint", "token_endpoint"),
        *("introspection_endpoint", "grant_types_supported"),
        *("code_challenge_methods_supported", "capabilities"),
    }
    assert found["issuer"] == app.base
    assert found["token_endpoint"] == f"{app.base}/token"
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert {"permission-v1", "permission-v2", "authorize-post"} <= set(found["capabilities"])


def test_revocation_is_advertised_only_when_told_to(own: Sandbox) -> None:
    url = f"{own.fhir_base_url}/.well-known/smart-configuration"
    own.behaviour.advertise_revocation = True

    found = requests.get(url, timeout=TIMEOUT).json()

    assert found["revocation_endpoint"] == f"{own.fhir_base_url}/revoke"


@pytest.fixture(scope="module")
def statement(shared: Sandbox) -> dict[str, Any]:
    answer = requests.get(f"{shared.fhir_base_url}/metadata", timeout=TIMEOUT)
    assert answer.headers["Content-Type"] == "application/fhir+json"
    found: dict[str, Any] = answer.json()
    return found


def test_metadata_lists_the_17_types_with_declared_parameters_only(
    statement: dict[str, Any],
) -> None:
    resources = {row["type"]: row for row in statement["rest"][0]["resource"]}
    assert sorted(resources) == sorted(TYPES)
    declared = {
        name: {parameter["name"] for parameter in row["searchParam"]}
        for name, row in resources.items()
    }
    assert "code" not in declared["DiagnosticReport"]
    assert not {"category", "date"} & declared["DocumentReference"]
    assert "requester" not in declared["MedicationRequest"]
    assert {"_id", "location_period", "episodeofcare"} <= declared["Encounter"]
    assert all(
        [code["code"] for code in row["interaction"]] == ["read", "search-type"]
        for row in resources.values()
    )


def test_metadata_names_the_oauth_endpoints(app: App, statement: dict[str, Any]) -> None:
    extension = statement["rest"][0]["security"]["extension"][0]
    uris = {part["url"]: part["valueUri"] for part in extension["extension"]}
    assert uris["authorize"] == f"{app.base}/authorize"
    assert uris["token"] == f"{app.base}/token"


@pytest.mark.parametrize("path", ["/nowhere", "/fhir/r4/v1/another-practice/metadata", "/a/b/c"])
def test_outside_the_base_the_gateway_answers(shared: Sandbox, path: str) -> None:
    answer = requests.get(shared.origin + path, timeout=TIMEOUT)

    assert answer.status_code == 404
    assert answer.json()["message"] == "no Route matched with those values"
    assert answer.json()["request_id"]


def test_the_server_is_read_only(app: App) -> None:
    answer = requests.post(f"{app.base}/Patient", json={}, timeout=TIMEOUT)
    assert error_of(answer) == (405, "not-supported")


def test_directory_holds_this_practice_and_many_odd_ones(shared: Sandbox) -> None:
    url = f"{shared.origin}/ServiceBaseURLs.json"
    answer = requests.get(url, timeout=TIMEOUT)
    entries = answer.json()["entry"]
    resources = [entry["resource"] for entry in entries]
    endpoints = {r["id"]: r for r in resources if r["resourceType"] == "Endpoint"}
    practices = [r for r in resources if r["resourceType"] == "Organization"]

    assert len(practices) == 41
    assert len(endpoints) == 82
    for practice in practices:
        for link in practice["endpoint"]:
            assert link["reference"].removeprefix("Endpoint/") in endpoints
    own = practices[0]["endpoint"][0]["reference"].removeprefix("Endpoint/")
    assert endpoints[own]["address"] == shared.fhir_base_url
    assert any(name != name.strip() for name in (p["name"] for p in practices))
    without_address = [e for e in entries if "address" not in e["resource"] and "fullUrl" in e]
    assert without_address
    without_npi = [
        p
        for p in practices
        if not any(i["value"] and "npi" in i["system"] for i in p["identifier"])
    ]
    assert 0 < len(without_npi) < len(practices)


def test_directory_is_not_sent_twice(shared: Sandbox) -> None:
    url = f"{shared.origin}/ServiceBaseURLs.json"
    tag = requests.get(url, timeout=TIMEOUT).headers["ETag"]

    again = requests.get(url, headers={"If-None-Match": tag}, timeout=TIMEOUT)

    assert again.status_code == 304
    assert again.content == b""


def test_start_page_tells_how_to_connect(shared: Sandbox) -> None:
    page = requests.get(shared.origin, timeout=TIMEOUT)

    assert shared.fhir_base_url in page.text
    for word in (shared.client_id, shared.public_client_id, shared.backend_client_id):
        assert word in page.text
    for user in shared.users:
        assert str(user["password"]) in page.text


def test_pages_carry_security_headers_and_load_nothing_from_elsewhere(shared: Sandbox) -> None:
    page = requests.get(f"{shared.origin}/login", timeout=TIMEOUT)

    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "HttpOnly" in page.headers["Set-Cookie"]
    assert "SameSite=Lax" in page.headers["Set-Cookie"]
    assert "://" not in page.text.replace("http://www.w3.org/2000/svg", "")
    style = requests.get(f"{shared.origin}/assets/sandbox.css", timeout=TIMEOUT)
    assert style.headers["Content-Type"].startswith("text/css")
