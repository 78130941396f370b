"""How long a server asks to wait: `Retry-After`, the RateLimit fields, or words in a body.

Pure. Servers write `Retry-After` as seconds, as an HTTP date (RFC 9110 §10.2.3) and, wrongly, as an
epoch time in seconds or milliseconds; some say it only in a RateLimit field or in an
OperationOutcome's text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

# A server that means an epoch time sends a number no sane wait reaches.
_EPOCH_SECONDS = 1_000_000_000
_EPOCH_MILLISECONDS = _EPOCH_SECONDS * 1000
_IN_WORDS = re.compile(
    r"\b(?:in|after|wait)\b[^0-9]{0,24}(\d+(?:\.\d+)?)\s*(ms|millis|s\b|sec|min)", re.I
)
_RESET = re.compile(r"\bt=(\d+)")


def asked_wait(headers: Mapping[str, str], now: float, texts: Iterable[str] = ()) -> float | None:
    """Return the longest wait in seconds the server asks for, or `None` where it asks for none.

    Args:
        headers: the answer's header fields, with case-insensitive look-up.
        now: POSIX seconds, to turn dates and epoch values into waits.
        texts: free texts of an OperationOutcome.
    """
    found = [
        _retry_after(headers.get("Retry-After", ""), now),
        _rate_limit(headers.get("RateLimit", ""), headers.get("RateLimit-Reset", ""), now),
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
    if number >= _EPOCH_MILLISECONDS:
        number = number / 1000 - now
    elif number >= _EPOCH_SECONDS:
        number -= now
    return max(0.0, number) if number < float("inf") else None


def _rate_limit(combined: str, reset: str, now: float) -> float | None:
    """Read `RateLimit: "policy";r=0;t=32` and the older `RateLimit-Reset: 32`."""
    if found := _RESET.search(combined):
        return float(found[1]) if re.search(r"\br=0\b", combined) else None
    return _from_number(float(reset), now) if reset.strip().isdigit() else None


def _in_words(text: str) -> float | None:
    if not (found := _IN_WORDS.search(text)):
        return None
    unit = found[2].lower()
    return float(found[1]) * (
        0.001 if unit.startswith("m") and unit != "min" else 60 if unit == "min" else 1
    )
