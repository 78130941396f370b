"""Where the changes go on: the server's own word, or a moment turned into its unit.

What the server hands back in `Last-Timestamp` is sent again as it came. Only a moment a person
gives is turned into a number, in the unit the connection names. Pure.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from practicefusion_connector.medfusion.connection import SinceUnit
from practicefusion_connector.registry.values import Refused, shape

Since = str | datetime
_CURSOR = re.compile(r"[0-9]{1,20}(,[0-9]{1,20})?")
_PER_SECOND: dict[SinceUnit, int] = {"seconds": 1, "milliseconds": 1000}
BEGINNING = "0"


def since(value: Any) -> Since:
    """Return a checked cursor or moment; raises `Refused`."""
    if isinstance(value, datetime) and value.tzinfo:
        return value
    text = str(value).strip() if isinstance(value, str | int) else ""
    if _CURSOR.fullmatch(text) and not isinstance(value, bool):
        return text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        wanted = "the next_cursor of a result, or a moment with its zone (2026-01-31T08:00:00Z)"
        raise Refused(f"is {shape(value)}; it must be {wanted}")
    return moment


def parameter(value: Since | None, unit: SinceUnit) -> str:
    """Return the query parameter `since`: `{t},0`, as the vendor's own calls have it."""
    text = BEGINNING if value is None else value
    if isinstance(text, datetime):
        text = of_moment(text, unit)
    return text if "," in text else f"{text},0"


def of_moment(moment: datetime, unit: SinceUnit) -> str:
    """Return a moment as a cursor, rounded down: better told twice than never."""
    return str(int(moment.astimezone(UTC).timestamp() * _PER_SECOND[unit]))


def is_cursor(text: str | None) -> bool:
    """Say whether what a server handed back can be sent again."""
    return text is not None and _CURSOR.fullmatch(text.strip()) is not None
