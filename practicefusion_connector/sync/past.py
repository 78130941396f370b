"""What a sync's state says of the runs before: for a service that begins again, and for people."""

from __future__ import annotations

from typing import Any

from practicefusion_connector.sync.runs import Run
from practicefusion_connector.sync.state.state import State

WAITS = "Something is in quarantine and its watermarks wait: sync status shows it."


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
