"""Cron's five fields, read in one way for every scheduler.

APScheduler and Celery each have a reading of their own: they number the days of the week
differently, and drop some of what they do not know in silence. So both are given plain numbers. It
knows neither of them.
"""

from __future__ import annotations

import re
from calendar import monthrange
from typing import NamedTuple

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_VALUE = "([0-9]{1,2}|[a-z]{3})"
_PART = re.compile(rf"(?:\*|{_VALUE}(?:-{_VALUE})?)(?:/([0-9]{{1,2}}))?")
_LEAP_YEAR = 2024


class Cron(NamedTuple):
    """Each field as `*`, or as numbers with commas between; 0 is Sunday."""

    minute: str
    hour: str
    day: str
    month: str
    weekday: str

    @property
    def weekday_names(self) -> str:
        """The days of the week by name, for a scheduler that counts from another day."""
        if self.weekday == "*":
            return self.weekday
        return ",".join(_WEEKDAYS[int(day)] for day in self.weekday.split(","))


def read_cron(text: str) -> Cron:
    """Return the five fields of a schedule.

    Each is a list, with commas, of `*`, numbers and ranges; after `*` and a range there may be a
    step. A range that ends before it begins goes on past the end, as in `fri-mon`.

    Raises:
        ValueError: they cannot be read, or such a day never comes; it says what is wrong.
    """
    texts = text.split()
    if len(texts) != len(_FIELDS):
        raise ValueError("it has five fields, such as 0 3 * * * for three in the morning")
    values = [field.read(given) for field, given in zip(_FIELDS, texts, strict=True)]
    days, months = values[2], values[3]
    if min(days) > max(monthrange(_LEAP_YEAR, month)[1] for month in months):
        raise ValueError("its month has no such day")
    return Cron(*(field.listed(each) for field, each in zip(_FIELDS, values, strict=True)))


class _Field(NamedTuple):
    """What a field may hold: numbers, and names of those from the first on."""

    called: str
    first: int
    last: int
    example: str
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        # Sunday has two numbers and one name.
        return len(self.names) or self.last - self.first + 1

    def read(self, text: str) -> set[int]:
        chosen: set[int] = set()
        for part in text.lower().split(","):
            found = _PART.fullmatch(part)
            numbers = self._numbers(*found.groups()) if found else range(0)
            if not numbers:
                named = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
                allowed = f"numbers from {self.first} to {self.last}{named}"
                raise ValueError(f"its {self.called} must be {allowed}, such as {self.example}")
            chosen.update(self.first + (each - self.first) % self.size for each in numbers)
        return chosen

    def listed(self, values: set[int]) -> str:
        return "*" if len(values) == self.size else ",".join(map(str, sorted(values)))

    def _numbers(self, first: str | None, last: str | None, step: str | None) -> range:
        """Return the numbers of a part, those past the end too; empty where it is none."""
        if first is None:
            begin, end = self.first, self.first + self.size - 1
        else:
            begin, end = self._number(first), self._number(last or first)
        # A step after a single number means one thing to some crons, another to others.
        alone = first is not None and last is None
        if begin < 0 or end < 0 or (step is not None and (alone or not int(step))):
            return range(0)
        return range(begin, end + (self.size if end < begin else 0) + 1, int(step or 1))

    def _number(self, text: str) -> int:
        """Return the number meant, -1 where there is none."""
        if text in self.names:
            return self.first + self.names.index(text)
        number = int(text) if text.isdecimal() else -1
        return number if self.first <= number <= self.last else -1


_FIELDS = (
    _Field("minute", 0, 59, "0,30 or */15"),
    _Field("hour", 0, 23, "1,13 or 8-18"),
    _Field("day of the month", 1, 31, "1,15 or 1-7"),
    _Field("month", 1, 12, "jan-mar or */3", _MONTHS),
    _Field("day of the week", 0, 7, "1-5 or mon,thu", _WEEKDAYS),
)
