"""How long a server asks to wait: `Retry-After`, the RateLimit fields, or words in a body.

Pure. Servers write `Retry-After` as seconds, as an HTTP date (RFC 9110 §10.2.3) and, wrongly, as an
epoch time in seconds or milliseconds; some say it only in a RateLimit field or in an
OperationOutcome's text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

# A server that means an epoch time sends a number no sane wait reaches.
_EPOCH_SECONDS = 1_000_000_000
_EPOCH_MILLISECONDS = _EPOCH_SECONDS * 1000
# Farther off than this, an epoch time is a clock or a unit gone wrong, not a wait.
_LONGEST_EPOCH_WAIT = 86_400.0
_AMOUNT = r"(\d+(?:\.\d+)?)\s*(ms|millis\w*|s\b|sec\w*|m\b|min\w*|h\b|hours?)"
# Up to three amounts that belong together: "1 hour, 2 minutes and 5 seconds".
_IN_WORDS = re.compile(
    rf"\b(?:in|after|wait)\b[^0-9]{{0,24}}({_AMOUNT}(?:[\s,]*(?:and\s+)?{_AMOUNT}){{0,2}})", re.I
)
_SECONDS_IN = {"ms": 0.001, "mi": 60.0, "m": 60.0, "s": 1.0, "h": 3600.0}
# An item of the RateLimit field, as `"burst";r=0;t=32` or the older `remaining=0, reset=32`.
_SPENT = re.compile(r"(?:^|[;\s])r(?:emaining)?=0\b")
_RESET = re.compile(r"(?:^|[;,\s])(?:t|reset)=(\d+)")
_RESETS = ("RateLimit-Reset", "X-RateLimit-Reset", "X-Rate-Limit-Reset")


def asked_wait(headers: Mapping[str, str], now: float, texts: Iterable[str] = ()) -> float | None:
    """Return the longest wait in seconds the server asks for, or `None` where it asks for none.

    Args:
        headers: the answer's header fields, with case-insensitive look-up.
        now: POSIX seconds, to turn dates and epoch values into waits.
        texts: free texts of the body.
    """
    found = [
        _retry_after(headers.get("Retry-After", ""), now),
        *_rate_limit(headers.get("RateLimit", "")),
        *(_reset(headers.get(name, ""), now) for name in _RESETS),
        *(_in_words(text) for text in texts),
    ]
    waits = [wait for wait in found if wait is not None and math.isfinite(wait)]
    return max(waits) if waits else None


def _retry_after(value: str, now: float) -> float | None:
    if not value.strip():
        return None
    try:
        return _from_number(float(value), now)
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    # Without a zone it is GMT, as every HTTP date is, not this machine's own time.
    return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now)


def _from_number(number: float, now: float) -> float | None:
    if number < _EPOCH_SECONDS:
        return max(0.0, number)
    moment = number / 1000 if number >= _EPOCH_MILLISECONDS else number
    return min(max(0.0, moment - now), _LONGEST_EPOCH_WAIT) if math.isfinite(moment) else None


def _rate_limit(value: str) -> Iterator[float]:
    """Yield the reset of each limit that is used up."""
    # The older form is one limit in several members; the newer one has a member for each limit.
    members = value.split(",") if ";" in value else [value.replace(",", " ")]
    for member in members:
        if _SPENT.search(member) and (found := _RESET.search(member)):
            yield float(found[1])


def _reset(value: str, now: float) -> float | None:
    return _from_number(float(value), now) if value.strip().isdecimal() else None


def _in_words(text: str) -> float | None:
    if not (found := _IN_WORDS.search(text)):
        return None
    return sum(
        float(number) * _SECONDS_IN[_unit(word.lower())]
        for number, word in re.findall(_AMOUNT, found[1], re.I)
    )


def _unit(word: str) -> str:
    """Return `ms`, `mi`, `m`, `s` or `h` for a unit as it was written."""
    return "ms" if word.startswith("milli") else word[:2] if word[:2] in ("ms", "mi") else word[0]
