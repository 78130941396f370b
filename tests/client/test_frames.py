"""Rows of the summary view are what pandas and polars take as they are."""

from __future__ import annotations

from typing import Any

import pytest

from practicefusion_connector import PracticeFusion
from practicefusion_connector.registry import shipped

SEARCHES = [action for action in shipped() if action.operation == "search"]


@pytest.mark.parametrize("action", SEARCHES, ids=lambda action: action.key)
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_every_summary_is_a_frame(pf: PracticeFusion, library: str, action: Any) -> None:
    frames = pytest.importorskip(library, reason=f"service missing: {library} is not installed")
    rows = pf.run(action.key, {"max_items": 10_000, "page_size": 200}).summary()
    frame = frames.DataFrame(rows)

    assert rows
    assert list(frame.columns) == list(rows[0])
    assert len(frame) == len(rows)
    assert frame["id"].to_list() == [row["id"] for row in rows]


@pytest.mark.parametrize("view", ["full", "summary"])
def test_a_decimal_is_a_float_in_every_row(pf: PracticeFusion, view: Any) -> None:
    polars = pytest.importorskip("polars", reason="service missing: polars is not installed")
    result = pf.search_observations(code=["29463-7", "8867-4"], max_items=200, view=view)
    values = [each["valueQuantity"]["value"] for each in result.resources]
    rows = result.summary()

    assert {type(value) for value in values} >= {int, float}
    assert [row["value_number"] for row in rows] == values
    assert {type(row["value_number"]) for row in rows} == {float}
    whole_first = sorted(rows, key=lambda row: not float(str(row["value_number"])).is_integer())
    frame = polars.DataFrame(whole_first, infer_schema_length=1)
    assert sorted(frame["value_number"].to_list()) == sorted(values)


def test_numbers_are_numbers(pf: PracticeFusion) -> None:
    pandas = pytest.importorskip("pandas", reason="service missing: pandas is not installed")
    result = pf.search_observations(code="29463-7", max_items=50, view="summary")
    frame = pandas.DataFrame(result.summary())

    values = [each["valueQuantity"]["value"] for each in result.resources]
    assert values
    assert frame["value_number"].mean() == pytest.approx(sum(values) / len(values))
