"""What many runs amount to: totals, and how they spread over time. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from practicefusion_connector.history.record import RunRecord


@dataclass
class Span:
    """The runs of one stretch of time; `begins` and `ends` are POSIX seconds."""

    begins: float
    ends: float
    runs: int = 0
    failures: int = 0
    refreshes: int = 0
    waited: float = 0.0


@dataclass
class Totals:
    """All the runs together."""

    runs: int = 0
    failures: int = 0
    requests: int = 0
    refreshes: int = 0
    results: int = 0
    waited: dict[str, float] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)


def totals(records: Sequence[RunRecord]) -> Totals:
    """Return the sums, waits by reason and outcomes by code, the most frequent first."""
    waited: defaultdict[str, float] = defaultdict(float)
    for record in records:
        for seconds, reason in record.waits:
            waited[reason] += seconds
    longest_first = sorted(waited.items(), key=lambda item: -item[1])
    codes = Counter(record.code for record in records)
    return Totals(
        runs=len(records),
        failures=sum(record.code != "ok" for record in records),
        requests=sum(record.attempts for record in records),
        refreshes=sum(record.refreshes for record in records),
        results=sum(record.results for record in records),
        waited={reason: round(seconds, 3) for reason, seconds in longest_first},
        codes=dict(codes.most_common()),
    )


def over_time(records: Sequence[RunRecord], count: int) -> list[Span]:
    """Return `count` spans of equal length from the first run to the last; none without a run."""
    if not records:
        return []
    begins = min(record.at for record in records)
    length = max((max(record.at for record in records) - begins) / count, 1e-3)
    edges = [begins + number * length for number in range(count + 1)]
    spans = [Span(edges[number], edges[number + 1]) for number in range(count)]
    for record in records:
        span = spans[min(count - 1, int((record.at - begins) / length))]
        span.runs += 1
        span.failures += record.code != "ok"
        span.refreshes += record.refreshes
        span.waited = round(span.waited + record.waited, 3)
    return spans


def bars(values: Sequence[float]) -> str:
    """Return a bar for each value, as tall as its share of the tallest; a blank for nothing."""
    marks = "▁▂▃▄▅▆▇█"
    tallest = max(values, default=0)
    return "".join(
        marks[min(len(marks) - 1, int(value / tallest * len(marks)))] if value > 0 else " "
        for value in values
    )


def refreshing(records: Sequence[RunRecord]) -> list[RunRecord]:
    """Return the runs that refreshed a token."""
    return [record for record in records if record.refreshes]


def held_up(records: Sequence[RunRecord]) -> list[tuple[RunRecord, dict[str, Any]]]:
    """Return the runs that waited for a rate limit or a pace, with how often and how long."""
    found = []
    for record in records:
        waits = [seconds for seconds, why in record.waits if why in ("rate_limited", "pacing")]
        if waits or record.code == "rate_limited":
            told = {"times": len(waits), "seconds": round(sum(waits), 3)}
            found.append((record, told))
    return found
