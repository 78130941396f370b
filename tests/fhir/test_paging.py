"""Walking a search's pages: lazily, in the server's own words, never round in a circle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from practicefusion_connector.errors import InvalidResponse, ResponseTooLarge
from practicefusion_connector.fhir.cursor import Cursor
from practicefusion_connector.fhir.paging import Step, walk
from tests.fhir.practice import BASE, asked, bundle, client, condition, page_url, serve_pages
from tests.transport.wire import FastRun

START = f"{BASE}/Condition?patient=1"


def steps(start: Cursor | None = None, max_pages: int = 1000) -> Iterator[Step]:
    return walk(client(), "Condition", start or Cursor(START), FastRun, max_pages)


def ids(resources: list[dict[str, Any]]) -> list[str]:
    return [resource["id"] for resource in resources]


@responses.activate
def test_a_page_is_read_only_when_it_is_asked_for() -> None:
    serve_pages([condition(1)], [condition(2)], [condition(3)])
    walking = steps()
    assert asked() == []
    assert ids(next(walking).matches) == ["c1"]
    assert len(asked()) == 1
    assert ids(next(walking).matches) == ["c2"]
    assert len(asked()) == 2
    last = next(walking)
    assert ids(last.matches) == ["c3"]
    assert last.after is None
    assert next(walking, None) is None
    assert len(asked()) == 3


@pytest.mark.parametrize(
    "link",
    [
        f"{BASE}/Condition?page=2&opaque=a%2Cb%7Cc'd",
        "Condition?page=2&opaque=a%2Cb%7Cc'd",
        "?page=2&opaque=a%2Cb%7Cc'd",
        "/fhir/r4/Condition?page=2&opaque=a%2Cb%7Cc'd",
    ],
)
@responses.activate
def test_a_next_link_is_followed_word_for_word(link: str) -> None:
    responses.get(START, json=bundle(condition(1), next=link))
    responses.get(f"{BASE}/Condition", json=bundle(condition(2)))
    assert [ids(step.matches) for step in steps()] == [["c1"], ["c2"]]
    assert asked()[1] == "/Condition?page=2&opaque=a%2Cb%7Cc'd"


@responses.activate
def test_an_empty_page_in_between_does_not_end_the_search() -> None:
    serve_pages([condition(1)], [], [condition(3)])
    assert [ids(step.matches) for step in steps()] == [["c1"], [], ["c3"]]


@responses.activate
def test_a_page_that_links_to_itself_is_an_error() -> None:
    responses.get(START, json=bundle(condition(1), next=START))
    with pytest.raises(InvalidResponse, match="circle"):
        list(steps())
    assert len(asked()) == 1


@responses.activate
def test_a_circle_of_pages_is_an_error_after_the_pages_before_it() -> None:
    responses.get(START, json=bundle(condition(1), next=page_url(2)))
    responses.get(page_url(2), json=bundle(condition(2), next=page_url(3)))
    responses.get(page_url(3), json=bundle(condition(3), next=page_url(2)))
    walking = steps()
    assert ids(next(walking).matches) == ["c1"]
    assert ids(next(walking).matches) == ["c2"]
    with pytest.raises(InvalidResponse, match="circle"):
        next(walking)
    assert len(asked()) == 3


@responses.activate
def test_pages_without_end_stop_at_the_guard_also_across_cursors() -> None:
    def endless(request: Any) -> tuple[int, dict[str, str], str]:
        number = int(request.url.partition("page=")[2] or 1)
        return 200, {}, json.dumps(bundle(condition(number), next=page_url(number + 1)))

    responses.add_callback(responses.GET, f"{BASE}/Condition", endless)
    walking = steps(max_pages=4)
    read = [next(walking) for _ in range(4)]
    with pytest.raises(ResponseTooLarge):
        next(walking)
    assert len(asked()) == 4
    # Going on from a cursor counts on from there.
    later = steps(read[2].after, max_pages=4)
    next(later)
    with pytest.raises(ResponseTooLarge):
        next(later)


@pytest.mark.parametrize(
    "link",
    [
        "https://other.example/fhir/r4/Condition?page=2",
        "/other/Condition",
        "http://ehr.example/fhir/r4/x",
    ],
)
@responses.activate
def test_a_link_away_is_not_followed_and_the_token_stays(link: str) -> None:
    responses.get(START, json=bundle(condition(1), next=link))
    responses.get(link, json=bundle(condition(2)))
    with pytest.raises(InvalidResponse, match="access token"):
        list(steps())
    assert asked() == ["/Condition?patient=1"]


@responses.activate
def test_a_place_within_a_page_skips_what_was_given_and_goes_on_behind_it() -> None:
    serve_pages([condition(1), condition(2), condition(3)], [condition(4)])
    (first, *_) = steps()
    given, after = first.first(2)
    assert ids(given) == ["c1", "c2"]
    assert after is not None
    resumed = list(steps(after))
    assert [ids(step.matches) for step in resumed] == [["c3"], ["c4"]]
    rest, end = resumed[0].first(5)
    assert ids(rest) == ["c3"]
    assert end == resumed[0].after
    again, further = resumed[0].first(1)
    assert (ids(again), further) == (["c3"], resumed[0].after)


@responses.activate
def test_a_page_that_shrank_since_the_cursor_gives_nothing_twice() -> None:
    serve_pages([condition(1)], [condition(2)])
    walked = [ids(step.matches) for step in steps(Cursor(START, skip=5))]
    assert walked == [[], ["c2"]]


@responses.activate
def test_a_total_that_the_pages_do_not_bear_out_is_a_warning() -> None:
    responses.get(START, json=bundle(condition(1), next=page_url(2)) | {"total": 9})
    responses.get(page_url(2), json=bundle(condition(2)) | {"total": 9})
    *_, last = steps()
    assert "total_mismatch" in [warning.code for warning in last.page.warnings]
