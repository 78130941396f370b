"""How a sync is shown: progress bars on a terminal, plain lines in a log, its health as a table."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

from practicefusion_connector.cli import output
from practicefusion_connector.sync.engine import SyncProgress
from practicefusion_connector.sync.health import is_served

Show = Callable[[SyncProgress], None]


@contextmanager
def told(*, quiet: bool = False) -> Iterator[Show]:
    """Give what shows the progress: bars where somebody watches, lines where not, or nothing."""
    console = output.console(stderr=True)
    if quiet:
        yield lambda _: None
    elif not console.is_terminal:
        yield Lines()
    else:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TextColumn("{task.fields[says]}"), console=console) as progress:
            yield _Bars(progress)


@contextmanager
def stoppable() -> Iterator[Event]:
    """Give an event that Ctrl-C or SIGTERM sets; the second of them ends the process at once."""
    stopped = Event()

    def stop(sign: int, _frame: object) -> None:
        if stopped.is_set():
            signal.signal(sign, signal.SIG_DFL)
            signal.raise_signal(sign)
        stopped.set()

    before = {sign: signal.signal(sign, stop) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


@contextmanager
def logged() -> Iterator[None]:
    """Write what the connector logs on stderr, each line with its time."""
    logger = logging.getLogger("practicefusion_connector")
    handler, level = logging.StreamHandler(), logger.level
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


class Lines:
    """A line on stderr for each stage and each file that is done."""

    def __init__(self) -> None:
        self._stage = ""
        self._last: SyncProgress | None = None

    def __call__(self, now: SyncProgress) -> None:
        """Tell what is over, once what follows begins."""
        last, self._last = self._last, now
        if last is not None and last.stage == "applying" and last.file != now.file:
            output.note(f"{last.type} {last.file}: {_says(last) or 'nothing new'}")
        if now.stage != self._stage:
            self._stage = now.stage
            output.note(now.stage)


class _Bars:
    """A bar for each file, and one for what is exported."""

    def __init__(self, progress: Any) -> None:
        self._progress = progress
        self._tasks: dict[str, Any] = {}

    def __call__(self, now: SyncProgress) -> None:
        name = f"{now.type} {now.file}" if now.stage == "applying" else now.stage
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=None, says="")
        if now.stage == "exporting":
            export = now.export
            where = " ".join(filter(None, (export.stage, export.resource_type, export.file)))
            percent = f"{export.percent:.0f} %" if export.percent is not None else ""
            self._progress.update(self._tasks[name], says=f"{where} {percent}".strip())
            return
        total = now.total if now.total is not None else None
        self._progress.update(self._tasks[name], completed=now.lines, total=total, says=_says(now))


def how_it_ended(last: dict[str, Any]) -> str:
    """Return the line about a run that is over, from what `past.ended` says of it."""
    why = last.get("reason") or ", ".join(last.get("held", ()))
    detail = f" ({'' if last.get('reason') else 'held back: '}{why})" if why else ""
    when = f"ended {last['finished']}" if last["finished"] else f"begun {last['started']}"
    return f"Last run: {last['run']}, {last['status']}{detail}, {when}."


def health_table(health: dict[str, Any]) -> Any:
    """Return the health of a served sync as a table of rich's."""
    from rich.table import Table

    table = Table(box=None, show_header=False, title="Sync", title_justify="left")
    served = is_served(health)
    told = health.get("told")
    silent = f"no, nothing was heard of it since {told}" if told else "no, it has ended"
    doing = (health.get("progress") if served else None) or {}
    rows = [
        ("Served", "yes" if served else silent),
        ("Enabled", health["enabled"] and served),
        ("Healthy", health["healthy"]),
        ("Running", health["running"] and served),
        ("Now", f"{doing.get('stage', '')} {doing.get('type', '')} {doing.get('lines', '')}"),
        ("Last run", health["last_run"]),
        ("Last success", health["last_success"]),
        ("Next run", health["next_run"]),
        ("Error", health["error"]),
        ("Note", health.get("note")),
        ("Resources", ", ".join(f"{k} {n}" for k, n in sorted(health["types"].items()))),
    ]
    for name, value in rows:
        table.add_row(name, output.plain(value))
    return table


def _says(now: SyncProgress) -> str:
    shown = ("created", "updated", "unchanged", "failed")
    return ", ".join(f"{name} {now.counts[name]}" for name in shown if now.counts.get(name))
