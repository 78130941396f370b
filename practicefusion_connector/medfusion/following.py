"""Following a portal's changes: each delivered once, however often it is stopped and begun again.

What was read is handed over first and the cursor moved after, so that nothing is lost. What a crash
between the two would deliver again is recognised by who changed and when. The cursor is kept in the
connection's record and moved by compare-and-set; one follower at a time holds the lease.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Event

from practicefusion_connector.errors import (
    ActionWarning,
    Cancelled,
    ConnectorError,
    RefreshBusy,
)
from practicefusion_connector.medfusion.client import Medfusion
from practicefusion_connector.medfusion.connecting import portal_record
from practicefusion_connector.medfusion.models import Patient
from practicefusion_connector.medfusion.sinks import Sink
from practicefusion_connector.medfusion.states import State, follows, state_of
from practicefusion_connector.stores import ConnectionStore, StaleVersion
from practicefusion_connector.transport import Run

# What the portal echoes of the practice's own invitations is no news to it.
PORTAL_CHANGES: frozenset[State] = frozenset({"REGISTERED", "DEACTIVATED", "DELETED"})
_PAGE_DEADLINE = 120.0
# Longer than a page may take, with time to write it.
_LEASE_TTL = 300.0
_SAVES_TRIED = 5


@dataclass(slots=True)
class Passed:
    """What one pass brought.

    Attributes:
        delivered: patients handed over.
        repeated: changes recognised as delivered before.
        skipped: patients in states that were not asked for.
    """

    delivered: int = 0
    repeated: int = 0
    skipped: int = 0
    warnings: list[ActionWarning] = field(default_factory=list)


class Follower:
    """Follows the changes of one stored connection.

    Args:
        portal: the connection, opened from the same store.
        store: keeps the cursor, in the connection's record.
        sink: where changes go.
        states: the states to deliver; `None` for all, the echo of invitations included.
    """

    def __init__(
        self,
        portal: Medfusion,
        store: ConnectionStore,
        sink: Sink,
        *,
        states: frozenset[State] | None = PORTAL_CHANGES,
    ) -> None:
        self._portal = portal
        self._store = store
        self._sink = sink
        self._states = states

    def once(self, *, cancel: Event | None = None) -> Passed:
        """Deliver everything that changed since the cursor, page by page.

        Raises:
            RefreshBusy: another worker follows this connection.
            ConnectorError: the portal could not be asked; what was delivered stays delivered.
        """
        passed = Passed()
        while self._page(passed, Run(_PAGE_DEADLINE, cancel=cancel)):
            pass
        return passed

    def forever(
        self,
        every: float,
        cancel: Event,
        *,
        told: Callable[[Passed], None] = lambda passed: None,
        failed: Callable[[ConnectorError], object] = lambda error: None,
    ) -> None:
        """Deliver what changes, every so many seconds, until `cancel` is set.

        Args:
            every: seconds between two looks.
            cancel: ends it, in the midst of a look too.
            told: what each look brought.
            failed: what a look failed of that may pass; the next look is taken all the same.

        Raises:
            ConnectorError: what does not pass by waiting.
        """
        while not cancel.is_set():
            try:
                told(self.once(cancel=cancel))
            except Cancelled:
                return
            except ConnectorError as error:
                if not error.retryable:
                    raise
                failed(error)
            cancel.wait(every)

    def _page(self, passed: Passed, run: Run) -> bool:
        """Deliver one page and move the cursor; say whether there may be more."""
        with self._alone():
            before = portal_record(self._store, self._portal.connection.id).cursor
            found = self._portal.changes(before, run)
            passed.warnings += found.warnings
            self._hand_over(found.patients, passed)
            if found.cursor is None or found.cursor == before:
                return False
            self._move(before, found.cursor)
            return True

    def _hand_over(self, patients: Sequence[Patient], passed: Passed) -> None:
        self._sink.catch_up()
        fresh = []
        for patient in patients:
            state = state_of(patient.status)
            if self._states is not None and state is not None and state not in self._states:
                passed.skipped += 1
            elif self._sink.has(patient):
                passed.repeated += 1
            else:
                fresh.append(patient)
                passed.warnings += self._surprises(patient, state)
        if fresh:
            self._sink.deliver(fresh)
            passed.delivered += len(fresh)

    def _surprises(self, patient: Patient, state: State | None) -> list[ActionWarning]:
        if state is None:
            told = "The portal named a state that is not known; the patient was delivered."
            return [ActionWarning("unknown_state", told)]
        before = self._sink.state(patient)
        if follows(before, state):
            return []
        told = f"The portal says {state} of a patient who was {before}; the patient was delivered."
        return [ActionWarning("unexpected_state", told)]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        connection_id = self._portal.connection.id
        with ExitStack() as held:
            try:
                # Not the connection's own lease, under which its token is refreshed.
                lease = self._store.lease(f"{connection_id}.follow", ttl=_LEASE_TTL, wait=0)
                held.enter_context(lease)
            except RefreshBusy:
                raise RefreshBusy(
                    "Another worker follows this connection; two at once would get in each "
                    "other's way.",
                    connection_id=connection_id,
                ) from None
            yield

    def _move(self, before: str | None, after: str) -> None:
        """Move the cursor, where it still is what it was; a refreshed token is no hindrance."""
        connection_id = self._portal.connection.id
        for _ in range(_SAVES_TRIED):
            stored = self._store.load(connection_id)
            if stored is None or getattr(stored.record, "cursor", None) != before:
                break
            moved = stored.record.model_copy(update={"cursor": after})
            try:
                self._store.save(moved, expected=stored.version)
            except StaleVersion:
                continue
            return
        raise RefreshBusy(
            "Another worker moved this connection's cursor meanwhile; begin again.",
            connection_id=connection_id,
        )
