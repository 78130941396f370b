"""When every practice is synced, and which those are. Celery's beat keeps the time."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import Any

from celery import Celery, schedules, signals
from tzlocal import get_localzone_name

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.sync.config import ScheduleSettings
from practicefusion_connector.sync.cron import read_cron
from practicefusion_connector.tasks.host import Host

_ALL = "practicefusion.sync_all"
_logger = logging.getLogger("practicefusion_connector")


def kept_by_beat(app: Celery, given: ScheduleSettings | None) -> dict[str, Any]:
    """Return the settings that make beat keep a schedule; none where none is to be kept."""
    if given is None or not given.enabled:
        return {}
    if given.run_on_startup:

        def begun(sender: Any, **_: Any) -> None:
            if sender.app is app:
                app.tasks[_ALL].delay()

        signals.beat_init.connect(begun, weak=False)
    if given.cron is None:
        interval = schedules.schedule(given.interval_ms / 1000)
        return {"beat_schedule": {_ALL: {"task": _ALL, "schedule": interval}}}
    return {
        "beat_schedule": {_ALL: {"task": _ALL, "schedule": _cron(given.cron)}},
        # Celery's own is UTC; the settings mean the machine's.
        "timezone": get_localzone_name(),
    }


def until_next(app: Celery) -> float | None:
    """Return the seconds until the schedule is due again; `None` where there is none."""
    entry = app.conf.beat_schedule.get(_ALL)
    if entry is None:
        return None
    seconds: float = entry["schedule"].remaining_estimate(app.now()).total_seconds()
    return seconds


def practices(host: Host) -> list[str]:
    """Return the ids of the connections that can be synced: those of level `system`."""
    found = []
    with closing(host.open_store()) as store:
        for connection_id in store.ids():
            try:
                stored = store.load(connection_id)
            except InvalidConfig as error:
                # One that cannot be opened must not keep the others from being synced.
                _logger.error("Connection %s is not synced: %s", connection_id, error.message)
                continue
            # Records of other systems have connections of other kinds.
            connection: Any = stored.record.connection if stored else None
            if getattr(connection, "level", None) == "system":
                found.append(connection_id)
    return found


def _cron(text: str) -> schedules.crontab:
    cron = read_cron(text)
    return schedules.crontab(cron.minute, cron.hour, cron.weekday, cron.day, cron.month)
