"""How fast one practice is asked: a pace for each FHIR base URL, shared by all who ask it.

All threads of the process share one pace, and all processes where they share a Redis. A server
that answers 429 slows its own practice down and no other. Every wait goes through the run, so that
deadlines and cancel tokens hold. It knows nothing of HTTP.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from practicefusion_connector.connection import is_loopback
from practicefusion_connector.errors import RateLimited
from practicefusion_connector.transport.policy import Policy
from practicefusion_connector.transport.run import Run

if TYPE_CHECKING:
    from redis import Redis

# A 429 halves the pace, but not for each of the requests that were under way together.
_SAME_EVENT = 1.0
_SLOWEST = 1 / 16
# From half the pace back to the whole of it, in seconds without a further 429.
_RECOVERY = 30.0
# For so long a Redis that failed is left alone: its client may try for seconds before it gives up.
_ALONE = 30.0
_logger = logging.getLogger("practicefusion_connector")


class Pacing:
    """The paces of all practices; safe to share between threads.

    Args:
        redis: a redis-py client, which stays its owner's to close; processes that share it share
            the pace. Where it fails, each process keeps to the pace alone for half a minute.
        prefix: begins every key in Redis.
        clock: seconds; left out, the wall clock with Redis, which machines share, and one that
            never jumps without.
    """

    def __init__(
        self,
        redis: Redis | None = None,
        *,
        prefix: str = "practicefusion",
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._redis = redis
        self._prefix = prefix
        self._clock = clock or (time.monotonic if redis is None else time.time)
        self._paces: dict[str, _Pace] = {}

    def wait(self, practice: str, policy: Policy, run: Run) -> None:
        """Return once a request to `practice` keeps to its pace.

        Raises:
            RateLimited: the wait would outlast the run's deadline; `retry_after` says how long.
            Cancelled: the caller tripped the cancel token.
        """
        rate = policy.requests_per_second
        if rate is None or (not policy.pace_loopback and _on_loopback(practice)):
            return
        pace = self._pace(practice)
        with pace.queue() as ahead:
            while delay := pace.take(rate, policy.burst, ahead):
                if delay > run.remaining():
                    raise RateLimited(
                        "This practice is asked as often as its pace allows; the turn of this "
                        "request comes after the action's deadline.",
                        retry_after=round(delay, 3),
                    )
                run.sleep(delay, "pacing")
                ahead = 0

    def slow_down(self, practice: str, policy: Policy, retry_after: float | None) -> None:
        """Take a 429 into account: half the pace, and nothing before the server's own time."""
        if pace := self._paces.get(practice):
            pace.slow_down(min(retry_after or 0.0, policy.longest_wait))

    def _pace(self, practice: str) -> _Pace:
        found = self._paces.get(practice)
        if found is None:
            digest = hashlib.sha256(practice.encode()).hexdigest()[:32]
            key = f"{self._prefix}:pace:{digest}"
            found = self._paces.setdefault(practice, _Pace(self._redis, key, self._clock))
        return found


@cache
def shared() -> Pacing:
    """Return the paces that connectors of this process share unless told otherwise."""
    return Pacing()


class _Pace:
    """One practice: a token bucket (GCRA), and how far its server has slowed it down."""

    def __init__(self, redis: Any, key: str, clock: Callable[[], float]) -> None:
        # Imported with the first request that is paced: it costs as much as requests itself.
        from pyrate_limiter import GCRA, InMemoryStateStore, RedisStateStore

        self._algorithm = GCRA()
        self._own: Any = InMemoryStateStore()
        self._common: Any = None if redis is None else RedisStateStore(redis, key)
        self._clock = clock
        self._lock = threading.Lock()
        self._alone_until = float("-inf")
        self._waiting = 0
        self._factor = 1.0
        self._slowed_at = float("-inf")
        self._resumes_at = float("-inf")

    @contextmanager
    def queue(self) -> Iterator[int]:
        """Stand in the queue of those who wait, and say how many are ahead."""
        with self._lock:
            ahead = self._waiting
            self._waiting += 1
        try:
            yield ahead
        finally:
            with self._lock:
                self._waiting -= 1

    def take(self, rate: float, burst: int, ahead: int) -> float:
        """Take a turn and return 0, or the seconds until it is worth asking again."""
        from pyrate_limiter import Rate

        now = self._clock()
        seconds_each = 1 / (rate * self._factor_at(now))
        closed = self._resumes_at - now
        if closed > 0:
            return closed + ahead * seconds_each
        # A thousand requests in a thousand times the seconds of one: fractions of a rate count.
        limit = Rate(1000, max(1, round(seconds_each * 1_000_000)), max(1, burst))
        decision = self._check(limit, now)
        if decision.allowed:
            return 0.0
        return (decision.retry_after_ms or 1) / 1000 + ahead * seconds_each

    def slow_down(self, pause: float) -> None:
        """Halve the pace, once for what one moment brought, and pause."""
        with self._lock:
            now = self._clock()
            self._resumes_at = max(self._resumes_at, now + pause)
            if now - self._slowed_at > _SAME_EVENT:
                self._factor = max(_SLOWEST, self._factor_at(now) / 2)
                self._slowed_at = now

    def _factor_at(self, now: float) -> float:
        quiet = max(0.0, now - self._slowed_at)
        return min(1.0, self._factor + quiet / (2 * _RECOVERY))

    def _check(self, limit: Any, now: float) -> Any:
        if self._common is not None and now >= self._alone_until:
            from redis.exceptions import RedisError

            try:
                return self._common.check(self._algorithm, [limit], int(now * 1000), 1)
            except RedisError:
                self._alone_until = now + _ALONE
                _logger.warning("Redis does not answer; this process paces its requests alone.")
        return self._own.check(self._algorithm, [limit], int(now * 1000), 1)


@lru_cache(maxsize=4096)
def _on_loopback(practice: str) -> bool:
    return is_loopback(urlsplit(practice).hostname)
