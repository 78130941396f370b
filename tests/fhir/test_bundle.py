"""Reading a searchset: matches and includes, what is odd about it, and what was ignored."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from practicefusion_connector.errors import ConnectorError, InvalidResponse, ResponseTooLarge
from practicefusion_connector.fhir.bundle import Page, ignored_parameters, read_page

URL = "https://ehr.example/fhir/Condition?patient=1"
CANARY = "Ann Canary"


def entry(kind: str, logical_id: str = "1", mode: str | None = None, **more: Any) -> dict[str, Any]:
    search = {} if mode is None else {"search": {"mode": mode}}
    return {"resource": {"resourceType": kind, "id": logical_id, **more}, **search}


def read(*entries: Any, **more: Any) -> Page:
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": list(entries), **more}
    return read_page(bundle, "Condition", URL)


def names(resources: list[dict[str, Any]]) -> list[str]:
    return [f"{resource['resourceType']}/{resource['id']}" for resource in resources]


def codes(page: Page) -> list[str]:
    return [warning.code for warning in page.warnings]


def test_without_search_mode_the_type_tells_matches_from_includes() -> None:
    page = read(entry("Condition", "1"), entry("Provenance", "p"), entry("Condition", "2"))
    assert names(page.matches) == ["Condition/1", "Condition/2"]
    assert names(page.included) == ["Provenance/p"]
    assert page.warnings == []


def test_search_mode_is_believed_but_no_other_type_becomes_a_match() -> None:
    page = read(
        entry("Condition", "1", "match"),
        entry("Condition", "2", "include"),
        entry("Patient", "3", "match"),
        entry("Provenance", "4", "include"),
    )
    assert names(page.matches) == ["Condition/1"]
    assert names(page.included) == ["Condition/2", "Patient/3", "Provenance/4"]


@pytest.mark.parametrize("mode", [None, "outcome"])
def test_an_outcome_is_a_warning_with_its_codes_and_without_its_text(mode: str | None) -> None:
    issues = [{"code": "not-supported", "diagnostics": CANARY}, {"code": CANARY}, "x", {}]
    page = read(entry("OperationOutcome", mode=mode, issue=issues), entry("Condition"))
    (warning,) = page.warnings
    assert warning.code == "server_warning"
    assert "not-supported" in warning.message
    assert CANARY not in warning.message
    assert len(page.matches) == 1
    assert page.included == []


@pytest.mark.parametrize("issue", [None, [], "x", [None]])
def test_an_outcome_without_issues_is_a_warning_still(issue: Any) -> None:
    assert codes(read(entry("OperationOutcome", issue=issue))) == ["server_warning"]


@pytest.mark.parametrize(
    "odd",
    [{}, {"fullUrl": "urn:x"}, {"resource": None}, {"resource": {}}, None, "x", {"resource": 5}],
)
def test_an_entry_without_a_resource_is_a_warning_and_hides_no_other(odd: Any) -> None:
    page = read(odd, entry("Condition"))
    assert codes(page) == ["entry_without_resource"]
    assert len(page.matches) == 1


@pytest.mark.parametrize("search", [None, "match", [], {"mode": None}, {"mode": ""}])
def test_a_search_element_that_says_nothing_is_no_mode(search: Any) -> None:
    page = read({**entry("Condition"), "search": search})
    assert len(page.matches) == 1


@pytest.mark.parametrize(
    ("total", "kept", "odd"),
    [
        *((5, 5, False), (1, 1, False), (None, None, False), (0, 0, True), (-1, -1, True)),
        *(("5", None, True), (True, None, True), (5.0, None, True), ([], None, True)),
    ],
)
def test_a_total_is_kept_and_one_that_cannot_be_true_is_a_warning(
    total: Any, kept: int | None, odd: bool
) -> None:
    page = read(entry("Condition"), total=total)
    assert page.total == kept
    assert ("total_mismatch" in codes(page)) == odd


def test_no_match_is_an_empty_page_in_each_of_its_forms() -> None:
    for bundle in ({"entry": [], "total": 0}, {"entry": None}, {}):
        page = read_page(
            {"resourceType": "Bundle", "type": "searchset", **bundle}, "Condition", URL
        )
        assert (page.matches, page.included, page.next) == ([], [], None)


@pytest.mark.parametrize(
    "answer",
    [
        *(
            None,
            [],
            "x",
            5,
            {},
            {"resourceType": "OperationOutcome"},
            {"resourceType": "Condition"},
        ),
        *({"resourceType": "Bundle", "type": kind} for kind in ("batch-response", "document", "x")),
        *({"resourceType": "Bundle", "entry": odd} for odd in (7, "x", {"a": 1})),
        {"resourceType": "Bundle", "type": "searchset", "link": "x"},
        {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next"}]},
        {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next", "url": 5}]},
    ],
)
def test_what_is_no_searchset_is_an_error(answer: Any) -> None:
    with pytest.raises(InvalidResponse):
        read_page(answer, "Condition", URL)


def test_a_page_of_too_many_entries_is_an_error() -> None:
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [entry("Condition")] * 3}
    assert len(read_page(bundle, "Condition", URL, 3).matches) == 3
    with pytest.raises(ResponseTooLarge):
        read_page(bundle, "Condition", URL, 2)


def test_links_are_kept_as_they_are_written() -> None:
    links = [
        {"relation": "self", "url": "https://ehr.example/fhir/Condition?patient=1&code=a%7Cb"},
        {"relation": "first", "url": "https://ehr.example/fhir/Condition?page=1"},
        None,
        {"relation": "next", "url": "Condition?page=2&x=a%2Cb"},
    ]
    page = read(link=links)
    assert page.next == "Condition?page=2&x=a%2Cb"
    assert page.self_query == (("patient", "1"), ("code", "a|b"))


# What the server ignored -----------------------------------------------------------------------


def ignored(asked: list[tuple[str, str]], self_link: str | None) -> list[str]:
    links = [] if self_link is None else [{"relation": "self", "url": self_link}]
    return ignored_parameters(asked, read(link=links))


ASKED = [("patient", "1"), ("date", "ge2026"), ("date", "lt2027"), ("code", "a")]


@pytest.mark.parametrize(
    ("self_link", "names"),
    [
        ("https://x/C?patient=1&date=ge2026&date=lt2027&code=a", []),
        ("C?code=a&date=lt2027&patient=Patient%2F1&date=ge2026&_count=20", []),
        ("C?patient:Patient=1&date=ge2026&date=lt2027&code:text=a", []),
        ("C?patient=1&date=ge2026&date=lt2027", ["code"]),
        ("C?patient=1&date=ge2026&code=a", ["date"]),
        ("C?patient=1&date=ge2026&date=lt2027&code=", ["code"]),
        ("C", ["code", "date", "patient"]),
        (None, []),
        ("", []),
        ("https://[bad?x=1", []),
    ],
)
def test_what_the_self_link_does_not_repeat_was_ignored(
    self_link: str | None, names: list[str]
) -> None:
    assert ignored(ASKED, self_link) == names


# Anything at all -------------------------------------------------------------------------------

KEYS = st.sampled_from(
    ["resourceType", "type", "entry", "resource", "search", "mode", "link", "relation", "url"]
)
VALUES = st.sampled_from(
    ["Bundle", "searchset", "Condition", "OperationOutcome", "next", "self", "match", 1, None, True]
)
ANSWERS = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None)
@given(entries=ANSWERS, links=ANSWERS, total=ANSWERS)
def test_any_answer_is_a_page_or_a_typed_error(entries: Any, links: Any, total: Any) -> None:
    bundle = {"resourceType": "Bundle", "type": "searchset"}
    try:
        page = read_page(
            bundle | {"entry": entries, "link": links, "total": total}, "Condition", URL
        )
    except ConnectorError:
        return
    assert all(found["resourceType"] == "Condition" for found in page.matches)
