"""What happens during one run of an action: its deadline, its cancel token, its trace.

A run is made for each action call and passed down; it is the only thing that sleeps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

from practicefusion_connector.errors import ActionWarning, Cancelled, DeadlineExceeded


@dataclass(slots=True)
class Trace:
    """What happened, without PHI: counts, waits with their reasons, the server's own ids."""

    attempts: int = 0
    pages: int = 0
    refreshes: int = 0
    waits: list[tuple[float, str]] = field(default_factory=list)
    correlation_ids: list[str] = field(default_factory=list)
    duration_ms: float = 0.0


class Run:
    """One run: `deadline` seconds from now, stoppable by an event the caller holds.

    Attributes:
        warnings: what was odd on the way and did not spoil the result.
    """

    def __init__(
        self,
        deadline: float,
        *,
        cancel: Event | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.trace = Trace()
        self.warnings: list[ActionWarning] = []
        self.cancel = cancel
        self._clock = clock
        self._started = clock()
        self._ends = self._started + deadline

    def remaining(self) -> float:
        """Return the seconds left before the deadline, which may be negative."""
        return self._ends - self._clock()

    def check(self) -> None:
        """Raise `Cancelled` or `DeadlineExceeded` where the run must not go on."""
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled("The action was cancelled by its caller.")
        if self.remaining() <= 0:
            raise DeadlineExceeded("The action's deadline passed before it was done.")

    def sleep(self, seconds: float, reason: str) -> None:
        """Wait, but no longer than the deadline or the cancel token allow, and note why."""
        self.trace.waits.append((round(seconds, 3), reason))
        (self.cancel or Event()).wait(max(0.0, min(seconds, self.remaining())))
        self.check()

    def finish(self) -> Trace:
        """Close the trace and return it."""
        self.trace.duration_ms = round((self._clock() - self._started) * 1000, 3)
        return self.trace
