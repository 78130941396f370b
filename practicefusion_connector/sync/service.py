"""A sync that runs by itself: on a schedule, on start-up, by hand; never two at once.

APScheduler keeps the time (extra `sync`). What the service is doing is a plain dictionary,
`health`, told to a file on every change and, by `health_server`, over HTTP.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

from practicefusion_connector.errors import Cancelled, ConnectorError, InternalError, InvalidConfig
from practicefusion_connector.sync.config import ScheduleSettings
from practicefusion_connector.sync.cron import read_cron
from practicefusion_connector.sync.engine import Sync, SyncProgress
from practicefusion_connector.sync.reports.files import keep
from practicefusion_connector.sync.reports.report import SyncReport, write_json

Progress = Callable[[SyncProgress], None]
Builder = Callable[[Progress], AbstractContextManager[Sync]]

# Progress is told to the file no more often than somebody looks at it.
_TOLD_EVERY = 1.0


class SyncService:
    """Runs one sync again and again.

    Args:
        build: makes the sync for one run; told a progress callback.
        schedule: when it runs.
        folder: where `health.json` and the reports lie.
        progress: told what happens.
    """

    def __init__(
        self,
        build: Builder,
        schedule: ScheduleSettings,
        folder: Path,
        *,
        progress: Progress | None = None,
    ) -> None:
        self._build = build
        self._schedule = schedule
        self._folder = folder
        self._progress = progress or (lambda _: None)
        self._busy = threading.Lock()
        self._telling = threading.Lock()
        self._stop = Event()
        self._told = 0.0
        self._scheduler: Any = None
        self._health: dict[str, Any] = {
            "enabled": schedule.enabled,
            "healthy": True,
            "running": False,
            "last_run": None,
            "last_success": None,
            "next_run": None,
            "error": None,
            "types": {},
            "progress": None,
        }

    def start(self) -> None:
        """Begin to keep the schedule; with `run_on_startup` the first run begins at once."""
        if self._schedule.enabled:
            self._scheduler = _scheduler()
            self._scheduler.add_job(
                self.run_once,
                _trigger(self._schedule),
                id="sync",
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )
            self._scheduler.start()
            if self._schedule.run_on_startup:
                self._scheduler.modify_job("sync", next_run_time=datetime.now(UTC))
        self._tell()

    def stop(self, patience: float = 30.0) -> bool:
        """Take no further run, let the one under way stop at its next batch, and wait for it.

        Returns whether it has ended; where it has not, ending the process loses nothing: the next
        run goes on where it was.
        """
        self._stop.set()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None
        ended = self._busy.acquire(timeout=patience)
        if ended:
            self._busy.release()
        self._tell(enabled=False)
        return ended

    def trigger(self) -> bool:
        """Begin a run by hand, in the background; say whether one began: not while one runs."""
        if self._busy.locked() or self._stop.is_set():
            return False
        threading.Thread(target=self.run_once, name="practicefusion-sync", daemon=True).start()
        return True

    def run_once(self) -> SyncReport | None:
        """Run now and return the report, or `None` where one runs already or the run failed."""
        if not self._busy.acquire(blocking=False):
            return None
        try:
            return self._ran()
        finally:
            self._busy.release()
            self._tell(running=False, progress=None)

    def health(self) -> dict[str, Any]:
        """Return what the service is doing."""
        with self._telling:
            return {**self._health, "next_run": self._next()}

    def _ran(self) -> SyncReport | None:
        self._tell(running=True, last_run=_now(), error=None)
        try:
            with self._build(self._noted) as sync:
                report = sync.run(self._stop)
                keep(report, self._folder)
                types = sync.state.memory.counts()
        except Cancelled:
            self._tell(error="It was stopped; the next run goes on from there.")
        except ConnectorError as error:
            self._tell(healthy=False, error=f"{error.code}: {error.message}")
        except Exception as error:
            # A schedule outlives a defect; its text may hold anything, so only its name is told.
            defect = InternalError(f"{type(error).__name__} in a run of the sync.")
            self._tell(healthy=False, error=f"{defect.code}: {defect.message}")
        else:
            sound = report.status == "done"
            waits = "Something is in quarantine and its watermarks wait: sync status shows it."
            self._tell(
                healthy=sound,
                last_success=_now() if sound else self._health["last_success"],
                types=types,
                error=None if sound else waits,
            )
            return report
        return None

    def _noted(self, told: SyncProgress) -> None:
        self._progress(told)
        now = datetime.now(UTC).timestamp()
        if now - self._told >= _TOLD_EVERY:
            self._told = now
            shown = {"stage": told.stage, "type": told.type, "file": told.file}
            self._tell(progress={**shown, "lines": told.lines, "total": told.total})

    def _tell(self, **changes: Any) -> None:
        with self._telling:
            self._health.update(changes)
            write_json(self._folder / "health.json", {**self._health, "next_run": self._next()})

    def _next(self) -> str | None:
        job = self._scheduler.get_job("sync") if self._scheduler is not None else None
        moment = job.next_run_time if job is not None else None
        return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _scheduler() -> Any:
    try:
        from apscheduler.schedulers.background import BackgroundScheduler
    except ImportError as error:
        raise InvalidConfig(
            f"A schedule needs a library that is not installed ({error.name}): "
            "pip install 'practicefusion-connector[sync]'"
        ) from error
    return BackgroundScheduler(timezone=None)


def _trigger(schedule: ScheduleSettings) -> Any:
    from apscheduler.triggers.cron import CronTrigger
    from apscheduler.triggers.interval import IntervalTrigger

    if schedule.cron is None:
        return IntervalTrigger(seconds=schedule.interval_ms / 1000)
    cron = read_cron(schedule.cron)
    return CronTrigger(
        minute=cron.minute,
        hour=cron.hour,
        day=cron.day,
        month=cron.month,
        day_of_week=cron.weekday_names,
    )
