"""Cursors: they come back as they went out, and only where they belong."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.fhir.cursor import Cursor, CursorCodec
from tests.leaks import everything_said

BASE = "https://ehr.example/fhir/r4"
CODEC = CursorCodec(BASE, "app", "secret")
PLACE = Cursor(f"{BASE}/Patient?name=Canary&page=2", 7, 3)


@settings(max_examples=100, deadline=None)
@given(path=st.text(max_size=60), skip=st.integers(0, 10**6), pages=st.integers(0, 1000))
def test_a_place_under_the_base_comes_back(path: str, skip: int, pages: int) -> None:
    place = Cursor(f"{BASE}/{path}", skip, pages)
    try:
        text = CODEC.write("search_patients", place)
    except UnicodeEncodeError:
        return
    assert CODEC.read("search_patients", text) == place
    assert CODEC.read("search_patients", f" {text}\n") == place


def test_a_place_at_the_base_itself_or_under_another_spelling_of_it_comes_back() -> None:
    for url in (f"{BASE}/Patient", "https://ehr.example:443/fhir/r4/Patient?page=2"):
        text = CODEC.write("search_patients", Cursor(url))
        assert CODEC.read("search_patients", text).url == url
    # Relative to the base; resolving it is the reader's part.
    text = CODEC.write("search_patients", Cursor(f"{BASE}?_getpages=x"))
    assert CODEC.read("search_patients", text).url in ("?_getpages=x", f"{BASE}?_getpages=x")


def test_a_cursor_is_safe_in_a_url_and_long_ones_work() -> None:
    place = Cursor(f"{BASE}/Patient?_id=" + ",".join(map(str, range(3000))), 1, 1)
    text = CODEC.write("search_patients", place)
    assert text.replace("-", "").replace("_", "").isalnum()
    assert CODEC.read("search_patients", text) == place


OTHERS = {
    "another base": CursorCodec("https://ehr.example/fhir/other", "app", "secret"),
    "another application": CursorCodec(BASE, "app2", "secret"),
    "another secret": CursorCodec(BASE, "app", "secret2"),
    "no secret": CursorCodec(BASE, "app", None),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_cursor_of_another_connection_is_refused(other: str) -> None:
    with pytest.raises(InvalidInput):
        OTHERS[other].read("search_patients", CODEC.write("search_patients", PLACE))


def test_a_cursor_of_another_action_is_refused() -> None:
    text = CODEC.write("search_patients", PLACE)
    with pytest.raises(InvalidInput, match="search_goals: cursor") as caught:
        CODEC.read("search_goals", text)
    assert caught.value.problems[0]["path"] == "cursor"
    assert "Canary" not in everything_said(caught.value)


def test_a_cursor_changed_anywhere_is_refused() -> None:
    text = CODEC.write("search_patients", PLACE)
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for at in range(len(raw)):
        changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        with pytest.raises(InvalidInput):
            CODEC.read("search_patients", base64.urlsafe_b64encode(changed).decode())
    for cut in (raw[:-1], raw[1:], raw[:16], raw[:3], b""):
        with pytest.raises(InvalidInput):
            CODEC.read("search_patients", base64.urlsafe_b64encode(cut).decode())


def test_a_cursor_cannot_be_made_up_to_reach_another_server() -> None:
    body = json.dumps(["https://other.example/steal", 0, 0]).encode()
    for seal in (b"\0" * 16, b"", body[:16]):
        with pytest.raises(InvalidInput):
            CODEC.read("search_patients", base64.urlsafe_b64encode(seal + body).decode())


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=60))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        CODEC.read("search_patients", text)
