"""The error tree: one class for each code, drawn as it is, the same on every face and pickled."""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from practicefusion_connector import errors
from practicefusion_connector.errors import BY_CODE, CODES, ConnectorError

SCHEMA = Draft202012Validator(
    json.loads((Path(__file__).parents[1] / "schemas" / "error.schema.json").read_text("utf-8"))
)
FULL: dict[str, Any] = {
    "retry_after": 12.5,
    "http_status": 429,
    "correlation_id": "a1-b2",
    "issues": [{"severity": "error", "code": "throttled"}],
    "problems": [{"path": "date", "message": "is text"}],
    "missing_scopes": ["user/Patient.read"],
    "action": "search_patients",
    "connection_id": "north",
}
CANARY = "Ann Canary"


def tree(root: type[ConnectorError] = ConnectorError) -> Iterator[type[ConnectorError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


CLASSES = list(tree())
each_class = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)


def test_each_code_has_one_class_and_each_class_a_code() -> None:
    own = [kind.code for kind in CLASSES if "code" in vars(kind) and kind is not ConnectorError]
    assert sorted(own) == sorted(CODES)
    assert {code: kind.code for code, kind in BY_CODE.items()} == {code: code for code in CODES}
    assert all(kind.code in CODES for kind in CLASSES)


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn: list[tuple[str, str, str | None]] = []
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"([│├└─ ]*)([A-Z]\w+)(?: +([a-z_]+\b(?=  )))?", line)
        if not found or (not found[1] and found[2] != "ConnectorError"):
            continue
        depth = len(found[1]) // 4
        path = [*path[:depth], found[2]]
        drawn.append((found[2], path[-2] if depth else "Exception", found[3]))
    real = [
        (
            kind.__name__,
            kind.__bases__[0].__name__,
            kind.code if "code" in vars(kind) and kind is not ConnectorError else None,
        )
        for kind in CLASSES
    ]
    assert drawn == real


@each_class
@pytest.mark.parametrize("given", [{}, FULL, {"retry_after": 0.0, "http_status": 500}])
def test_an_error_is_problem_details_and_comes_back(
    kind: type[ConnectorError], given: dict[str, Any]
) -> None:
    error = kind("A sentence.", **given)
    told = json.loads(json.dumps(error.to_dict()))
    SCHEMA.validate(told)
    assert told == error.to_dict()
    assert (told["code"], told["detail"]) == (kind.code, "A sentence.")
    assert told.get("retry_after_seconds") == given.get("retry_after")
    for again in (
        ConnectorError.from_dict(told),
        pickle.loads(pickle.dumps(error)),
        copy.copy(error),
        copy.deepcopy(error),
    ):
        assert type(again) is BY_CODE[kind.code]
        assert again.to_dict() == error.to_dict()
        assert str(again) == "A sentence."


@each_class
def test_what_helps_is_a_property_of_the_code(kind: type[ConnectorError]) -> None:
    error, code = kind("x"), CODES[kind.code]
    assert (error.retryable, error.remedy) == (code.retryable, code.remedy)
    told = error.to_dict()
    assert (told["title"], told["status"], told["advice"]) == (
        code.title,
        code.http_status,
        code.advice,
    )
    assert told["type"] == f"urn:practicefusion-connector:error:{kind.code}"


@each_class
def test_free_text_of_the_server_is_kept_apart(kind: type[ConnectorError]) -> None:
    error = kind("A sentence.", diagnostics=CANARY, **FULL)
    assert error.diagnostics == CANARY
    shown = f"{error} {error!r} {error.to_dict()} {pickle.dumps(error)!r}"
    assert CANARY not in shown


def test_an_error_without_extras_says_only_what_is_true_of_its_code() -> None:
    assert set(errors.NotFound("x").to_dict()) == {
        *("type", "title", "status", "detail", "code", "retryable", "remedy", "advice"),
    }


def test_lists_given_are_copied() -> None:
    problems = [{"path": "a", "message": "b"}]
    error = errors.InvalidInput("x", problems=problems, missing_scopes=iter(["s"]))
    problems[0]["path"] = "changed"
    problems.clear()
    assert error.problems == [{"path": "a", "message": "b"}]
    assert error.missing_scopes == ["s"]


def test_waiting_helps_exactly_where_it_is_the_remedy_or_a_refresh_is() -> None:
    for code in CODES.values():
        assert code.retryable == (code.remedy in ("wait", "refresh"))


def test_a_missing_scope_is_a_forbidden_and_never_an_expired_login() -> None:
    assert issubclass(errors.MissingScope, errors.Forbidden)
    assert not issubclass(errors.MissingScope, errors.AuthError)
