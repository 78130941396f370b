"""What a served sync is doing, as data: in memory, and in a file for whoever looks.

The file is written on every change and every quarter of a minute besides: a service that died, on
this machine or on another, is known by its silence.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from practicefusion_connector.sync.config import WrongSettings
from practicefusion_connector.sync.reports.report import write_json

_TOLD_EVERY = 15.0
_SILENT = timedelta(minutes=1)


class Health:
    """What a service is doing; safe to share between threads.

    Args:
        folder: where `health.json` lies.
        enabled: whether there is a schedule.
        next_run: says when the schedule is due.
    """

    def __init__(self, folder: Path, *, enabled: bool, next_run: Callable[[], str | None]) -> None:
        self._file = folder / "health.json"
        self._next_run = next_run
        self._lock = threading.Lock()
        self._ended = Event()
        # What the service saw itself outranks what was before it.
        self._before: dict[str, Any] = {
            "enabled": enabled,
            "healthy": True,
            "running": False,
            "last_run": None,
            "last_success": None,
            "error": None,
            "note": None,
            "types": {},
            "progress": None,
        }
        self._seen: dict[str, Any] = {}

    def begin(self) -> None:
        """Tell it now, and again and again.

        Raises:
            WrongSettings: the file cannot be written.
        """
        try:
            with self._lock:
                write_json(self._file, self._now())
        except OSError as error:
            raise WrongSettings(
                f"The sync's folder cannot be written to ({error.strerror}); give another one."
            ) from None
        threading.Thread(target=self._beat, name="practicefusion-health-file", daemon=True).start()

    def end(self) -> None:
        """Tell that nobody serves the sync any more."""
        self._ended.set()
        self.tell(enabled=False)

    def tell(self, **changes: Any) -> None:
        """Note what changed, and tell it."""
        with self._lock:
            self._seen.update(changes)
            self._write()

    def recall(self, before: Mapping[str, Any]) -> None:
        """Note how the sync was before this service, and tell it."""
        with self._lock:
            self._before.update(before)
            self._write()

    def now(self) -> dict[str, Any]:
        """Return it."""
        with self._lock:
            return self._now()

    def _now(self) -> dict[str, Any]:
        told = None if self._ended.is_set() else moment()
        return {**self._before, **self._seen, "next_run": self._next_run(), "told": told}

    def _write(self) -> None:
        # A disk that is full now may not be later, and a run must not end for it.
        with contextlib.suppress(OSError):
            write_json(self._file, self._now())

    def _beat(self) -> None:
        while not self._ended.wait(_TOLD_EVERY):
            self.tell()


def is_served(health: Mapping[str, Any]) -> bool:
    """Say whether somebody serves the sync whose health this is."""
    told = health.get("told")
    return told is not None and datetime.now(UTC) - datetime.fromisoformat(told) < _SILENT


def moment() -> str:
    """Return the moment it is, as health tells it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
