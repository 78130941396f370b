"""Results are bounded, and what a bound cuts off is behind the cursor: nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic_core import to_json

from practicefusion_connector import PracticeFusion, Result
from practicefusion_connector.errors import ResponseTooLarge
from practicefusion_connector.sandbox import Sandbox

KEY = "search_observations"
LIMIT = 6_000


def size(result: Result) -> int:
    return len(to_json(result.to_dict()))


def ids(resources: list[dict[str, Any]]) -> list[str]:
    return [resource["id"] for resource in resources]


def by_cursor(pf: PracticeFusion, key: str, inputs: dict[str, Any]) -> Iterator[Result]:
    """Run a search again and again from its cursor; only what the cursor lacks is repeated."""
    result = pf.run(key, inputs)
    kept = {
        name: inputs[name] for name in ("max_output_bytes", "view", "max_items") & inputs.keys()
    }
    yield result
    while result.next_cursor:
        result = pf.run(key, {**kept, "cursor": result.next_cursor})
        yield result


@pytest.fixture(scope="module")
def patient(opened: tuple[Sandbox, PracticeFusion]) -> str:
    """The patient with the most observations."""
    observations = opened[0].resources["Observation"].values()
    held = [str(each["subject"]["reference"]) for each in observations]
    return max(held, key=held.count).removeprefix("Patient/")


@pytest.fixture(scope="module")
def everything(opened: tuple[Sandbox, PracticeFusion], patient: str) -> list[str]:
    found = [each["id"] for each in opened[1].iterate(KEY, {"patient": patient})]
    assert len(found) > 10
    return found


@pytest.mark.parametrize("view", ["full", "summary"])
def test_runs_by_cursor_give_everything_within_the_limit(
    pf: PracticeFusion, patient: str, everything: list[str], view: str
) -> None:
    inputs = {"patient": patient, "max_output_bytes": LIMIT, "view": view}
    results = list(by_cursor(pf, KEY, inputs))

    assert [found for result in results for found in ids(result.resources)] == everything
    assert all(size(result) <= LIMIT for result in results)
    assert len(results) > 3
    assert [result.has_more for result in results] == [True] * (len(results) - 1) + [False]


def test_pages_become_smaller_results_and_lose_nothing(
    pf: PracticeFusion, patient: str, everything: list[str]
) -> None:
    inputs = {"patient": patient, "page_size": 10}
    whole = list(pf.pages(KEY, inputs))
    bounded = list(pf.pages(KEY, {**inputs, "max_output_bytes": LIMIT}))

    assert [found for result in bounded for found in ids(result.resources)] == everything
    assert all(size(result) <= LIMIT for result in bounded)
    assert len(bounded) > len(whole) > 1


def test_a_limit_falls_between_what_fits_and_what_does_not(
    pf: PracticeFusion, patient: str, everything: list[str]
) -> None:
    inputs = {"patient": patient, "max_output_bytes": LIMIT, "page_size": 50}
    cut = pf.run(KEY, inputs)
    room = LIMIT - size(cut)
    follower = pf.run(KEY, {"cursor": cut.next_cursor, "page_size": 50})

    assert len(to_json(follower.resources[0])) + 1 > room


@pytest.mark.parametrize("page_size", [2, 5, 200])
def test_max_items_shares_one_limit_over_all_pages(
    pf: PracticeFusion, patient: str, everything: list[str], page_size: int
) -> None:
    inputs = {"patient": patient, "page_size": page_size, "max_items": 1000}
    bounded = pf.run(KEY, {**inputs, "max_output_bytes": LIMIT})
    rest = list(by_cursor(pf, KEY, {"cursor": bounded.next_cursor}))

    assert size(bounded) <= LIMIT
    assert 1 < len(bounded) < len(everything)
    assert ids(bounded.resources) + [i for each in rest for i in ids(each.resources)] == everything


def test_max_items_still_counts(pf: PracticeFusion, patient: str, everything: list[str]) -> None:
    result = pf.run(KEY, {"patient": patient, "max_items": 7, "page_size": 3})

    assert ids(result.resources) == everything[:7]
    assert result.has_more


def test_the_default_limit_is_two_megabytes(pf: PracticeFusion, everything: list[str]) -> None:
    result = pf.run(KEY, {"max_items": 10_000, "page_size": 200})

    assert 1_000_000 < size(result) <= 2_000_000 or not result.has_more


@pytest.mark.parametrize("view", ["full", "summary"])
def test_one_resource_over_the_limit_says_so(
    pf: PracticeFusion, patient: str, everything: list[str], view: str
) -> None:
    inputs = {"id": everything[0], "max_output_bytes": 1000, "view": view}
    with pytest.raises(ResponseTooLarge, match="max_output_bytes") as single:
        pf.run("get_observation", inputs)
    with pytest.raises(ResponseTooLarge) as searched:
        pf.run(KEY, inputs)

    assert ("summary view" in single.value.message) == (view == "full")
    assert single.value.action == "get_observation"
    assert searched.value.remedy == "narrow_search"


def test_what_comes_along_comes_once_and_counts(
    pf: PracticeFusion, patient: str, everything: list[str]
) -> None:
    inputs = {"patient": patient, "revinclude": "Provenance:target", "page_size": 5}
    whole = pf.run(KEY, inputs)
    # A page of five without its last: what came along goes with the first part.
    limit = size(whole) - 100
    parts = [pf.run(KEY, {**inputs, "max_output_bytes": limit})]
    parts.append(pf.run(KEY, {"cursor": parts[0].next_cursor, "max_output_bytes": limit}))

    assert whole.included
    assert parts[0].included == whole.included
    assert parts[1].included == []
    assert [len(part) for part in parts] == [4, 1]
    assert all(size(part) <= limit for part in parts)
    with pytest.raises(ResponseTooLarge, match="came along"):
        pf.run(KEY, {**inputs, "max_output_bytes": len(to_json(whole.included))})
