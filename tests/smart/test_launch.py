"""Standalone launch: the authorization request, and the answer the browser brings back."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
import responses

from practicefusion_connector import errors
from practicefusion_connector.smart.discovery import Endpoints
from practicefusion_connector.smart.launch import Pending, begin, complete, read_callback
from tests.leaks import everything_said
from tests.smart.practice import (
    AUTHORIZE,
    BASE,
    CODE,
    ENDPOINTS,
    SECRET,
    TOKEN,
    connection,
    form,
    granted,
    transport,
)
from tests.transport.wire import FastRun

SCOPES = ("openid", "fhirUser", "offline_access", "user/Patient.read")


def started(*scopes: str, **fields: Any) -> Pending:
    return begin(connection(**fields), ENDPOINTS, scopes or SCOPES)


def query(pending: Pending) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(pending.url.get_secret_value()).query, strict_parsing=True))


def callback(pending: Pending, **answer: str) -> str:
    usual = {"state": pending.state.get_secret_value(), "code": CODE}
    given = {name: value for name, value in (usual | answer).items() if value}
    return f"https://host.example/callback?{urlencode(given)}"


def test_the_authorization_request_has_all_it_needs() -> None:
    pending = started()
    assert pending.url.get_secret_value().startswith(f"{AUTHORIZE}?")
    asked = query(pending)
    assert asked.pop("state") == pending.state.get_secret_value()
    assert asked.pop("code_challenge")
    assert asked.pop("nonce")
    assert asked == {
        "response_type": "code",
        "client_id": "app id",
        "redirect_uri": "https://host.example/callback",
        "scope": "openid fhirUser offline_access user/Patient.read",
        "aud": BASE,
        "code_challenge_method": "S256",
    }
    assert pending.scopes == SCOPES


def test_the_challenge_is_the_verifier_s_hash() -> None:
    for _ in range(20):
        pending = started("user/Patient.read")
        verifier = pending.code_verifier.get_secret_value()
        digest = hashlib.sha256(verifier.encode("ascii")).digest()
        wanted = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        assert query(pending)["code_challenge"] == wanted
        assert 43 <= len(verifier) <= 128


def test_no_two_requests_share_a_secret() -> None:
    made = [started() for _ in range(5)]
    assert len({pending.state.get_secret_value() for pending in made}) == 5
    assert len({pending.code_verifier.get_secret_value() for pending in made}) == 5
    assert all(len(pending.state.get_secret_value()) >= 32 for pending in made)


def test_what_is_kept_between_the_steps_hides_its_secrets_and_survives_json() -> None:
    pending = started()
    secrets = (pending.url, pending.state, pending.code_verifier)
    shown = repr(pending) + str(pending) + pending.model_dump_json()
    assert not [s for s in secrets if s.get_secret_value() in shown]


@pytest.mark.parametrize("scope", ["launch", "fhiruser", "FhirUser"])
def test_a_scope_the_server_would_choke_on_is_refused_before_a_person_is_asked(scope: str) -> None:
    with pytest.raises(errors.InvalidConfig, match=r"launch|fhirUser"):
        started("openid", scope)


def test_launch_patient_is_no_launch() -> None:
    assert "launch/patient" in query(started("openid", "launch/patient"))["scope"].split()


def test_a_scope_asked_twice_is_sent_once() -> None:
    assert query(started("user/Goal.read", "user/Goal.read"))["scope"] == "user/Goal.read"


def test_a_launch_needs_a_redirect_uri_and_an_endpoint() -> None:
    with pytest.raises(errors.InvalidConfig, match="redirect URI"):
        started(redirect_uri=None)
    with pytest.raises(errors.InvalidConfig, match="authorization endpoint"):
        begin(connection(), Endpoints(None, TOKEN), SCOPES)


def test_http_is_kept_for_a_practice_on_loopback() -> None:
    endpoints = Endpoints("http://127.0.0.1:8000/authorize", "http://127.0.0.1:8000/token")
    pending = begin(connection(), endpoints, ["user/Patient.read"])
    assert pending.url.get_secret_value().startswith("http://127.0.0.1:8000/authorize?")


# The way back ----------------------------------------------------------------------------------


def test_the_code_is_read_from_the_callback() -> None:
    pending = started()
    assert read_callback(callback(pending), pending, None) == CODE
    same = callback(pending, iss="https://login.example/")
    assert read_callback(same, pending, "https://login.example") == CODE
    assert read_callback(callback(pending, iss="https://any.example"), pending, None) == CODE


@pytest.mark.parametrize(
    "answer",
    [
        *({"state": ""}, {"state": "forged"}, {"code": ""}, {"iss": "https://evil.example"}),
        *({"state": "forged", "error": "access_denied"}, {"state": "é\ufffd"}),
    ],
)
def test_a_callback_that_is_not_the_answer_is_refused(answer: dict[str, str]) -> None:
    pending = started()
    with pytest.raises(errors.InvalidInput, match="begin the authorization again") as caught:
        read_callback(callback(pending, **answer), pending, "https://login.example")
    assert CODE not in everything_said(caught.value)


@pytest.mark.parametrize("url", ["", "https://[bad", "not a URL", "https://x/?state=\ud800", "?"])
def test_what_is_no_callback_at_all_is_refused(url: str) -> None:
    with pytest.raises(errors.InvalidInput, match="begin the authorization again"):
        read_callback(url, started(), None)


def test_a_state_in_front_of_the_right_one_does_not_help() -> None:
    pending = started()
    state = pending.state.get_secret_value()
    doubled = f"https://host.example/callback?state=x&state={state}&code={CODE}"
    with pytest.raises(errors.InvalidInput):
        read_callback(doubled, pending, None)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("access_denied", errors.Forbidden),
        ("invalid_scope", errors.InvalidConfig),
        ("unauthorized_client", errors.InvalidConfig),
        ("invalid_request", errors.InvalidConfig),
        ("unsupported_response_type", errors.InvalidConfig),
        ("server_error", errors.ReauthRequired),
        ("temporarily_unavailable", errors.ReauthRequired),
        ("Ann Canary", errors.ReauthRequired),
    ],
)
def test_an_error_answer_says_who_must_act(error: str, kind: type[errors.ConnectorError]) -> None:
    pending = started()
    with pytest.raises(kind) as caught:
        read_callback(callback(pending, error=error, error_description="Canary"), pending, None)
    assert type(caught.value) is kind
    assert "Canary" not in everything_said(caught.value)


@responses.activate
def test_the_code_is_exchanged_with_the_verifier_that_was_kept() -> None:
    responses.post(TOKEN, json=granted(scope="user/Patient.read", patient="p1"))
    pending = Pending.model_validate(started("user/Patient.read").model_dump())
    url = callback(pending)
    tokens = complete(transport(), connection(), ENDPOINTS, pending, url, FastRun())
    (call,) = responses.calls
    sent = form(call)
    assert sent["code"] == CODE
    assert sent["code_verifier"] == pending.code_verifier.get_secret_value()
    assert sent["redirect_uri"] == "https://host.example/callback"
    assert tokens.access_token.get_secret_value() == "new-access"
    assert tokens.context == {"patient": "p1"}
    assert SECRET not in repr(tokens)
    assert parse_qs(urlsplit(str(call.request.url)).query) == {}


@responses.activate
def test_a_forged_callback_sends_no_code() -> None:
    pending = started("user/Patient.read")
    url = callback(pending, state="forged")
    with pytest.raises(errors.InvalidInput):
        complete(transport(), connection(), ENDPOINTS, pending, url, FastRun())
    assert len(responses.calls) == 0
