"""Where the authorization endpoints are looked for, in which order, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import responses

from practicefusion_connector import errors
from practicefusion_connector.smart.discovery import Endpoints, discover
from tests.smart.practice import AUTHORIZE, BASE, TOKEN, connection, transport
from tests.transport.wire import FastRun

CONFIGURATION = f"{BASE}/.well-known/smart-configuration"
METADATA = f"{BASE}/metadata"
DECLARED = {
    "authorization_endpoint": AUTHORIZE,
    "token_endpoint": TOKEN,
    "issuer": "https://login.example",
    "introspection_endpoint": f"{TOKEN}/introspect",
    "revocation_endpoint": f"{TOKEN}/revoke",
    "jwks_uri": "https://login.example/jwks",
    "capabilities": ["launch-standalone", "permission-v1"],
}


def statement(**uris: str) -> dict[str, Any]:
    oauth = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
    parts = [{"url": name, "valueUri": uri} for name, uri in uris.items()]
    security = {"extension": [{"url": "other"}, {"url": oauth, "extension": parts}]}
    return {"resourceType": "CapabilityStatement", "rest": [{"security": security}]}


def found(**fields: Any) -> Endpoints:
    return discover(transport(), connection(**fields), FastRun())


@responses.activate
def test_the_practice_s_own_smart_configuration_comes_first() -> None:
    responses.get(CONFIGURATION, json=DECLARED)
    endpoints = found(auth_base_url="https://unused.example")
    assert endpoints == Endpoints(
        authorization=AUTHORIZE,
        token=TOKEN,
        issuer="https://login.example",
        introspection=f"{TOKEN}/introspect",
        revocation=f"{TOKEN}/revoke",
        jwks="https://login.example/jwks",
        capabilities=("launch-standalone", "permission-v1"),
        source="smart-configuration",
    )
    assert [call.request.url for call in responses.calls] == [CONFIGURATION]
    assert "Authorization" not in responses.calls[0].request.headers


ABSENT: list[dict[str, Any]] = [
    {"status": 404},
    {"status": 410},
    {"status": 400, "json": {"resourceType": "OperationOutcome"}},
    {"status": 401},
    {"status": 403, "json": {"message": "Missing Authentication Token"}},
    {"status": 302, "headers": {"Location": "https://login.example/"}},
    {"body": "<html>Welcome</html>"},
    {"json": ["token_endpoint"]},
    {"json": {}},
    {"json": {"token_endpoint": None}},
]


@pytest.mark.parametrize("absent", ABSENT)
@responses.activate
def test_the_capability_statement_comes_next(absent: dict[str, Any]) -> None:
    responses.get(CONFIGURATION, **absent)
    responses.get(METADATA, json=statement(authorize=AUTHORIZE, token=TOKEN, revoke=f"{TOKEN}/r"))
    endpoints = found()
    assert (endpoints.authorization, endpoints.token) == (AUTHORIZE, TOKEN)
    assert endpoints.revocation == f"{TOKEN}/r"
    assert endpoints.source == "capability-statement"


@pytest.mark.parametrize(
    "absent",
    [
        *ABSENT,
        {"json": {"resourceType": "CapabilityStatement", "rest": "none"}},
        {"json": {"rest": [None, {"security": []}, {"security": {"extension": [5]}}]}},
        {"json": statement(authorize=AUTHORIZE)},
    ],
)
@responses.activate
def test_the_connection_s_auth_base_url_comes_last(absent: dict[str, Any]) -> None:
    responses.get(CONFIGURATION, status=404)
    responses.get(METADATA, **absent)
    endpoints = found(auth_base_url="https://login.example/oauth/")
    assert (endpoints.authorization, endpoints.token) == (AUTHORIZE, TOKEN)
    assert endpoints.source == "auth-base-url"
    with pytest.raises(errors.InvalidConfig, match="auth base URL"):
        found()


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        ({"status": 503}, errors.UpstreamUnavailable),
        ({"status": 429}, errors.RateLimited),
        ({"body": requests.ConnectionError("down")}, errors.NetworkFailure),
    ],
)
@responses.activate
def test_a_server_that_could_not_be_asked_is_not_one_without_endpoints(
    failure: dict[str, Any], kind: type[Exception]
) -> None:
    responses.get(CONFIGURATION, **failure)
    with pytest.raises(kind):
        found(auth_base_url="https://login.example")


UNFIT = [
    *("/oauth/token", "token", "http://login.example/token", "ftp://login.example/token"),
    *("https://127.0.0.1/token", "https://localhost:8443/token", "https://[::1]/token"),
    *("https://user:pw@login.example/token", "https://login.example/token?next=x", "https://", "x"),
    *("javascript:alert(1)", "https://[bad", 7, ["https://login.example/token"], {"url": TOKEN}),
]


@pytest.mark.parametrize("unfit", UNFIT, ids=str)
@responses.activate
def test_an_endpoint_that_is_not_fit_for_tokens_is_an_error_and_no_fallback(unfit: Any) -> None:
    responses.get(CONFIGURATION, json=DECLARED | {"token_endpoint": unfit})
    with pytest.raises(errors.InvalidResponse):
        found(auth_base_url="https://login.example")
    responses.replace(
        responses.GET, CONFIGURATION, json=DECLARED | {"authorization_endpoint": unfit}
    )
    with pytest.raises(errors.InvalidResponse):
        found()
    responses.replace(responses.GET, CONFIGURATION, status=404)
    responses.get(METADATA, json=statement(token=unfit) if isinstance(unfit, str) else {})
    with pytest.raises((errors.InvalidResponse, errors.InvalidConfig)):
        found()


@responses.activate
def test_a_practice_on_loopback_may_authorize_on_loopback() -> None:
    base = "http://127.0.0.1:8000/fhir"
    declared = {"token_endpoint": "http://localhost:8000/token"}
    responses.get(f"{base}/.well-known/smart-configuration", json=declared)
    endpoints = found(fhir_base_url=base)
    assert endpoints.token == "http://localhost:8000/token"
    assert endpoints.authorization is None
