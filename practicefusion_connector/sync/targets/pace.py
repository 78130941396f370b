"""How many resources go into a batch and how many batches go out at once, learnt from the answers.

Additive increase, multiplicative decrease: quick answers make batches larger and then more of them;
a 429, a failure or a slow answer makes them fewer and smaller. It knows no HTTP.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

# A refusal of each of the batches that were under way together is one.
_SAME_MOMENT = 1.0
# A server that asks for less wants fewer requests, not more of them for the same resources.
_SMALLEST = 10.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of the pace.

    Attributes:
        first: resources in the first batch.
        largest: resources in a batch at most.
        workers: batches under way at most.
        quick: seconds; an answer within them makes the next batch larger.
        slow: seconds; an answer beyond them makes the next batch smaller.
    """

    first: int = 40
    largest: int = 200
    workers: int = 4
    quick: float = 1.5
    slow: float = 8.0


class Pace:
    """The pace of one target; safe to share between threads."""

    def __init__(
        self, bounds: Bounds | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bounds = bounds or Bounds()
        self._size = float(self._bounds.first)
        self._workers = 2.0 if self._bounds.workers > 1 else 1.0
        self._clock = clock
        self._refused_at = float("-inf")
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """How many resources the next batch should hold."""
        return int(self._size)

    @property
    def workers(self) -> int:
        """How many batches may be under way."""
        return int(self._workers)

    def answered(self, count: int, seconds: float) -> None:
        """Take into account how long the answer to a batch took."""
        bounds = self._bounds
        with self._lock:
            if seconds > bounds.slow:
                self._size = max(1.0, self._size * 0.7)
            elif seconds < bounds.quick and count >= self._size * 0.8:
                self._size = min(float(bounds.largest), self._size * 1.25 + 1)
                self._workers = min(float(bounds.workers), self._workers + 0.1)

    def refused(self) -> None:
        """Take into account that the server asked for less, or failed; once for one moment."""
        with self._lock:
            now = self._clock()
            if now - self._refused_at > _SAME_MOMENT:
                self._size = max(_SMALLEST, self._size / 2)
                self._workers = max(1.0, self._workers - 1)
                self._refused_at = now

    def too_large(self, count: int) -> None:
        """Take into account that a batch of `count` is more than the server takes."""
        with self._lock:
            self._size = min(self._size, max(1.0, count / 2))
