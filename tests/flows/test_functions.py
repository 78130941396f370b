"""The flows as plain functions, each usable alone by a host that runs OAuth itself."""

from __future__ import annotations

import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pkce
import pytest

from practicefusion_connector import smart
from practicefusion_connector.errors import InvalidConfig, InvalidResponse
from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.transport import Transport
from tests.flows.leaks import Leaks
from tests.flows.people import CALLBACK, allow, connection

VERIFIER, CHALLENGE = pkce.generate_pkce_pair()


def code_for(url: str) -> str:
    return parse_qs(urlsplit(allow(url)).query)["code"][0]


def tokens_of(sandbox: Sandbox, **fields: object) -> TokenSet:
    ours = connection(sandbox, redirect_uri=None, **fields)
    url = smart.authorize_url(ours, CALLBACK, "state", CHALLENGE)
    return smart.exchange_code(ours, code_for(url), CALLBACK, VERIFIER)


def test_a_host_uses_the_functions_one_by_one(
    sandbox: Sandbox, behaviour: Behaviour, leaks: Leaks
) -> None:
    behaviour.advertise_revocation = True
    leaks.plant("verifier", VERIFIER)
    leaks.plant("secret", sandbox.client_secret)
    ours = connection(sandbox, redirect_uri=None)
    url = smart.authorize_url(ours, CALLBACK, "the-state", CHALLENGE, nonce="the-nonce")
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert query["aud"] == sandbox.fhir_base_url
    assert query["state"] == "the-state"
    assert query["redirect_uri"] == CALLBACK
    assert query["code_challenge_method"] == "S256"
    assert "user/Patient.read" in query["scope"].split()
    assert "launch" not in query

    first = smart.exchange_code(ours, code_for(url), CALLBACK, VERIFIER, nonce="the-nonce")
    assert first.context["fhirUser"].startswith("Practitioner/")
    second = smart.refresh(ours, first)
    assert second.access_token != first.access_token
    assert second.refresh_token == first.refresh_token
    leaks.plant_tokens(sandbox)

    good = smart.test_connection(ours, second)
    assert good.ok
    assert good.label == "Cedar Hollow Family Practice"
    assert good.fhir_version == "4.0.1"
    assert good.granted_scopes == second.scope
    assert good.missing_scopes == ()
    assert smart.test_connection(ours, first).problem is not None

    smart.revoke(ours, second)
    assert sandbox.tokens.count_active_grants() == 0
    after = smart.test_connection(ours, second)
    assert not after.ok
    assert after.problem is not None
    assert after.problem.code == "auth_expired"
    leaks.check(first, second, good, after, good.to_dict(), after.to_dict(), after.problem)


def test_a_wrong_nonce_is_refused(sandbox: Sandbox) -> None:
    ours = connection(sandbox)
    url = smart.authorize_url(ours, CALLBACK, "state", CHALLENGE, nonce="one")
    with pytest.raises(InvalidResponse, match="nonce"):
        smart.exchange_code(ours, code_for(url), CALLBACK, VERIFIER, nonce="another")


def test_a_launch_value_brings_its_scope(sandbox: Sandbox) -> None:
    url = smart.authorize_url(
        connection(sandbox, level="patient"), CALLBACK, "state", CHALLENGE, launch="opaque"
    )
    query = parse_qs(urlsplit(url).query)
    scopes = query["scope"][0].split()
    assert query["launch"] == ["opaque"]
    assert scopes[0] == "launch"
    assert "launch/patient" not in scopes


def test_a_system_connection_is_tested_with_a_token_of_its_own(sandbox: Sandbox) -> None:
    system = connection(
        sandbox,
        level="system",
        client_id=sandbox.backend_client_id,
        client_secret=sandbox.backend_client_secret,
        scopes="system/Patient.rs",
    )
    found = smart.test_connection(system)
    assert (found.ok, found.granted_scopes) == (True, ("system/Patient.rs",))
    tokens = smart.client_credentials(system, ["system/Observation.rs"])
    assert tokens.scope == ("system/Observation.rs",)
    assert smart.test_connection(system, tokens).missing_scopes == ("system/Patient.rs",)
    wrong = connection(
        sandbox, level="system", client_id=sandbox.backend_client_id, client_secret="wrong"
    )
    refused = smart.test_connection(wrong)
    assert refused.problem is not None
    assert refused.to_dict()["problem"]["code"] == "invalid_config"


def test_a_grant_that_lacks_a_scope_works_and_says_what_is_missing(
    sandbox: Sandbox, behaviour: Behaviour
) -> None:
    behaviour.granted_scopes_filter = lambda scope: "Observation" not in scope
    found = smart.test_connection(connection(sandbox), tokens_of(sandbox))
    assert found.ok
    assert found.missing_scopes == ("user/Observation.read",)


def test_no_record_is_read_by_the_test(sandbox: Sandbox) -> None:
    tokens = tokens_of(sandbox)
    before = len(list(sandbox.requests))
    smart.test_connection(connection(sandbox), tokens)
    seen = [(r.path.rpartition("}")[2], r.status) for r in list(sandbox.requests)[before:]]
    assert [status for _, status in seen].count(404) == 1
    assert {path for path, status in seen if status == 200} <= {
        "/metadata",
        "/.well-known/smart-configuration",
    }


def test_a_base_url_without_a_server_is_explained(sandbox: Sandbox) -> None:
    found = smart.test_connection(
        connection(sandbox, fhir_base_url=f"{sandbox.origin}/fhir/r4/v1/nowhere")
    )
    assert not found.ok
    assert found.problem is not None
    assert found.problem.code == "invalid_config"
    assert found.label == "127.0.0.1"


def test_revoking_where_it_is_not_offered_says_so(sandbox: Sandbox) -> None:
    with pytest.raises(InvalidConfig, match="no revocation endpoint"):
        smart.revoke(connection(sandbox), tokens_of(sandbox))


def test_a_lent_transport_stays_open(sandbox: Sandbox, wire: Transport) -> None:
    assert smart.test_connection(connection(sandbox), transport=wire).ok
    assert smart.test_connection(connection(sandbox), transport=wire).ok


def test_the_flat_surface_holds_what_it_names() -> None:
    assert sorted(smart.__all__) == smart.__all__
    for name in smart.__all__:
        assert getattr(smart, name).__module__.startswith("practicefusion_connector.smart.")
    with pytest.raises(AttributeError):
        smart.no_such_name  # noqa: B018


def test_tokens_cost_no_oauth_library() -> None:
    code = (
        "import sys; from practicefusion_connector.smart import provider, tokens;"
        "print([n for n in ('requests_oauthlib', 'joserfc') if n in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
