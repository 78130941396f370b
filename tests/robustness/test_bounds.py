"""What an answer may be: strict JSON, within its bounds."""

from __future__ import annotations

import gzip
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practicefusion_connector import errors
from practicefusion_connector.transport import Policy, Run, Transport
from practicefusion_connector.transport.bounds import TooDeep, Unreadable, parse_json
from tests.transport.wire import ok, says, serving

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from('"\\{}[]:e,')),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


@given(JSON, st.booleans())
def test_whatever_is_json_is_read_as_it_is_and_its_depth_is_counted_exactly(
    value: object, spaced: bool
) -> None:
    body = json.dumps(value, indent=1 if spaced else None).encode("utf-8", "surrogatepass")
    real = depth(value)
    assert parse_json(body, max(real, 1)) == value
    if real > 1:
        # The smallest documents are not measured; they are padded until they are.
        padded = b"[" + b"[]," * 200 + body + b"]"
        assert parse_json(padded, real + 1)
        with pytest.raises(TooDeep):
            parse_json(padded, real)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"a": 1, "a": 1}', "a name twice"),
        (b'{"a": {"b": 1, "c": 2, "b": 3}}', "a name twice"),
        (b'{"a": 1, "\\u0061": 2}', "a name twice"),
        (b"[NaN]", "is not JSON"),
        (b"[Infinity]", "is not JSON"),
        (b"[1e999]", "too large"),
        (b"[-1E+400]", "too large"),
        (b"[" + b"9" * 400 + b".5]", "too large"),
        (b'["\xff\xfe"]', "is not JSON"),
        (b'["\\ud800"]', "is not JSON"),
        (b'{"a": 1', "is not JSON"),
        (b"", "is not JSON"),
        (b"{}{}", "is not JSON"),
        (b"[" * 100_000, "too deep"),
    ],
)
def test_what_two_readers_would_read_in_two_ways_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        parse_json(body, 64)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'["1e999"]', ["1e999"]),
        (b"[1e300]", [1e300]),
        (b"[" + b"9" * 400 + b"]", [int("9" * 400)]),
        (b'\xef\xbb\xbf{"a": true}', {"a": True}),
        (b'["\\"[[[[{{{{", false]', ['"[[[[{{{{', False]),
    ],
)
def test_what_only_looks_odd_is_read(body: bytes, value: object) -> None:
    assert parse_json(body, 2) == value


def test_a_depth_limit_does_not_go_by_brackets_in_text() -> None:
    text = "[" * 500
    assert parse_json(json.dumps({"text": text, "more": [text] * 50}).encode(), 2)


def failure(policy: Policy, *headers: str, body: bytes = b"{}", status: int = 200) -> Exception:
    head = ok(body, *headers).replace(b"200 OK", b"%d X" % status)
    transport = Transport(policy)
    with serving(says(head)) as server, pytest.raises(errors.ConnectorError) as caught:
        transport.get(f"{server.url}/Patient/1", {}, Run(20)).json()
    transport.close()
    return caught.value


def test_a_gzip_bomb_is_not_inflated() -> None:
    bomb = gzip.compress(b" " * 2**20) * 200
    tracemalloc.start()
    try:
        error = failure(
            Policy(attempts=1, max_body_bytes=2**20), "Content-Encoding: gzip", body=bomb
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert type(error) is errors.ResponseTooLarge
    assert peak < 8 * 2**20


def test_a_header_has_a_limit_by_size_by_line_and_by_number() -> None:
    small = Policy(attempts=1, max_header_bytes=2000)
    assert type(failure(small, f"X-Padding: {'x' * 2000}")) is errors.ResponseTooLarge
    line = failure(Policy(attempts=1), f"X-Padding: {'x' * 70_000}")
    assert type(line) is errors.ResponseTooLarge
    many = failure(Policy(attempts=1), *(f"X-{number}: x" for number in range(150)))
    assert type(many) is errors.ResponseTooLarge


def test_the_body_of_a_failure_is_read_only_as_far_as_it_tells_anything() -> None:
    error = failure(Policy(attempts=1, max_body_bytes=1000), body=b"x" * 500_000, status=503)
    assert type(error) is errors.UpstreamUnavailable
