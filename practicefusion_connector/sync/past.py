"""What a sync's state says of the runs before: for a service that begins again, and for people."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import select

from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.sync.runs import Run
from practicefusion_connector.sync.state import schema
from practicefusion_connector.sync.state.state import State

_SQLITE = "sqlite:///"
WAITS = "Something is in quarantine and its watermarks wait: sync status shows it."


class NeverRun(InvalidInput):
    """No run of this source into this target was ever begun."""


def is_there(url: str) -> bool:
    """Say whether there is a database to look into: to open SQLite's file would make it."""
    path = url.removeprefix(_SQLITE).partition("?")[0]
    file = url.startswith(_SQLITE) and not path.startswith("file:")
    return not file or Path(path).exists()


def ever_run(url: str, name: str) -> bool:
    """Say whether a run of a sync was ever begun; a `State` would write the sync down."""
    statement = select(schema.runs.c.id).join(schema.syncs).where(schema.syncs.c.name == name)
    with (
        closing(schema.open_database(url)) as database,
        database.connect() as connection,
    ):
        return connection.scalar(statement.limit(1)) is not None


def ended(run: Run) -> dict[str, Any]:
    """Return the report of a run that is over; of one that failed, what is known of it."""
    document = run.document
    if run.phase == "done":
        return document.report
    return {
        "run": run.id,
        "status": "failed",
        "started": document.started,
        "finished": document.finished,
        "reason": document.reason,
    }


def recalled(state: State) -> dict[str, Any]:
    """Return how a sync is, as health tells it; nothing where it was never run."""
    current, last = state.ledger.current(), next(iter(state.ledger.last()), None)
    newest = current or last
    if newest is None:
        return {}
    error = _trouble(current, last, state)
    return {
        "healthy": error is None,
        "last_run": newest.document.started,
        "last_success": _last_success(state),
        "error": error,
        "types": state.memory.counts(),
    }


def _trouble(current: Run | None, last: Run | None, state: State) -> str | None:
    # A run that fails is not over: it says why and waits for the next one to go on with it.
    if current is not None and current.document.reason:
        return current.document.reason
    if last is None:
        return None
    found = ended(last)
    if found["status"] == "failed":
        return found["reason"] or "The last run failed."
    # What waited may have been settled by hand since.
    waits = found["status"] == "incomplete" and any(m.held for m in state.ledger.watermarks())
    return WAITS if waits else None


def _last_success(state: State) -> str | None:
    done = (run for run in state.ledger.completed() if ended(run)["status"] == "done")
    return next((run.document.finished for run in done), None)
