"""A turn of a sync that shares its worker with others: it ends at a good moment, and loses nothing.

What a turn leaves undone the next one goes on with, as after a kill. It knows no queue.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from practicefusion_connector.sync.engine import SyncProgress


class TurnOver(Exception):
    """This task has worked long enough, or waits for the server: others have their turn."""

    def __init__(self, *, polling: bool) -> None:
        super().__init__("The turn is over.")
        self.polling = polling


class Pause:
    """Ends an export's turn: at each look at the server's status, and after a while of fetching.

    What a progress callback raises ends the export and leaves its job as it is.
    """

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def __call__(self, told: SyncProgress) -> None:
        """End the turn where it is time to."""
        stage = getattr(told.export, "stage", None)
        if stage == "polling":
            raise TurnOver(polling=True)
        if stage is not None and time.monotonic() > self._until:
            raise TurnOver(polling=False)


@contextmanager
def turn(seconds: float) -> Iterator[Event]:
    """Give an event that is set once the turn is over."""
    over = Event()
    timer = threading.Timer(seconds, over.set)
    timer.start()
    try:
        yield over
    finally:
        timer.cancel()
