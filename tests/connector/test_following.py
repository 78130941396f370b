"""Following a search: pages, limits, cursors; every resource once, whatever the way."""

from __future__ import annotations

from typing import Any

import pytest
import responses
from hypothesis import given, settings
from hypothesis import strategies as st

from practicefusion_connector import Connection, HostTokens, PracticeFusion, errors
from tests.connector.practice import (
    BASE,
    CONDITIONS,
    COUNT,
    TOKEN,
    asked,
    connector,
    ids,
    serve_conditions,
)

SEARCH = "search_conditions"
PATIENT = {"patient": "1"}


@pytest.mark.parametrize(
    ("limit", "requests"), [(1, 1), (3, 1), (4, 2), (6, 2), (7, 3), (8, 3), (1000, 3), ("5", 2)]
)
@responses.activate
def test_max_items_is_reached_across_pages_and_not_passed(limit: Any, requests: int) -> None:
    serve_conditions()
    result = connector().run(SEARCH, PATIENT | {"max_items": limit})
    assert ids(result.resources) == CONDITIONS[: int(limit)]
    assert asked() == result.trace.pages == requests
    assert result.total == COUNT
    assert result.has_more == (int(limit) < COUNT)


@given(limits=st.lists(st.integers(1, 4), min_size=1, max_size=3), size=st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_cursors_go_on_exactly_where_it_stopped(limits: list[int], size: int) -> None:
    with responses.mock:
        serve_conditions(size=size, provenance=True)
        pf, found, included, cursor = connector(), [], [], None
        for turn in range(COUNT + 1):
            inputs = {"max_items": limits[turn % len(limits)]}
            result = pf.run(
                SEARCH, PATIENT | inputs if cursor is None else {"cursor": cursor} | inputs
            )
            found += ids(result.resources)
            included += ids(result.included)
            cursor = result.next_cursor
            if cursor is None:
                break
    responses.mock.reset()
    assert found == CONDITIONS
    assert included == [f"p{number + 1}" for number in range(-(-COUNT // size))]


@responses.activate
def test_a_cursor_without_a_limit_gives_the_next_page() -> None:
    serve_conditions()
    pf, pages, cursor = connector(), [], None
    for _ in range(3):
        result = pf.run(SEARCH, PATIENT if cursor is None else {"cursor": cursor})
        pages.append(ids(result.resources))
        cursor = result.next_cursor
    assert pages == [CONDITIONS[:3], CONDITIONS[3:6], CONDITIONS[6:]]
    assert cursor is None


@responses.activate
def test_a_cursor_goes_along_with_its_own_search_and_no_other() -> None:
    serve_conditions()
    pf = connector()
    cursor = pf.run(SEARCH, PATIENT).next_cursor
    assert pf.run(SEARCH, PATIENT | {"cursor": cursor}).resources
    before = asked()
    with pytest.raises(errors.InvalidInput, match="goes on with another search") as refused:
        pf.run(SEARCH, {"patient": "2", "cursor": cursor})
    assert refused.value.problems[0]["path"] == "cursor"
    assert asked() == before


@responses.activate
def test_a_cursor_outlives_the_connector_but_not_the_connection() -> None:
    serve_conditions()
    cursor = connector().run(SEARCH, PATIENT).next_cursor
    assert ids(connector().run(SEARCH, {"cursor": cursor}).resources) == CONDITIONS[3:6]
    before = asked()
    other = Connection.of(fhir_base_url=f"{BASE}/other", client_id="app")
    with PracticeFusion(other, HostTokens(lambda: TOKEN)) as pf, pytest.raises(errors.InvalidInput):
        pf.run(SEARCH, {"cursor": cursor})
    with pytest.raises(errors.InvalidInput, match="cursor"):
        connector().run("search_goals", {"cursor": cursor})
    with pytest.raises(errors.InvalidInput, match="cursor"):
        connector().run(SEARCH, {"cursor": f"{cursor}x"[1:]})
    assert asked() == before


@responses.activate
def test_pages_are_read_as_they_are_asked_for_each_with_its_own_trace() -> None:
    serve_conditions()
    pages = connector().pages(SEARCH, PATIENT)
    assert asked() == 0
    for number, wanted in enumerate((CONDITIONS[:3], CONDITIONS[3:6], CONDITIONS[6:]), 1):
        result = next(pages)
        assert ids(result.resources) == wanted
        assert asked() == number
        assert result.trace.correlation_ids == [f"page-{number}"]
    assert next(pages, None) is None


@responses.activate
def test_pages_stop_at_a_limit() -> None:
    serve_conditions()
    pages = list(connector().pages(SEARCH, PATIENT | {"max_items": 4}))
    assert [ids(page.resources) for page in pages] == [["c1", "c2", "c3"], ["c4"]]
    assert pages[-1].has_more
    rest = connector().run(SEARCH, {"cursor": pages[-1].next_cursor})
    assert ids(rest.resources) == ["c5", "c6"]


@responses.activate
def test_resources_come_one_by_one_and_lazily() -> None:
    serve_conditions()
    resources = connector().iterate(SEARCH, PATIENT)
    assert asked() == 0
    assert [next(resources)["id"] for _ in range(3)] == CONDITIONS[:3]
    assert asked() == 1
    assert ids(list(resources)) == CONDITIONS[3:]
    assert asked() == 3


@responses.activate
def test_warnings_of_the_first_page_are_given_once() -> None:
    serve_conditions()
    pages = list(connector().pages(SEARCH, {"code": "x"}))
    told = [[warning.code for warning in page.warnings] for page in pages]
    assert "no_patient" in told[0]
    assert not [codes for codes in told[1:] if "no_patient" in codes]


@responses.activate
def test_a_failure_between_pages_leaves_those_before_it() -> None:
    serve_conditions()
    pages = connector(attempts=1).pages(SEARCH, PATIENT)
    assert len(next(pages)) == 3
    responses.reset()
    responses.get(f"{BASE}/Condition", status=503)
    with pytest.raises(errors.UpstreamUnavailable) as caught:
        next(pages)
    assert (caught.value.action, caught.value.connection_id) == (SEARCH, "north")


@responses.activate
def test_a_search_with_too_many_pages_is_told_from_one_that_ended() -> None:
    serve_conditions()
    with pytest.raises(errors.ResponseTooLarge):
        connector(max_pages=2).run(SEARCH, PATIENT | {"max_items": 1000})
    assert len(connector(max_pages=3).run(SEARCH, PATIENT | {"max_items": 1000})) == COUNT
