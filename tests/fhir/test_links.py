"""Which links are followed: only those under the FHIR base, however they are written."""

from __future__ import annotations

import pytest

from practicefusion_connector.errors import InvalidResponse
from practicefusion_connector.fhir.links import within
from tests.leaks import everything_said

BASE = "https://ehr.example/fhir/r4"
PAGE = f"{BASE}/Condition?patient=1"


@pytest.mark.parametrize(
    ("link", "followed"),
    [
        (f"{BASE}/Condition?page=2&x=a%2Cb%7C", f"{BASE}/Condition?page=2&x=a%2Cb%7C"),
        (f"{BASE}?_getpages=x&_offset=20", f"{BASE}?_getpages=x&_offset=20"),
        (f"{BASE}/?x=1", f"{BASE}/?x=1"),
        (f"{BASE}/a/b/c", f"{BASE}/a/b/c"),
        ("Condition?page=2", f"{BASE}/Condition?page=2"),
        ("?page=2", f"{BASE}/Condition?page=2"),
        ("/fhir/r4/Condition?page=2", f"{BASE}/Condition?page=2"),
        ("//ehr.example/fhir/r4/x", f"{BASE}/x"),
        ("../r4/Condition?page=2", f"{BASE}/Condition?page=2"),
        ("https://ehr.example:443/fhir/r4/x", "https://ehr.example:443/fhir/r4/x"),
        ("https://EHR.Example/fhir/r4/x", "https://EHR.Example/fhir/r4/x"),
        (f"{BASE}/Condition?next=https://other.example/..", None),
        (f"{BASE}/Condition?x=../../y", None),
        (f"{BASE}/a..b/c", None),
    ],
)
def test_a_link_under_the_base_is_followed_as_it_is(link: str, followed: str | None) -> None:
    assert within(BASE, link, of=PAGE) == (followed or link)


@pytest.mark.parametrize(
    "link",
    [
        "https://other.example/fhir/r4/Condition",
        "https://ehr.example.other.example/fhir/r4/x",
        "https://sub.ehr.example/fhir/r4/x",
        "https://ehr.example./fhir/r4/x",
        "http://ehr.example/fhir/r4/x",
        "https://ehr.example:8443/fhir/r4/x",
        "https://ehr.example:bad/fhir/r4/x",
        "https://ehr.example:99999/fhir/r4/x",
        "//other.example/fhir/r4/x",
        "/other/Condition",
        "https://ehr.example/fhir/r4x/Condition",
        "https://ehr.example/fhir/R4/Condition",
        "https://ehr.example/fhir",
        "https://ehr.example",
        "../x",
        "../../x",
        f"{BASE}/../x",
        f"{BASE}/%2e%2e/x",
        f"{BASE}/%2E./x",
        f"{BASE}/.%2e/x",
        f"{BASE}/a%2f..%2f..%2fx",
        f"{BASE}/..",
        "https://user@ehr.example/fhir/r4/x",
        "https://user:pw@ehr.example/fhir/r4/x",
        "https://:pw@ehr.example/fhir/r4/x",
        "https://@ehr.example/fhir/r4/x",
        "https://other.example\\@ehr.example/fhir/r4/x",
        "https://ehr.example\\@other.example/fhir/r4/x",
        "https://[bad",
        "javascript:alert(1)",
        "file:///fhir/r4/x",
        "data:,x",
    ],
)
def test_a_link_anywhere_else_is_an_error_that_does_not_repeat_it(link: str) -> None:
    with pytest.raises(InvalidResponse, match="access token") as caught:
        within(BASE, link, of=PAGE)
    assert link not in everything_said(caught.value)


def test_a_base_at_the_root_of_a_host_and_one_on_loopback_hold_the_same_rules() -> None:
    assert (
        within("https://ehr.example", "/x", of="https://ehr.example/y") == "https://ehr.example/x"
    )
    local = "http://127.0.0.1:8000/fhir"
    assert within(local, "x?page=2", of=f"{local}/Condition") == f"{local}/x?page=2"
    assert within("http://localhost:80/f", "http://localhost/f/x", of="http://localhost:80/f/y")
    with pytest.raises(InvalidResponse):
        within(local, "http://127.0.0.1:8001/fhir/x", of=f"{local}/Condition")
