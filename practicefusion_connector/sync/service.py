"""A sync that runs by itself: on a schedule, on start-up, by hand; never two at once.

APScheduler keeps the time (extra `sync`). What the service is doing is told to a file (`health`)
and, by `health_server`, over HTTP; how each run ended is logged.
"""

from __future__ import annotations

import logging
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
from practicefusion_connector.sync.health import Health, moment
from practicefusion_connector.sync.past import WAITS, recalled
from practicefusion_connector.sync.reports.files import keep
from practicefusion_connector.sync.reports.report import SyncReport
from practicefusion_connector.sync.state.state import State, SyncBusy

Progress = Callable[[SyncProgress], None]
Builder = Callable[[Progress], AbstractContextManager[Sync]]
StateOpener = Callable[[], AbstractContextManager[State]]

# Progress is told to the file no more often than somebody looks at it.
_TOLD_EVERY = 1.0
_logger = logging.getLogger("practicefusion_connector")


class SyncService:
    """Runs one sync again and again.

    Args:
        build: makes the sync for one run; told a progress callback.
        schedule: when it runs.
        folder: where `health.json` and the reports lie.
        progress: told what happens.
        open_state: opens the sync's state, to recall how it was before this service.
    """

    def __init__(
        self,
        build: Builder,
        schedule: ScheduleSettings,
        folder: Path,
        *,
        progress: Progress | None = None,
        open_state: StateOpener | None = None,
    ) -> None:
        self._build = build
        self._schedule = schedule
        self._folder = folder
        self._progress = progress or (lambda _: None)
        self._open_state = open_state
        self._busy = threading.Lock()
        self._stop = Event()
        self._told = 0.0
        self._scheduler: Any = None
        self._health = Health(folder, enabled=schedule.enabled, next_run=self._next)

    def start(self) -> None:
        """Begin to keep the schedule; with `run_on_startup` the first run begins at once.

        Raises:
            InvalidConfig: the folder cannot be written to, or a library is missing.
        """
        self._health.begin()
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
            self._health.tell()
        if self._open_state is not None:
            # A state out of reach may take minutes to say so.
            asked = (self._open_state,)
            threading.Thread(
                target=self._recall, args=asked, name="practicefusion-recall", daemon=True
            ).start()

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
        self._health.end()
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
            self._health.tell(running=False, progress=None)

    def health(self) -> dict[str, Any]:
        """Return what the service is doing."""
        return self._health.now()

    def _ran(self) -> SyncReport | None:
        begun = moment()
        self._health.tell(running=True, note=None)
        try:
            with self._build(self._noted) as sync:
                report = sync.run(self._stop)
                keep(report, self._folder)
                types = sync.state.memory.counts()
        except SyncBusy:
            note = "Another process runs this sync; the next run comes when it is due."
            _logger.info("No run of the sync was begun: another process runs it.")
            self._health.tell(note=note)
        except Cancelled:
            _logger.info("The run of the sync was stopped; the next one goes on from there.")
            note = "The last run was stopped; the next one goes on from there."
            self._health.tell(last_run=begun, note=note)
        # A schedule outlives a defect, too.
        except Exception as error:
            said = _says(error)
            _logger.error("The run of the sync failed: %s", said)
            self._health.tell(last_run=begun, healthy=False, error=said)
        else:
            sound = report.status == "done"
            _log(report)
            self._health.tell(
                last_run=begun,
                healthy=sound,
                types=types,
                error=None if sound else WAITS,
                **({"last_success": moment()} if sound else {}),
            )
            return report
        return None

    def _recall(self, open_state: StateOpener) -> None:
        try:
            with open_state() as state:
                self._health.recall(recalled(state))
        except Exception as error:
            _logger.warning("How the sync's last run ended cannot be read: %s", _says(error))

    def _noted(self, told: SyncProgress) -> None:
        self._progress(told)
        now = datetime.now(UTC).timestamp()
        if now - self._told >= _TOLD_EVERY:
            self._told = now
            shown = {"stage": told.stage, "type": told.type, "file": told.file}
            self._health.tell(progress={**shown, "lines": told.lines, "total": told.total})

    def _next(self) -> str | None:
        scheduler = self._scheduler
        job = scheduler.get_job("sync") if scheduler is not None else None
        due = job.next_run_time if job is not None else None
        return due.astimezone(UTC).isoformat(timespec="seconds") if due else None


def _says(error: Exception) -> str:
    """Return an error's code and message; a defect's text may hold anything, so only its name."""
    if not isinstance(error, ConnectorError):
        error = InternalError(f"{type(error).__name__} in the sync.")
    return f"{error.code}: {error.message}"


def _log(report: SyncReport) -> None:
    counts = {name: report.total(name) for name in ("created", "updated", "deleted", "failed")}
    did = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
    level = logging.INFO if report.status == "done" else logging.WARNING
    told = (report.run, report.status, did or "nothing changed")
    _logger.log(level, "Run %d of the sync is %s: %s.", *told)


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
