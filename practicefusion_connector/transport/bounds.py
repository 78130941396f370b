"""What an answer may be: parsed strictly, within bounds, at the cost of one parse.

Values in, values or `Unreadable` out; it knows neither HTTP nor FHIR. JSON that says a name twice,
a number no double can hold, or nests without end means different things to different readers, so
it is refused instead of read in one of its ways.
"""

from __future__ import annotations

import math
import re

import jiter

_BOM = b"\xef\xbb\xbf"
_BRACKETS = bytes.maketrans(b"[]", b"{}")
_NOT_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_NUMBER = re.compile(rb"-?\d[\d.eE+-]*")


class Unreadable(ValueError):
    """The body is not JSON that can be relied on; its text says why, and quotes nothing."""


class TooDeep(Unreadable):
    """The body nests deeper than the limit."""


def parse_json(body: bytes, max_depth: int) -> object:
    """Return the value `body` holds.

    Raises:
        Unreadable: not JSON, not UTF-8, NaN or Infinity, a number too large, a name said twice.
        TooDeep: objects and lists lie more than `max_depth` deep.
    """
    body = body.removeprefix(_BOM)
    try:
        value = jiter.from_json(body, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        said = str(error)
    else:
        _check_shape(body, max_depth)
        return value
    # Raised outside the handler: the parser's own text may quote the body.
    if said.startswith("recursion limit"):
        raise Unreadable("is nested too deep to be read as JSON")
    raise Unreadable("says a name twice" if said.startswith("Detected dup") else "is not JSON")


def _check_shape(body: bytes, max_depth: int) -> None:
    """Check what lies outside the strings of a valid JSON text: its numbers and its nesting.

    Without its strings the text is a tenth of its size, and taking out the innermost pairs of
    brackets once for each level is cheap; to walk through the parsed value costs twice as much.
    """
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside = b"".join(body.split(b'"')[::2])
    if _may_overflow(outside) and any(map(_overflows, _NUMBER.findall(outside))):
        raise Unreadable("holds a number that is too large")
    brackets = outside.translate(_BRACKETS, _NOT_BRACKETS)
    if len(brackets) <= 2 * max_depth:
        return
    depth = 0
    while brackets and depth < max_depth:
        brackets = brackets.replace(b"{}", b"")
        depth += 1
    if brackets:
        raise TooDeep(f"is nested deeper than {max_depth} levels")


def _may_overflow(outside: bytes) -> bool:
    """Say whether there is any exponent, or a number as long as the range of a double."""
    words_gone = outside.replace(b"true", b"").replace(b"false", b"")
    return b"e" in words_gone or b"E" in outside or b"0" * 309 in outside.translate(_DIGITS)


def _overflows(number: bytes) -> bool:
    # An integer is read exactly, whatever its size.
    return not number.lstrip(b"-").isdigit() and math.isinf(float(number))
