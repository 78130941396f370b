"""A sync as a chain of short tasks over the same code as `Sync.run`.

    sync_start ─► sync_fetch ─► … ─► sync_file ─► … ─► done

Fetch for a while, apply a file, complete: between two of them other practices have their turn. The
run says which step it waits for (`sync.turns`), so a task that is delivered twice finds its step
done and ends, and what a dead worker held is delivered to another. Should the queue itself lose a
task, the next start finds the step overdue and sends it again; `sync_all` starts every practice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from celery import Celery, Task

from practicefusion_connector.errors import ConnectorError
from practicefusion_connector.sync.building import built
from practicefusion_connector.sync.engine import Sync
from practicefusion_connector.sync.reports.files import keep
from practicefusion_connector.sync.runs import Run
from practicefusion_connector.sync.state.state import SyncBusy
from practicefusion_connector.sync.turns import (
    Asked,
    Pause,
    Step,
    Then,
    apply_next,
    fetch_next,
    start,
    take,
)
from practicefusion_connector.tasks.delivery import (
    bounded,
    declared,
    redelivered,
    retried,
    wait_after,
)
from practicefusion_connector.tasks.host import Host
from practicefusion_connector.tasks.schedule import practices, until_next


def add(app: Celery, host: Host) -> None:
    """Add the tasks to an application."""
    chain = _Chain(app, host)

    @declared(app, "sync_all", ignore_result=True)
    def sync_all(task: Task) -> None:
        """Start the sync of every connection of level `system`."""
        with retried(task):
            # The next schedule decides anew: a start and its retries need not outlive this one.
            for connection_id in practices(host):
                sync_start.apply_async((connection_id,), expires=until_next(app))

    @declared(app, "sync_start")
    def sync_start(task: Task, connection_id: str) -> int | None:
        """Begin a connection's sync, or take over the one that was cut off; return its run.

        A run that is well under way is left alone, see `turns.start`; where it is worked on at this
        very moment, `None` is returned.
        """
        return chain.start(task, connection_id)

    @declared(app, "sync_fetch", ignore_result=True)
    def sync_fetch(
        task: Task, connection_id: str, asked: list[Any], wait: float = host.first_wait
    ) -> None:
        """Kick off, look once, or download for a while."""
        chain.do(task, connection_id, asked, lambda sync, run: fetch_next(sync, run, wait))

    @declared(app, "sync_file", ignore_result=True)
    def sync_file(task: Task, connection_id: str, asked: list[Any], place: int = 0) -> None:
        """Apply the next file, for a while; once there is none, complete the run."""

        def work(sync: Sync, run: Run) -> Then | None:
            if place < len(sync.files(run)):
                return apply_next(sync, run, place, host.slice)
            keep(sync.complete(run), host.settings_for(connection_id).sync.folder)
            return None

        chain.do(task, connection_id, asked, work)


class _Chain:
    """Does a step of a run, and sends the next."""

    def __init__(self, app: Celery, host: Host) -> None:
        self._app = app
        self._host = host

    def start(self, task: Task, connection_id: str) -> int | None:
        """Begin a run or take it over, see `turns.start`; return its number."""
        with retried(task):
            try:
                with self._built(connection_id) as sync:
                    run, due = start(sync, self._host.slice, again=redelivered(task))
            except SyncBusy:
                return None
        if due:
            self._send(connection_id, Then(run))
        return run.id

    def do(
        self,
        task: Task,
        connection_id: str,
        asked: Sequence[Any],
        work: Callable[[Sync, Run], Then | None],
    ) -> None:
        """Do the step a task was sent for, see `turns.take`."""

        def after(error: ConnectorError) -> float | None:
            return wait_after(task, error)

        with retried(task), self._built(connection_id) as sync, sync.state.lock(), sync.opened():
            then = take(sync, Asked(*asked), work, after, again=redelivered(task))
        # Not before the lock is given back, which the next worker takes.
        if then is not None:
            self._send(connection_id, then)

    def _send(self, connection_id: str, then: Then) -> None:
        step = Step.of(then.run)
        if step is not None:
            name = "sync_fetch" if then.run.phase == "exporting" else "sync_file"
            self._app.tasks[f"practicefusion.{name}"].apply_async(
                (connection_id, Asked(then.run.id, step.chain, step.number)),
                dict(then.hints),
                countdown=bounded(self._app, then.wait),
            )

    def _built(self, connection_id: str) -> AbstractContextManager[Sync]:
        settings = self._host.settings_for(connection_id)
        return built(
            settings,
            settings.plan(),
            policy_for=self._host.policy_for,
            open_store=self._host.open_store,
            progress=Pause(self._host.slice),
            pacing=self._host.pacing,
        )
