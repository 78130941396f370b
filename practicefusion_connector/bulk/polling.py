"""Waiting for an export at the server: as often as it asks, for as long as it takes, with bounds.

It ends with the manifest, all its parts, or with the error that says what became of the job. It
knows nothing of files or stores.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from practicefusion_connector.bulk.exchange import Exchange
from practicefusion_connector.bulk.manifest import Item, Manifest, items_of, read_manifest
from practicefusion_connector.errors import (
    ConnectorError,
    InvalidResponse,
    NetworkFailure,
    RateLimited,
    UpstreamUnavailable,
)
from practicefusion_connector.transport import Answer, Run
from practicefusion_connector.transport.waits import asked_wait

_HEADERS = {"Accept": "application/json"}
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%")


@dataclass(frozen=True, slots=True)
class Patience:
    """How to wait for the server; seconds.

    Attributes:
        first: before the second look, where the server says nothing; each wait is longer.
        shortest: the shortest wait, also where the server asks for less.
        longest: the longest wait of our own choosing.
        longest_asked: the longest wait the server may ask for with `Retry-After`.
        whole: for the whole job; the job stays good for the next run.
        failures: 5xx answers and broken connections in a row before the job is given up.
        parts: parts of one manifest at most, a guard against a circle.
    """

    first: float = 2.0
    shortest: float = 0.5
    longest: float = 60.0
    longest_asked: float = 600.0
    whole: float = 24 * 3600.0
    failures: int = 6
    parts: int = 10_000

    def bounded(self, asked: float) -> float:
        """Return the seconds to wait where the server asks for so many."""
        return min(max(asked, self.shortest), self.longest_asked)


# Told the percentage, and the seconds the server asks for; each where the server says so.
Waited = Callable[[float | None, float | None], None]


def wait_for_manifest(
    status_url: str, exchange: Exchange, patience: Patience, waited: Waited
) -> tuple[str, list[Item]]:
    """Return the transaction time and the files of a job, once it is done.

    Args:
        waited: told before each wait, with the percentage of `X-Progress` and the seconds of
            `Retry-After` where there are any.

    Raises:
        NotFound: the server no longer knows the job (`Gone`: it has expired).
        UpstreamUnavailable: the job failed, or the server has for too long.
        DeadlineExceeded: the job took longer than `patience.whole`.
    """
    clock = exchange.run(patience.whole)
    answer = _until_done(status_url, exchange, patience, waited, clock)
    manifests: list[Manifest] = []
    read = {status_url}
    url = status_url
    while True:
        manifests.append(read_manifest(answer.json(), url))
        link = manifests[-1].next
        if link is None:
            break
        if link in read or len(read) >= patience.parts:
            raise InvalidResponse("The parts of the server's manifest go round in a circle.")
        read.add(link)
        url = link
        # A part that is not ready yet is waited for like the first.
        answer = _until_done(link, exchange, patience, waited, clock)
    return manifests[0].transaction_time, items_of(manifests, exchange.base_url, status_url)


def _until_done(
    url: str, exchange: Exchange, patience: Patience, waited: Waited, clock: Run
) -> Answer:
    failures, step = 0, patience.first
    percent: float | None = None
    while True:
        looked = _look(url, exchange)
        if isinstance(looked, Answer):
            if looked.status != 202:
                return looked
            failures = 0
            asked = asked_wait(looked.headers, exchange.transport.clock())
            percent = _percent(looked) if _percent(looked) is not None else percent
        else:
            failures += 0 if isinstance(looked, RateLimited) else 1
            if failures >= patience.failures:
                raise looked
            asked = looked.retry_after
        asked = None if asked is None else patience.bounded(asked)
        waited(percent, asked)
        clock.sleep(_pause(asked, step), "export under way")
        step = min(step * 1.5, patience.longest)


def _look(url: str, exchange: Exchange) -> Answer | ConnectorError:
    """Ask once. What may pass is returned, to be counted; the rest is raised."""
    try:
        return exchange.once("GET", url, exchange.run(), _HEADERS)
    except (UpstreamUnavailable, NetworkFailure, RateLimited) as error:
        if error.http_status == 501:
            raise
        return error


def _pause(asked: float | None, step: float) -> float:
    """Return the seconds to wait: never less than the server asks for.

    Jitter goes upwards only, so that many exports do not come back in the same second.
    """
    step = step if asked is None else asked
    return step + random.uniform(0.0, min(step / 10, 5.0))  # noqa: S311 - jitter, not a secret


def _percent(answer: Answer) -> float | None:
    found = _PERCENT.search(str(answer.headers.get("X-Progress", "")))
    return min(100.0, float(found[1])) if found else None
