"""Date parameters: both sides are ranges as wide as their precision (FHIR R4 3.1.1.4.7).

`2026` is the whole year. A value without a time zone is read as UTC. Ends are exclusive.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from practicefusion_connector.sandbox.search.errors import SearchError
from practicefusion_connector.sandbox.search.matching import Prefixed, Resolve, split_prefix
from practicefusion_connector.sandbox.search.parameters import SearchParameter
from practicefusion_connector.sandbox.settings import TODAY

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)
_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})"
    r"(?:T(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<fraction>\.\d{1,9})?)?"
    r"(?P<zone>Z|[+-]\d{2}:\d{2})?)?)?)?"
)


class Interval(NamedTuple):
    """From `start`, up to but not including `end`."""

    start: datetime
    end: datetime


def read_interval(text: Any) -> Interval | None:
    """The range a FHIR date, dateTime or instant stands for, or None when it is none of these."""
    found = _DATE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    part = found.groupdict()
    zone = "+00:00" if part["zone"] in (None, "Z") else part["zone"]
    try:
        start = datetime.fromisoformat(
            f"{part['year']}-{part['month'] or '01'}-{part['day'] or '01'}"
            f"T{part['hour'] or '00'}:{part['minute'] or '00'}:{part['second'] or '00'}"
            f"{(part['fraction'] or '')[:7]}{zone}"
        ).astimezone(UTC)
        return Interval(start, start + _width(start, part))
    except (ValueError, OverflowError):
        return None


def _width(start: datetime, part: dict[str, str | None]) -> timedelta:
    if part["month"] is None:
        return start.replace(year=start.year + 1) - start
    if part["day"] is None:
        following = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        return following - start
    if part["hour"] is None:
        return timedelta(days=1)
    if part["second"] is None:
        return timedelta(minutes=1)
    if part["fraction"] is None:
        return timedelta(seconds=1)
    return timedelta(seconds=10.0 ** -min(len(part["fraction"]) - 1, 6))


def _period(period: dict[str, Any]) -> Interval | None:
    start, end = read_interval(period.get("start")), read_interval(period.get("end"))
    if start is None and end is None:
        return None
    return Interval(start.start if start else _BEGINNING, end.end if end else _END)


def _contains(wanted: Interval, value: Interval) -> bool:
    return wanted.start <= value.start and value.end <= wanted.end


def _approximates(wanted: Interval, value: Interval) -> bool:
    # R4 suggests a tenth of the gap between now and the date.
    margin = abs(TODAY - wanted.start) / 10
    return value.end > wanted.start - margin and value.start < wanted.end + margin


_COMPARISONS: dict[str, Callable[[Interval, Interval], bool]] = {
    "eq": _contains,
    "ne": lambda wanted, value: not _contains(wanted, value),
    "gt": lambda wanted, value: value.end > wanted.end,
    "ge": lambda wanted, value: value.end > wanted.end or _contains(wanted, value),
    "lt": lambda wanted, value: value.start < wanted.start,
    "le": lambda wanted, value: value.start < wanted.start or _contains(wanted, value),
    "sa": lambda wanted, value: value.start >= wanted.end,
    "eb": lambda wanted, value: value.end <= wanted.start,
    "ap": _approximates,
}


class DateMatcher:
    """Compares ranges."""

    def extract(
        self, element: Any, parameter: SearchParameter, resolve: Resolve
    ) -> Iterable[Interval]:
        """The range of a date, dateTime, instant, Period or Timing."""
        interval = None
        if isinstance(element, str):
            interval = read_interval(element)
        elif isinstance(element, dict) and "event" in element:
            events = [found for text in element["event"] if (found := read_interval(text))]
            if events:
                interval = Interval(min(e.start for e in events), max(e.end for e in events))
        elif isinstance(element, dict):
            interval = _period(element.get("repeat", {}).get("boundsPeriod", element))
        if interval is not None:
            yield interval

    def parse(self, text: str, parameter: SearchParameter, resolve: Resolve) -> Prefixed:
        """A date with an optional prefix."""
        prefix, date = split_prefix(text)
        interval = read_interval(date)
        if interval is None:
            raise SearchError(
                "value",
                f"The value of '{parameter.name}' is not a FHIR date: give YYYY, YYYY-MM, "
                "YYYY-MM-DD or a dateTime, with an optional prefix such as ge.",
            )
        return Prefixed(prefix, interval)

    def matches(self, value: Interval, wanted: Prefixed) -> bool:
        """By the prefix's comparison."""
        return _COMPARISONS[wanted.prefix](wanted.value, value)

    def sort_key(self, value: Interval) -> datetime:
        """By when it began."""
        return value.start
