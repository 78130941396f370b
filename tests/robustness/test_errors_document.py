"""docs/errors.md says what the code does: the tree, the codes, and what answers become."""

from __future__ import annotations

import json
import pickle
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from requests.structures import CaseInsensitiveDict

from practicefusion_connector import Policy, errors
from practicefusion_connector.resources import folder
from practicefusion_connector.transport.problems import error_from
from practicefusion_connector.transport.waits import asked_wait
from tests.robustness.documents import check_part, table

NOW = 1_795_221_200.0
Said = tuple[str, int, dict[str, str], Any]


def outcome(code: str, text: str = "") -> dict[str, Any]:
    issue = {"severity": "error", "code": code, "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


ANSWERS: list[Said] = [
    ("400", 400, {}, outcome("invalid")),
    ("400, OperationOutcome `throttled`", 400, {}, outcome("throttled")),
    ("401", 401, {}, None),
    ("403", 403, {}, outcome("forbidden")),
    (
        '403, `WWW-Authenticate: Bearer error="insufficient_scope"`',
        403,
        {"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
        None,
    ),
    (
        "403, words about scopes",
        403,
        {},
        outcome("forbidden", "Scope user/Patient.read is required."),
    ),
    ("404", 404, {}, outcome("not-found")),
    ("408", 408, {}, None),
    ("410", 410, {}, outcome("deleted")),
    ("413", 413, {}, None),
    ("422", 422, {}, outcome("business-rule")),
    ("425", 425, {}, None),
    ("429", 429, {}, None),
    ("another 4xx", 418, {}, None),
    ("500, 501, 502, another 5xx", 502, {}, None),
    ("503", 503, {}, None),
    ("503, OperationOutcome `throttled`", 503, {}, outcome("throttled")),
    ("504", 504, {}, None),
]
# What becomes of these is shown by the fault matrix and by the tests of the transport.
WITHOUT_A_STATUS = [
    ("3xx", "invalid_response"),
    ("no connection, or it breaks", "network"),
    ("silence", "timeout"),
    ("not JSON, or JSON that can be read in two ways", "invalid_response"),
    ("another resource, another Bundle, a link to another server", "invalid_response"),
    ("beyond a bound of size, depth, entries or pages", "response_too_large"),
    ("a certificate that cannot be verified", "invalid_config"),
    ("three different access tokens refused in a row", "reauth_required"),
    ("token endpoint: `invalid_grant`, or a refused refresh", "reauth_required"),
    ("token endpoint: `invalid_client`, `invalid_scope`", "invalid_config"),
]
WAITS: list[tuple[str, dict[str, str], str]] = [
    ("`Retry-After: 30`", {"Retry-After": "30"}, ""),
    (
        "`Retry-After: Sat, 21 Nov 2026 00:33:50 GMT`",
        {"Retry-After": "Sat, 21 Nov 2026 00:33:50 GMT"},
        "",
    ),
    ("`Retry-After: 1795221230` (epoch seconds)", {"Retry-After": "1795221230"}, ""),
    ("`Retry-After: 1795221230000` (epoch milliseconds)", {"Retry-After": "1795221230000"}, ""),
    ("an epoch time more than a day off", {"Retry-After": "4102444800"}, ""),
    ('`RateLimit: "requests";r=0;t=30`', {"RateLimit": '"requests";r=0;t=30'}, ""),
    (
        "`RateLimit: limit=100, remaining=0, reset=30`",
        {"RateLimit": "limit=100, remaining=0, reset=30"},
        "",
    ),
    ("`RateLimit-Reset: 30`, `X-RateLimit-Reset: 30`", {"X-RateLimit-Reset": "30"}, ""),
    ('"Try in another 844 seconds" in an OperationOutcome', {}, "Try in another 844 seconds"),
    ('"wait 1 minute and 30 seconds"', {}, "wait 1 minute and 30 seconds"),
]


def error_for(said: Said) -> errors.ConnectorError:
    _, status, headers, body = said
    content = b"" if body is None else json.dumps(body).encode()
    return error_from(
        status, CaseInsensitiveDict(headers), content, now=NOW, asked_for="Patient/{id}"
    )


def test_the_tree_is_the_tree_of_the_code() -> None:
    drawn = (errors.__doc__ or "").split("\n\n")[1]
    for name in (cls.__name__ for cls in errors.BY_CODE.values()):
        assert name in drawn
    check_part("errors.md", "tree", f"```\n{drawn}\n```")


def test_the_table_of_codes_is_the_codes() -> None:
    rows = [
        [
            f"`{name}`",
            "yes" if code.retryable else "no",
            f"`{code.remedy}`",
            str(code.http_status),
            code.advice,
        ]
        for name, code in errors.CODES.items()
    ]
    check_part(
        "errors.md", "codes", table(["code", "retry", "remedy", "as HTTP", "what to do"], rows)
    )


def test_the_table_of_answers_is_what_answers_become() -> None:
    rows = [[said[0], f"`{error_for(said).code}`"] for said in ANSWERS]
    rows += [[what, f"`{code}`"] for what, code in WITHOUT_A_STATUS]
    assert all(code in errors.CODES for _, code in WITHOUT_A_STATUS)
    check_part("errors.md", "answers", table(["the server", "code"], rows))


def test_the_table_of_waits_is_what_is_read() -> None:
    rows = []
    for what, headers, words in WAITS:
        wait = asked_wait(CaseInsensitiveDict(headers), NOW, [words] if words else [])
        rows.append([what, f"{wait:g} s"])
    check_part("errors.md", "waits", table(["the server says", "wait"], rows))


def test_every_bound_in_the_document_is_a_field_with_that_default() -> None:
    text = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.partition("## Bounds")[2].splitlines()]
    told = {row[1].strip("`"): row[2] for row in rows if len(row) == 4 and row[1].startswith("`")}
    policy = Policy()
    names = {field.name for field in fields(Policy)}
    for name in (part.strip("` ") for given in told for part in given.split(",")):
        assert name in names
    for name, shown in (
        ("deadline", f"{policy.deadline:g} s"),
        ("connect_timeout", f"{policy.connect_timeout:g} s"),
        ("read_timeout", f"{policy.read_timeout:g} s"),
        ("attempts", str(policy.attempts)),
        ("longest_wait", f"{policy.longest_wait:g} s"),
        ("max_body_bytes", f"{policy.max_body_bytes // 2**20} MiB"),
        ("max_header_bytes", f"{policy.max_header_bytes // 2**10} KiB"),
        ("max_json_depth", str(policy.max_json_depth)),
        ("max_entries", f"{policy.max_entries:,}"),
        ("max_pages", f"{policy.max_pages:,}"),
    ):
        assert told[name] == shown


@pytest.mark.parametrize("said", ANSWERS, ids=lambda said: str(said[0]))
def test_errors_match_their_schema_survive_pickling_and_keep_free_text_apart(said: Said) -> None:
    schema = json.loads((folder("schemas") / "error.schema.json").read_text(encoding="utf-8"))
    error = error_for(said)
    jsonschema.validate(error.to_dict(), schema)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.to_dict()) == (type(error), error.to_dict())
    assert error.retryable is errors.CODES[error.code].retryable
    if error.diagnostics:
        assert error.diagnostics not in str(error) + json.dumps(error.to_dict()) + repr(error)


def test_a_missing_scope_names_the_scope_and_is_no_expired_login() -> None:
    error = error_for(next(said for said in ANSWERS if said[0] == "403, words about scopes"))
    assert isinstance(error, errors.MissingScope)
    assert not isinstance(error, errors.AuthError)
    assert error.missing_scopes == ["user/Patient.read"]
    assert (error.remedy, error.retryable) == ("reconnect_with_scopes", False)


def test_codes_are_of_known_lists_so_that_nothing_else_gets_into_an_error() -> None:
    body = {"error": "Shaw", "subcode": "Canarysson", **outcome("1931-03-14")}
    error = error_for(("", 400, {}, body))
    assert error.issues == [{"severity": "error", "code": "unknown"}]
