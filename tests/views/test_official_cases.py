"""SQL on FHIR v2's official test cases, where they are present.

`expected_failures.toml` lists the cases known not to pass, each with a reason; a listed case that
passes fails the run, so the list stays true.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector.fhir.views import View, ViewError

CASES = Path(__file__).parents[3] / "shared" / "data" / "sql-on-fhir-tests"
EXPECTED_FAILURES = tomllib.loads(
    Path(__file__).with_name("expected_failures.toml").read_text(encoding="utf-8")
)


def _cases() -> list[Any]:
    cases = []
    for file in sorted(CASES.glob("*.json")):
        suite = json.loads(file.read_text(encoding="utf-8"))
        for number, case in enumerate(suite["tests"]):
            name = f"{file.stem}/{number}: {case['title']}"
            reason = EXPECTED_FAILURES.get(name)
            marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
            cases.append(pytest.param(suite["resources"], case, id=name, marks=marks))
    return cases


def _comparable(rows: list[dict[str, Any]]) -> list[str]:
    # The specification promises no order of rows, so both sides are sorted.
    return sorted(json.dumps(_numbers(row), sort_keys=True) for row in rows)


def _numbers(row: dict[str, Any]) -> dict[str, Any]:
    """JSON has one kind of number: 5 and 5.0 are equal."""
    return {
        key: int(value) if isinstance(value, float) and value.is_integer() else value
        for key, value in row.items()
    }


@pytest.mark.skipif(not CASES.is_dir(), reason="the official test cases are not here")
@pytest.mark.parametrize(("resources", "case"), _cases())
def test_official_case(resources: list[dict[str, Any]], case: dict[str, Any]) -> None:
    if case.get("expectError"):
        with pytest.raises(ViewError):
            list(View.from_definition(case["view"]).rows(resources))
        return
    view = View.from_definition(case["view"])
    rows = list(view.rows(resources))
    assert _comparable(rows) == _comparable(case["expect"])
    names = [column.name for column in view.columns]
    assert names == case.get("expectColumns", names)
    assert all(list(row) == names for row in rows)


@pytest.mark.skipif(not CASES.is_dir(), reason="the official test cases are not here")
def test_every_expected_failure_names_a_case() -> None:
    assert set(EXPECTED_FAILURES) <= {case.id for case in _cases()}
