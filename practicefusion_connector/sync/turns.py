"""A run done by turns, in a queue that is shared with others and may deliver a task twice.

A turn ends at a good moment and loses nothing: the next one goes on with what it left, as after a
kill. The run itself says which step it waits for (`Step`). So of all the tasks that come for a step
the first does it and the others end, and a step whose task was lost can be sent again by anybody,
at any time. It knows no queue.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any, NamedTuple

from practicefusion_connector.errors import Cancelled, ConnectorError
from practicefusion_connector.sync.engine import Sync, SyncProgress
from practicefusion_connector.sync.runs import Run

_FIRST_LOOK = 5.0
_LONGEST_POLL = 60.0
# Clocks of machines differ, and a queue's waits end in whole ticks: so early is not too early.
_EARLY = 1.0

Clock = Callable[[], float]


class Step(NamedTuple):
    """The step a run waits for; it is kept in the run, as `RunDocument.chain`.

    Attributes:
        chain: names the chain of tasks that works on the run.
        number: of the step within it, from 1.
        due: when it is to be done, in POSIX seconds, which the machines share.
    """

    chain: str
    number: int
    due: float

    @classmethod
    def of(cls, run: Run | None) -> Step | None:
        """Return the step a run waits for; `None` where it is over, or no chain works on it."""
        if run is None or run.phase in ("done", "failed"):
            return None
        written = (run.document.chain or "").split()
        if len(written) != len(cls._fields):
            return None
        chain, number, due = written
        return cls(chain, int(number), float(due))

    def noted(self, run: Run) -> Run:
        """Return the run with this as the step it waits for, to be written."""
        run.document.chain = f"{self.chain} {self.number} {self.due:.3f}"
        return run


class Asked(NamedTuple):
    """The step a task was sent for."""

    run: int
    chain: str
    number: int


class Then(NamedTuple):
    """What a step left.

    Attributes:
        run: whose next step is to be sent.
        wait: seconds until it is due.
        hints: keywords for the next step of the same kind, which does without them as well.
    """

    run: Run
    wait: float = 0.0
    hints: Mapping[str, Any] = {}


class TooEarly(Exception):
    """It is not time yet; the same is to be asked for again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__("It is not time yet.")
        self.seconds = seconds


class TurnOver(Exception):
    """This task has worked long enough, or waits for the server: others have their turn.

    Attributes:
        polling: it waits for the server.
        retry_after: seconds, where the server asks for them.
    """

    def __init__(self, *, polling: bool, retry_after: float | None = None) -> None:
        super().__init__("The turn is over.")
        self.polling = polling
        self.retry_after = retry_after


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
            raise TurnOver(polling=True, retry_after=told.export.retry_after)
        if stage is not None and time.monotonic() > self._until:
            raise TurnOver(polling=False)


def start(
    sync: Sync, patience: float, *, again: bool, clock: Clock = time.time
) -> tuple[Run, bool]:
    """Return the run to work on, begun where there is none, and whether to send its next step.

    A run that is well under way is left alone: its step is not overdue, so a task for it is at work
    or waits for its turn. An overdue one is sent again; should its task only be late, whichever
    comes first does the step and the other ends.

    Args:
        sync: neither locked nor open.
        patience: seconds after which a step is overdue.
        again: this start was delivered before; what became of it is not known.
        clock: POSIX seconds.

    Raises:
        SyncBusy: the sync is worked on at this moment.
        TooEarly: who is in a group takes an export to see, which is under way.
    """

    def overdue(run: Run) -> bool:
        step = Step.of(run)
        return step is None or clock() > step.due + patience

    # Looked at before it is locked, as a lock would keep out the very task that is waited for.
    known = sync.state.ledger.current()
    if known is not None and not again and not overdue(known):
        return known, False
    with sync.state.lock(), sync.opened():
        try:
            run, _ = sync.begin()
        except TurnOver as over:
            first = _FIRST_LOOK if over.retry_after is None else over.retry_after
            raise TooEarly(first if over.polling else 0.0) from None
        if Step.of(run) is None:
            chain = secrets.token_hex(8)
            return sync.state.ledger.write(Step(chain, 1, clock()).noted(run)), True
        return run, again or overdue(run)


def take(
    sync: Sync,
    asked: Asked,
    work: Callable[[Sync, Run], Then | None],
    wait_after: Callable[[ConnectorError], float | None],
    *,
    again: bool,
    clock: Clock = time.time,
) -> Then | None:
    """Do the step asked for, if the run waits for it, and note the one that follows.

    Args:
        sync: locked, and its target open.
        asked: the step.
        work: does it; returns `None` once the run is done.
        wait_after: how many seconds after an error the step is tried again, if at all.
        again: this task was delivered before, to a worker that died.
        clock: POSIX seconds.

    Returns:
        What to send next; `None` where nothing is left to do, or another task sees to it.

    Raises:
        TooEarly: the step is not due yet.
        ConnectorError: the step failed; the run says why, and still waits for it.
    """
    ledger = sync.state.ledger
    run = ledger.run(asked.run)
    step = Step.of(run)
    if run is None or step is None or step.chain != asked.chain:
        return None
    early = step.due - clock()
    if step.number == asked.number + 1 and again:
        # A worker died when this step was done. Whether it had sent the next, nobody knows.
        return Then(run, max(0.0, early))
    if step.number != asked.number:
        return None
    if early > _EARLY:
        raise TooEarly(early)
    try:
        then = work(sync, run)
    except ConnectorError as error:
        failed = ledger.run(asked.run) or run
        failed.document.reason = error.message
        due = clock() + (wait_after(error) or 0.0)
        ledger.write(step._replace(due=due).noted(failed))
        raise
    if then is None:
        return None
    following = Step(step.chain, step.number + 1, clock() + then.wait)
    return then._replace(run=ledger.write(following.noted(then.run)))


def fetch_next(sync: Sync, run: Run, wait: float) -> Then:
    """Fetch the parts of a run until the turn is over, which a `Pause` says; or all of them.

    Args:
        sync: its progress goes to a `Pause`.
        run: it is exporting.
        wait: seconds before the next look at the server's status, where it comes to that and the
            server does not say how many.
    """
    try:
        while run.phase == "exporting":
            run = sync.fetch(run, Event())
    except TurnOver as over:
        if over.retry_after is not None:
            return Then(run, over.retry_after, {"wait": wait})
        if over.polling:
            return Then(run, wait, {"wait": min(wait * 1.5, _LONGEST_POLL)})
    return Then(run)


def apply_next(sync: Sync, run: Run, place: int, seconds: float) -> Then:
    """Apply the next file of a run, for a while.

    Args:
        sync: its target is open.
        run: all its files are there.
        place: a file's place in `sync.files(run)`, before which all is applied; 0 is always right,
            as files that are applied already cost a look each.
        seconds: after which to stop, between two batches.
    """
    files, over = sync.files(run), Event()
    timer = threading.Timer(seconds, over.set)
    timer.start()
    try:
        while place < len(files):
            number = files[place].number
            before = sync.state.ledger.position(run.id, number)
            sync.apply(run, files[place], over)
            place += 1
            if sync.state.ledger.position(run.id, number) != before:
                break
    except Cancelled:
        pass  # the turn is over within a file; the next one goes on in it
    finally:
        timer.cancel()
    return Then(run, hints={"place": place})
