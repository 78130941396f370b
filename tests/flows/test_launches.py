"""Standalone launches of a provider and a patient, over the real pages of a practice."""

from __future__ import annotations

import json
import sys

import pytest
from werkzeug.wrappers import Request, Response

from practicefusion_connector.errors import Forbidden, InvalidInput
from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.smart import launch
from practicefusion_connector.smart.discovery import Endpoints
from practicefusion_connector.smart.known_servers import KnownServers
from practicefusion_connector.transport import Run, Transport
from tests.flows.leaks import Leaks
from tests.flows.people import allow, connect, connection


@pytest.mark.parametrize("kind", ["post", "basic", "public"])
def test_a_provider_connects(
    sandbox: Sandbox, wire: Transport, servers: KnownServers, leaks: Leaks, kind: str
) -> None:
    leaks.plant("client secret", sandbox.client_secret)
    ours = {
        "post": connection(sandbox),
        "basic": connection(sandbox, auth_method="client_secret_basic"),
        "public": connection(sandbox, client_id=sandbox.public_client_id, client_secret=None),
    }[kind]
    tokens = connect(wire, servers, ours)
    leaks.plant_tokens(sandbox)
    practitioner = next(iter(sandbox.resources["Practitioner"]))
    assert tokens.context["fhirUser"] == f"Practitioner/{practitioner}"
    assert tokens.refresh_token is not None
    assert tokens.lifetime() == 300
    assert "user/Observation.read" in tokens.scope
    leaks.check(ours, tokens)


def on_another_host(sandbox: Sandbox, behaviour: Behaviour) -> None:
    """Have discovery name the endpoints on another host than the FHIR base, as for patients."""
    base = sandbox.fhir_base_url
    elsewhere = base.replace("127.0.0.1", "localhost")

    def discovery(request: Request) -> Response | None:
        if not request.path.endswith("/.well-known/smart-configuration"):
            return None
        document = {
            "issuer": base,
            "jwks_uri": f"{elsewhere}/.well-known/jwk",
            "authorization_endpoint": f"{elsewhere}/authorize",
            "token_endpoint": f"{elsewhere}/token",
        }
        return Response(json.dumps(document), mimetype="application/json")

    behaviour.before_request = discovery


def test_a_patient_connects_on_the_host_that_discovery_names(
    sandbox: Sandbox, behaviour: Behaviour, wire: Transport, servers: KnownServers, leaks: Leaks
) -> None:
    on_another_host(sandbox, behaviour)
    patient = str(next(user["patient"] for user in sandbox.users if user["role"] == "patient"))
    tokens = connect(wire, servers, connection(sandbox, level="patient"), person="patient")
    leaks.plant_tokens(sandbox)
    assert "launch/patient" in tokens.scope
    assert "patient/Patient.read" in tokens.scope
    assert tokens.context["patient"] == patient
    assert tokens.context["fhirUser"] == f"Patient/{patient}"
    assert not any(scope.startswith(("user/", "system/")) for scope in tokens.scope)
    leaks.check(tokens)


def test_a_provider_chooses_the_patient_of_a_patient_connection(
    sandbox: Sandbox, wire: Transport, servers: KnownServers
) -> None:
    chosen = list(sandbox.resources["Patient"])[-1]
    ours, run = connection(sandbox, level="patient"), Run(30)
    endpoints = servers.endpoints(wire, ours, run)
    scopes = ("launch/patient", "patient/Patient.read")
    pending = launch.begin(ours, endpoints, scopes)
    callback = allow(pending.url.get_secret_value(), patient=chosen)
    tokens = launch.complete(wire, ours, endpoints, pending, callback, run, servers=servers)
    assert tokens.context["patient"] == chosen


def test_a_person_who_says_no_is_told_apart(
    sandbox: Sandbox, wire: Transport, servers: KnownServers, leaks: Leaks
) -> None:
    ours, run = connection(sandbox), Run(30)
    endpoints = servers.endpoints(wire, ours, run)
    pending = launch.begin(ours, endpoints, ("user/Patient.read",))
    leaks.plant_all_in(pending)
    callback = allow(pending.url.get_secret_value(), allow=False)
    with pytest.raises(Forbidden, match="did not allow") as refused:
        launch.complete(wire, ours, endpoints, pending, callback, run)
    leaks.check(pending, refused.value)


def test_what_did_not_come_is_told(
    sandbox: Sandbox, behaviour: Behaviour, wire: Transport, servers: KnownServers
) -> None:
    ours, run = connection(sandbox), Run(30)
    behaviour.granted_scopes_filter = lambda scope: scope == "user/Patient.read"
    endpoints = servers.endpoints(wire, ours, run)
    asked = ("openid", "offline_access", "user/Patient.read", "user/Observation.read")
    pending = launch.begin(ours, endpoints, asked)
    callback = allow(pending.url.get_secret_value())
    tokens = launch.complete(wire, ours, endpoints, pending, callback, run, servers=servers)
    told = {warning.code: warning.message for warning in launch.shortcomings(pending, tokens)}
    assert sorted(told) == ["id_token_missing", "refresh_token_missing", "scope_not_granted"]
    assert "user/Observation.read" in told["scope_not_granted"]
    assert "user/Patient.read" not in told["scope_not_granted"]


def test_nothing_is_told_where_all_came(
    sandbox: Sandbox, wire: Transport, servers: KnownServers
) -> None:
    ours, run = connection(sandbox), Run(30)
    endpoints = servers.endpoints(wire, ours, run)
    pending = launch.begin(ours, endpoints, ("openid", "offline_access", "user/Patient.read"))
    callback = allow(pending.url.get_secret_value())
    tokens = launch.complete(wire, ours, endpoints, pending, callback, run, servers=servers)
    assert launch.shortcomings(pending, tokens) == []


def test_a_nonce_is_sent_only_with_openid(sandbox: Sandbox) -> None:
    endpoints = Endpoints("https://ehr.example/authorize", "https://ehr.example/token")
    with_openid = launch.begin(connection(sandbox), endpoints, ("openid",))
    without = launch.begin(connection(sandbox), endpoints, ("user/Patient.read",))
    assert with_openid.nonce is not None
    assert f"nonce={with_openid.nonce.get_secret_value()}" in with_openid.url.get_secret_value()
    assert without.nonce is None
    assert "nonce" not in without.url.get_secret_value()


def test_an_id_token_that_nothing_can_check_is_not_kept_and_told(
    sandbox: Sandbox, wire: Transport, servers: KnownServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = sys.modules
    monkeypatch.setitem(modules, "joserfc", None)
    for name in ("identity", "jose"):
        monkeypatch.delitem(modules, f"practicefusion_connector.smart.{name}", raising=False)
        monkeypatch.delattr(f"practicefusion_connector.smart.{name}", raising=False)
    ours, run = connection(sandbox), Run(30)
    endpoints = servers.endpoints(wire, ours, run)
    pending = launch.begin(ours, endpoints, ("openid", "user/Patient.read"))
    callback = allow(pending.url.get_secret_value())

    tokens = launch.complete(wire, ours, endpoints, pending, callback, run, servers=servers)

    assert tokens.id_token is None
    assert "fhirUser" not in tokens.context
    assert [told.code for told in launch.shortcomings(pending, tokens)] == ["id_token_missing"]


def test_what_is_pending_survives_between_two_requests(
    sandbox: Sandbox, wire: Transport, servers: KnownServers
) -> None:
    ours, run = connection(sandbox), Run(30)
    endpoints = servers.endpoints(wire, ours, run)
    kept = launch.begin(ours, endpoints, ("openid", "user/Patient.read")).to_json()
    pending = launch.Pending.from_json(kept)
    callback = allow(pending.url.get_secret_value())
    tokens = launch.complete(wire, ours, endpoints, pending, callback, run, servers=servers)
    assert tokens.id_token is not None


@pytest.mark.parametrize("kept", ["", "{}", '{"url": "canary"}', "[]"])
def test_what_was_kept_wrongly_is_refused(kept: str, leaks: Leaks) -> None:
    leaks.plant("secret", "canary")
    with pytest.raises(InvalidInput, match="begin the authorization again") as refused:
        launch.Pending.from_json(kept)
    leaks.check(refused.value)
