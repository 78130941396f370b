"""The token endpoint: what is sent in an exchange and a refresh, and what answers mean."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import requests
import responses

from practicefusion_connector import errors
from practicefusion_connector.smart import oauth
from practicefusion_connector.smart.discovery import Endpoints
from practicefusion_connector.smart.tokens import TokenSet
from tests.leaks import everything_said
from tests.smart.practice import (
    ACCESS,
    CODE,
    ENDPOINTS,
    NOW,
    REFRESH,
    SECRET,
    TOKEN,
    connection,
    form,
    granted,
    tokens,
    transport,
)
from tests.transport.wire import FastRun

VERIFIER = "verifier-canary"
CANARIES = (SECRET, ACCESS, REFRESH, CODE, VERIFIER, "answer-canary")


def exchange(run: FastRun | None = None, **fields: Any) -> TokenSet:
    ours = connection(**fields)
    return oauth.exchange_code(transport(), ours, ENDPOINTS, CODE, VERIFIER, run or FastRun())


def refresh(run: FastRun | None = None, had: TokenSet | None = None, **fields: Any) -> TokenSet:
    ours = connection(**fields)
    return oauth.refresh(transport(), ours, ENDPOINTS, had or tokens(), run or FastRun())


BOTH: list[Callable[..., TokenSet]] = [exchange, refresh]
both = pytest.mark.parametrize("ask", BOTH)


# What is sent ----------------------------------------------------------------------------------


def basic(call: responses.Call) -> list[str]:
    kind, _, coded = call.request.headers["Authorization"].partition(" ")
    assert kind == "Basic"
    return base64.b64decode(coded).decode().split(":")


@responses.activate
def test_an_exchange_sends_code_verifier_and_redirect_uri() -> None:
    responses.post(TOKEN, json=granted())
    exchange()
    assert form(responses.calls[0]) == {
        "grant_type": "authorization_code",
        "code": CODE,
        "code_verifier": VERIFIER,
        "redirect_uri": "https://host.example/callback",
        "client_id": "app id",
        "client_secret": SECRET,
    }


@responses.activate
def test_a_refresh_sends_the_refresh_token() -> None:
    responses.post(TOKEN, json=granted())
    refresh()
    assert form(responses.calls[0]) == {
        "grant_type": "refresh_token",
        "refresh_token": REFRESH,
        "client_id": "app id",
        "client_secret": SECRET,
    }


@both
@responses.activate
def test_a_secret_in_the_body_is_in_no_header(ask: Callable[..., TokenSet]) -> None:
    responses.post(TOKEN, json=granted())
    ask(auth_method="client_secret_post")
    assert "Authorization" not in responses.calls[0].request.headers
    assert form(responses.calls[0])["client_secret"] == SECRET


@both
@responses.activate
def test_basic_encodes_id_and_secret_as_a_form_first(ask: Callable[..., TokenSet]) -> None:
    responses.post(TOKEN, json=granted())
    ask(auth_method="client_secret_basic")
    assert basic(responses.calls[0]) == ["app+id", "secret%2Bcanary%2Fwith%3D"]
    assert "client_secret" not in form(responses.calls[0])


@both
@responses.activate
def test_raw_basic_sends_id_and_secret_as_they_are(ask: Callable[..., TokenSet]) -> None:
    responses.post(TOKEN, json=granted())
    ask(auth_method="client_secret_basic_raw")
    assert basic(responses.calls[0]) == ["app id", SECRET]
    assert "client_secret" not in form(responses.calls[0])


@both
@responses.activate
def test_a_public_application_sends_its_id_and_no_secret(ask: Callable[..., TokenSet]) -> None:
    responses.post(TOKEN, json=granted())
    ask(client_secret=None)
    assert form(responses.calls[0])["client_id"] == "app id"
    assert "client_secret" not in form(responses.calls[0])
    assert "Authorization" not in responses.calls[0].request.headers


@responses.activate
def test_http_is_used_where_a_loopback_practice_declares_it() -> None:
    url = "http://127.0.0.1:8000/token"
    responses.post(url, json=granted())
    oauth.refresh(transport(), connection(), Endpoints(None, url), tokens(), FastRun())
    assert responses.calls[0].request.url == url


# What comes back -------------------------------------------------------------------------------


@both
@responses.activate
def test_an_answer_is_read_whole(ask: Callable[..., TokenSet]) -> None:
    extra = {"need_patient_banner": False, "smart_style_url": "https://x", "unknown": 1}
    answer = granted(refresh_token="new-refresh", scope="a b", patient="p2", **extra)
    responses.post(TOKEN, json=answer)
    got = ask()
    assert got.access_token.get_secret_value() == "new-access"
    assert got.refresh_token is not None
    assert got.refresh_token.get_secret_value() == "new-refresh"
    assert got.scope == ("a", "b")
    assert (got.issued_at, got.expires_at, got.lifetime()) == (NOW, NOW + 300, 300)
    assert got.context["patient"] == "p2"
    assert got.context["need_patient_banner"] is False
    assert "unknown" not in got.context


@responses.activate
def test_a_text_number_is_a_lifetime_and_none_is_none() -> None:
    responses.post(TOKEN, json=granted(expires_in="300"))
    responses.post(TOKEN, json={"access_token": "new-access", "token_type": "Bearer"})
    assert exchange().expires_at == NOW + 300
    assert exchange().expires_at is None


@pytest.mark.parametrize("none", [{}, {"refresh_token": None}, {"refresh_token": ""}])
@responses.activate
def test_a_refresh_keeps_what_the_answer_does_not_say(none: dict[str, Any]) -> None:
    responses.post(TOKEN, json=granted(**none))
    run, had = FastRun(), tokens(scope=("x", "y"), context={"patient": "p1", "encounter": "e1"})
    got = refresh(run, had)
    assert got.refresh_token == had.refresh_token
    assert got.scope == ("x", "y")
    assert got.context == {"patient": "p1", "encounter": "e1"}
    assert got.access_token.get_secret_value() == "new-access"
    assert run.trace.refreshes == 1


def test_without_a_refresh_token_a_person_must_connect_again() -> None:
    with pytest.raises(errors.ReauthRequired, match="offline_access"):
        refresh(had=tokens(refresh_token=None))


SENSELESS: list[dict[str, Any]] = [
    {"body": "<html>answer-canary</html>"},
    {"body": "access_token"},
    {"body": ""},
    {"body": b"\xff\xfe"},
    {"json": ["answer-canary"]},
    {"json": "answer-canary"},
    {"json": None},
    {"json": {}},
    {"json": {"token_type": "Bearer", "expires_in": 300}},
    {"json": granted(expires_in="answer-canary")},
    {"json": granted(expires_in={"seconds": 300})},
    {"json": granted(access_token=None)},
    {"json": granted(access_token="")},
    {"json": granted(access_token={"value": "answer-canary"})},
    {"json": granted(access_token="answer-canary\r\nX-Evil: 1")},
    {"json": granted(access_token="answer canary")},
    {"json": granted(access_token="answer-canary-é")},
    {"json": granted(refresh_token=["answer-canary"])},
    {"json": granted(scope={"answer-canary": 1}, access_token=5)},
    {"json": {"error": "invalid_grant", "error_description": "answer-canary"}},
]


@both
@pytest.mark.parametrize("answer", SENSELESS)
@responses.activate
def test_an_answer_that_makes_no_sense_is_said_so(
    ask: Callable[..., TokenSet], answer: dict[str, Any]
) -> None:
    responses.post(TOKEN, **answer)
    with pytest.raises(errors.InvalidResponse) as caught:
        ask()
    assert_clean(caught.value)
    assert len(responses.calls) == 1


@both
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@responses.activate
def test_a_redirect_takes_no_secret_along(ask: Callable[..., TokenSet], status: int) -> None:
    elsewhere = "https://other.example/token"
    responses.post(TOKEN, status=status, headers={"Location": elsewhere})
    responses.post(elsewhere, json=granted())
    responses.get(elsewhere, json=granted())
    with pytest.raises(errors.InvalidResponse):
        ask()
    assert [call.request.url for call in responses.calls] == [TOKEN]


# Refusals --------------------------------------------------------------------------------------

DEAD: list[tuple[int, dict[str, Any]]] = [
    (400, {"json": {"error": "invalid_grant", "error_description": "answer-canary"}}),
    (400, {"json": {"error": "invalid_request", "error_description": "Invalid token"}}),
    (401, {"json": {"error": "invalid_grant"}}),
    (403, {"json": {"error": "invalid_grant"}}),
    (401, {"json": {"subcode": "Unauthorized", "message": "answer-canary"}}),
    (401, {"body": "Unauthorized", "content_type": "text/plain"}),
    (400, {"body": "<html>answer-canary</html>", "content_type": "text/html"}),
]


@pytest.mark.parametrize(("status", "answer"), DEAD)
@responses.activate
def test_a_refresh_that_is_refused_needs_a_person(status: int, answer: dict[str, Any]) -> None:
    responses.post(TOKEN, status=status, headers={"pfCorrelationId": "c-1"}, **answer)
    with pytest.raises(errors.ReauthRequired) as caught:
        refresh()
    assert (caught.value.http_status, caught.value.correlation_id) == (status, "c-1")
    assert_clean(caught.value)
    assert len(responses.calls) == 1


REFUSED: list[tuple[int, dict[str, Any], type[errors.ConnectorError], str]] = [
    (400, {"error": "invalid_grant"}, errors.ReauthRequired, "code"),
    (
        403,
        {"subcode": "Forbidden", "message": "Invalid launch context"},
        errors.InvalidConfig,
        "launch",
    ),
    (
        403,
        {"message": "client does not have permissions to requested scope"},
        errors.InvalidConfig,
        "scope",
    ),
    (
        401,
        {
            "subcode": "Unauthorized",
            "message": "client does not have permissions to requested scope",
        },
        errors.InvalidConfig,
        "scope",
    ),
    (400, {"error": "invalid_scope"}, errors.InvalidConfig, "scope"),
    (
        403,
        {"message": "The practice has not granted access"},
        errors.Forbidden,
        "practice has not granted",
    ),
    (401, {"error": "invalid_client"}, errors.InvalidConfig, "client secret"),
    (400, {"error": "unauthorized_client"}, errors.InvalidConfig, "client id"),
    (400, {"error": "answer-canary"}, errors.InvalidConfig, "client id"),
]


@pytest.mark.parametrize(("status", "answer", "kind", "told"), REFUSED)
@responses.activate
def test_a_refused_exchange_says_who_must_act(
    status: int, answer: dict[str, Any], kind: type[errors.ConnectorError], told: str
) -> None:
    responses.post(TOKEN, status=status, json=answer)
    with pytest.raises(kind, match=told) as caught:
        exchange()
    assert type(caught.value) is kind
    assert len(responses.calls) == 1


@both
@responses.activate
def test_a_wrong_secret_is_a_wrong_connection_and_no_dead_grant(
    ask: Callable[..., TokenSet],
) -> None:
    responses.post(TOKEN, status=401, json={"error": "invalid_client"})
    with pytest.raises(errors.InvalidConfig, match="client secret"):
        ask()


@both
@responses.activate
def test_a_rate_limit_is_waited_for(ask: Callable[..., TokenSet]) -> None:
    issue = {"severity": "error", "code": "throttled", "details": {"text": "Retry in 9 seconds"}}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    responses.post(TOKEN, status=429, json=outcome)
    responses.post(TOKEN, json=granted())
    run = FastRun()
    assert ask(run).access_token.get_secret_value() == "new-access"
    assert run.slept == [9]


@both
@pytest.mark.parametrize(
    "failure",
    [
        *({"status": 500}, {"status": 502}, {"status": 504}),
        {"body": requests.ReadTimeout()},
        {"body": requests.ConnectionError("reset")},
    ],
)
@responses.activate
def test_what_may_have_been_done_is_not_done_twice(
    ask: Callable[..., TokenSet], failure: dict[str, Any]
) -> None:
    responses.post(TOKEN, **failure)
    responses.post(TOKEN, json=granted())
    with pytest.raises((errors.UpstreamUnavailable, errors.NetworkFailure)) as caught:
        ask()
    assert caught.value.retryable
    assert len(responses.calls) == 1


# Leaks -----------------------------------------------------------------------------------------


def assert_clean(error: errors.ConnectorError) -> None:
    assert error.__cause__ is None
    assert error.__context__ is None
    said = everything_said(error) + "".join(traceback.format_exception(error))
    assert not [canary for canary in CANARIES if canary in said]


@both
@pytest.mark.parametrize("status", [200, 400, 401, 500])
@responses.activate
def test_no_log_shows_a_secret_at_any_level(
    ask: Callable[..., TokenSet], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("requests_oauthlib", "oauthlib", "urllib3", "requests"):
        caplog.set_level(logging.DEBUG, logger=name)
    answer = granted(access_token="answer-canary", refresh_token="answer-canary")
    responses.post(TOKEN, status=status, json=answer)
    if status == 200:
        shown = repr(ask())
        assert "answer-canary" not in shown
    else:
        with pytest.raises(errors.ConnectorError):
            ask()
    assert not [canary for canary in CANARIES if canary in caplog.text]
