"""How long a server asks to wait, in every form servers write it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from practicefusion_connector.transport.waits import asked_wait

NOW = 1_795_221_200.0  # 2026-11-21T00:33:20Z


def asked(*texts: str, **headers: str) -> float | None:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return asked_wait(CaseInsensitiveDict(fields), NOW, texts)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", 0),
        ("120", 120),
        (" 5 ", 5),
        ("1.5", 1.5),
        ("-5", 0),
        ("Sat, 21 Nov 2026 00:34:00 GMT", 40),
        ("Saturday, 21-Nov-26 00:34:00 GMT", 40),
        ("Sat Nov 21 00:34:00 2026", 40),
        ("Fri, 20 Nov 2026 19:34:00 -0500", 40),
        ("Sat, 21 Nov 2026 00:34:00 -0000", 40),
        ("Sat, 21 Nov 2026 00:00:00 GMT", 0),
        ("1795221229", 29),
        ("1795221228643", 28.643),
        ("1795221000", 0),
    ],
)
def test_retry_after(value: str, wait: float) -> None:
    assert asked(Retry_After=value) == pytest.approx(wait)
    assert asked(retry_after=value) == pytest.approx(wait)


@pytest.mark.parametrize("value", ["", "  ", "soon", "nan", "inf", "1e999", "Sat, 99 Nov", "\x00"])
def test_a_retry_after_that_says_nothing(value: str) -> None:
    assert asked(Retry_After=value) is None
    assert asked(Retry_After=value, RateLimit_Reset="4") == 4


def test_the_rate_limit_fields() -> None:
    assert asked(RateLimit='"requests";r=0;t=32') == 32
    assert asked(RateLimit='"requests";r=5;t=32') is None
    assert asked(RateLimit='"requests"') is None
    assert asked(RateLimit_Reset="32") == 32
    assert asked(RateLimit_Reset="1795221229") == 29
    assert asked(RateLimit_Reset="later") is None
    assert asked(RateLimit_Limit="100, 100;w=60", RateLimit_Remaining="0") is None


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("Too many requests. Retry in 14 seconds.", 14),
        ("Please wait 2 minutes", 120),
        ("try again after 1500 ms", 1.5),
        ("Try again in about 3 sec", 3),
        ("Wait for 0.5s", 0.5),
        ("in 5 steps", None),
        ("Rate limit of 300 requests", None),
        ("", None),
    ],
)
def test_words(text: str, wait: float | None) -> None:
    assert asked(text) == wait


def test_the_longest_wait_counts() -> None:
    assert asked("wait 9 s", Retry_After="3", RateLimit='"r";r=0;t=5', RateLimit_Reset="1") == 9


def test_nothing_asked_is_no_wait() -> None:
    assert asked() is None


FIELDS = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"[0-9]{0,400}", fullmatch=True),
    st.from_regex(r'"a";r=0;t=[0-9]{0,400}', fullmatch=True),
    st.from_regex(r"(Mon, )?[0-9]{1,3} (Jan|Foo) [0-9]{1,6} [0-9:]{0,9} ?(GMT|[+-][0-9]{1,5})?"),
    st.from_regex(r"(wait|in) [0-9]{1,400}(\.[0-9]{1,5})? ?(s|ms|min)", fullmatch=True),
)


@settings(max_examples=120, deadline=None)
@given(after=FIELDS, combined=FIELDS, reset=FIELDS, text=FIELDS)
def test_whatever_a_server_writes_is_a_wait_or_none(
    after: str, combined: str, reset: str, text: str
) -> None:
    wait = asked(text, Retry_After=after, RateLimit=combined, RateLimit_Reset=reset)
    assert wait is None or (wait >= 0 and math.isfinite(wait))
