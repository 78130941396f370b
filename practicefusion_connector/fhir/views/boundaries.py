"""FHIRPath's `lowBoundary()` and `highBoundary()`: the least and the greatest value meant.

A date of `1970-06` stands for any day of that month, a decimal of `1.0` for anything from 0.95 to
1.05. Pure functions of a value and its FHIR type; nothing here knows of resources or views.
"""

from __future__ import annotations

import calendar
import re
from decimal import Decimal, InvalidOperation

_MOMENT = re.compile(
    r"^(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d))?)?"
    r"(T(?P<time>[\d:.]+)(?P<zone>Z|[+-]\d\d:\d\d)?)?$"
)
_TIME = re.compile(r"^(?P<hour>\d\d)(:(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<part>\d+))?)?)?$")

# A moment without a zone lies somewhere between the easternmost and the westernmost one in use.
_FIRST_ZONE, _LAST_ZONE = "+14:00", "-12:00"


def boundary(value: object, fhir_type: str | None, *, high: bool) -> object | None:
    """Return the boundary of a value of that FHIR type, or None where it has none."""
    if fhir_type == "Period":
        return _period(value, high=high)
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        return _decimal(value, high=high)
    if not isinstance(value, str):
        return None
    if fhir_type == "time":
        return _time(value, high=high)
    if fhir_type in {"date", "dateTime", "instant"}:
        return _moment(value, with_time=fhir_type != "date", high=high)
    return None


def _period(value: object, *, high: bool) -> object | None:
    end = value.get("end" if high else "start") if isinstance(value, dict) else None
    return boundary(end, "dateTime", high=high)


def _decimal(value: float | Decimal, *, high: bool) -> Decimal | None:
    try:
        exact = Decimal(str(value))
        exponent = exact.as_tuple().exponent
        half = Decimal(5).scaleb(int(exponent) - 1)
    except (InvalidOperation, ValueError):
        return None
    return exact + half if high else exact - half


def _time(value: str, *, high: bool) -> str | None:
    found = _TIME.match(value)
    if found is None:
        return None
    full = "59" if high else "00"
    part = (found["part"] or "").ljust(3, "9" if high else "0")
    return f"{found['hour']}:{found['minute'] or full}:{found['second'] or full}.{part}"


def _moment(value: str, *, with_time: bool, high: bool) -> str | None:
    found = _MOMENT.match(value)
    if found is None or int(found["year"]) == 0 or not 1 <= int(found["month"] or 1) <= 12:
        return None
    month = int(found["month"] or (12 if high else 1))
    last = calendar.monthrange(int(found["year"]), month)[1]
    day = found["day"] or f"{last if high else 1:02d}"
    date = f"{found['year']}-{month:02d}-{day}"
    if not with_time:
        return date
    time = _time(found["time"] or ("23" if high else "00"), high=high)
    return (
        f"{date}T{time}{found['zone'] or (_LAST_ZONE if high else _FIRST_ZONE)}" if time else None
    )
