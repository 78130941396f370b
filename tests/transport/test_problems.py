"""From an HTTP answer to a typed error: statuses, the four shapes, ids, scopes, no free text."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from practicefusion_connector import errors
from practicefusion_connector.transport.problems import error_from
from tests.leaks import everything_said

CANARY = "Ann Canary, born 1980-01-01"


def read(status: int, body: Any = None, **headers: str) -> errors.ConnectorError:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    asked_for = "Patient/{id}"
    return error_from(status, CaseInsensitiveDict(fields), raw, now=0.0, asked_for=asked_for)


def outcome(code: str, **more: Any) -> dict[str, Any]:
    issue = {"severity": "error", "code": code, **more}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "rejected"),
        (401, "auth_expired"),
        (403, "forbidden"),
        (404, "not_found"),
        (405, "rejected"),
        (408, "timeout"),
        (409, "rejected"),
        (410, "gone"),
        (413, "response_too_large"),
        (418, "rejected"),
        (422, "rejected"),
        (425, "upstream_unavailable"),
        (429, "rate_limited"),
        (500, "upstream_unavailable"),
        (501, "upstream_unavailable"),
        (502, "upstream_unavailable"),
        (503, "upstream_unavailable"),
        (504, "timeout"),
        (599, "upstream_unavailable"),
    ],
)
def test_each_status_has_its_code_whatever_the_body(status: int, code: str) -> None:
    bodies: tuple[Any, ...] = (None, {}, [], "text", b"", b"<html>", b"\xff", outcome("processing"))
    for body in bodies:
        error = read(status, body)
        assert error.code == code
        assert error.http_status == status
        assert str(status) in str(error)
        assert "Patient/{id}" in str(error)


SHAPES: list[tuple[Any, list[dict[str, str]]]] = [
    (
        {"error": "invalid_grant", "error_description": CANARY},
        [{"severity": "error", "code": "invalid_grant"}],
    ),
    (
        {"subcode": "Forbidden", "message": CANARY},
        [{"severity": "error", "code": "Forbidden"}],
    ),
    (
        outcome("not-found", diagnostics=CANARY),
        [{"severity": "error", "code": "not-found"}],
    ),
    (
        outcome("invalid", details={"text": CANARY}),
        [{"severity": "error", "code": "invalid"}],
    ),
    ({"message": CANARY}, []),
]


@pytest.mark.parametrize(("body", "issues"), SHAPES)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_every_shape_gives_its_codes_and_keeps_its_text_apart(
    status: int, body: Any, issues: list[dict[str, str]]
) -> None:
    error = read(status, body)
    assert error.issues == issues
    assert CANARY in (error.diagnostics or "")
    assert CANARY not in everything_said(error)
    assert CANARY not in everything_said(pickle.loads(pickle.dumps(error)))


def test_an_issue_code_that_is_a_sentence_is_not_a_code() -> None:
    error = read(400, outcome(CANARY))
    assert error.issues == [{"severity": "error", "code": "unknown"}]
    assert read(400, {"error": CANARY}).issues == []
    assert CANARY not in everything_said(read(400, {"error": CANARY, "subcode": CANARY}))


@pytest.mark.parametrize(
    "name", ["pfCorrelationId", "X-Correlation-Id", "X-Request-Id", "pfcorrelationid"]
)
def test_the_correlation_id_comes_from_the_header(name: str) -> None:
    headers = CaseInsensitiveDict({name: "a1-b2"})
    error = error_from(500, headers, b"", now=0.0, asked_for="Patient")
    assert error.correlation_id == "a1-b2"
    assert error.to_dict()["correlation_id"] == "a1-b2"


def test_the_server_s_own_id_outranks_a_proxy_s() -> None:
    assert read(500, {"pfCorrelationId": "own"}, X_Request_Id="proxy").correlation_id == "own"
    assert read(500, outcome("x") | {"pfCorrelationId": "own"}).correlation_id == "own"
    assert read(500, {"request_id": "gateway"}).correlation_id == "gateway"


def test_what_is_no_id_is_not_kept_as_one() -> None:
    assert read(500, {"pfCorrelationId": CANARY}).correlation_id is None
    assert read(500, {"pfCorrelationId": 7}, X_Request_Id="a b").correlation_id is None


@pytest.mark.parametrize(
    ("body", "headers", "scopes"),
    [
        ({"error": "insufficient_scope"}, {}, []),
        (None, {"WWW_Authenticate": 'Bearer error="insufficient_scope"'}, []),
        (
            None,
            {"WWW_Authenticate": 'Bearer error="insufficient_scope", scope="user/Goal.read"'},
            ["user/Goal.read"],
        ),
        (
            outcome("forbidden", diagnostics="Needs scope patient/Observation.rs or user/Goal.s"),
            {},
            ["patient/Observation.rs", "user/Goal.s"],
        ),
        ({"message": "client does not have permissions to requested scope"}, {}, []),
    ],
)
def test_a_missing_scope_is_named_and_never_an_expired_login(
    body: Any, headers: dict[str, str], scopes: list[str]
) -> None:
    error = read(403, body, **headers)
    assert error.code == "missing_scope"
    assert error.missing_scopes == scopes
    assert error.remedy == "reconnect_with_scopes"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_throttle_in_an_outcome_is_a_rate_limit_whatever_the_status(status: int) -> None:
    error = read(status, outcome("throttled", details={"text": "Wait 4 seconds"}))
    assert error.code == "rate_limited"
    assert error.retry_after == 4


def test_a_wait_is_kept_only_where_waiting_helps() -> None:
    assert read(429, Retry_After="9").retry_after == 9
    assert read(503, Retry_After="9").retry_after == 9
    assert read(403, Retry_After="9").retry_after is None
    assert read(404, outcome("not-found", diagnostics="wait 9 s")).retry_after is None


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "OperationOutcome"},
        {"resourceType": "OperationOutcome", "issue": "x"},
        {"resourceType": "OperationOutcome", "issue": [None, 5, {}, {"details": []}, {"code": []}]},
        {"error": {"code": 1}, "message": ["x"], "subcode": None},
        {"issue": [{"code": "throttled"}]},
    ],
)
def test_a_malformed_problem_is_still_its_status(body: Any) -> None:
    assert read(400, body).code == "rejected"


WORDS = (
    *("resourceType", "issue", "code", "severity", "details", "text", "diagnostics", "error"),
    *("error_description", "subcode", "message", "pfCorrelationId", "request_id"),
)
NAMES = st.sampled_from(WORDS)
VALUES = st.sampled_from([CANARY, "OperationOutcome", "throttled", "scope", 5, None, True, 1.5])
BODIES = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(status=st.integers(300, 599), body=BODIES, garbage=st.binary(max_size=20))
def test_whatever_a_server_says_is_a_typed_error_without_its_words(
    status: int, body: Any, garbage: bytes
) -> None:
    for raw in (json.dumps(body).encode(), garbage):
        error = read(status, raw, WWW_Authenticate=CANARY, pfCorrelationId=CANARY)
        assert error.code in errors.CODES
        assert CANARY not in everything_said(error)
