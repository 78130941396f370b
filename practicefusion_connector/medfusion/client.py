"""The facade a host embeds: one portal, five actions, one way to run them.

It stands beside `PracticeFusion` and behaves like it: `run(key, inputs)` gives a `Result` or raises
a `ConnectorError`. Nothing here knows which face called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event
from types import TracebackType
from typing import Any

from practicefusion_connector.errors import ActionWarning, ConnectorError
from practicefusion_connector.history import Entry, History
from practicefusion_connector.medfusion.actions import action, check
from practicefusion_connector.medfusion.changes import Changes, read_changes, seen
from practicefusion_connector.medfusion.connecting import portal_record
from practicefusion_connector.medfusion.connection import MedfusionConnection
from practicefusion_connector.medfusion.cursors import Since
from practicefusion_connector.medfusion.fhir import to_fhir
from practicefusion_connector.medfusion.inviting import Invitation, Inviter
from practicefusion_connector.medfusion.ledger import Ledger
from practicefusion_connector.medfusion.models import Patient
from practicefusion_connector.medfusion.oauth import renewal
from practicefusion_connector.medfusion.server import PortalServer
from practicefusion_connector.medfusion.waiting import BatchStatus, Watch
from practicefusion_connector.result import Result
from practicefusion_connector.smart.provider import ManagedTokens, TokenProvider
from practicefusion_connector.stores import ConnectionStore
from practicefusion_connector.transport import Policy, Run, Transport

# Makes the next run of a call; the seconds it may take where neither caller nor policy decide.
Begin = Callable[[float | None], Run]


class Medfusion:
    """Runs actions against one practice's portal; safe to share between threads.

    Args:
        connection: which practice, application and user.
        tokens: hands out the access token (`ManagedTokens`, or the host's own).
        ledger: what was invited; one in memory where left out, which no crash survives.
        policy: timeouts, retries and bounds.
        transport: to share its connection pool; its policy is used.
        history: where a record of each run goes, see `history`.
    """

    def __init__(
        self,
        connection: MedfusionConnection,
        tokens: TokenProvider,
        *,
        ledger: Ledger | None = None,
        policy: Policy | None = None,
        transport: Transport | None = None,
        history: History | None = None,
    ) -> None:
        self.connection = connection
        self.ledger = ledger or Ledger()
        self._owned = None if transport else Transport(policy)
        self._transport = transport or self._owned or Transport(policy)
        self._server = PortalServer(self._transport, connection, tokens)
        self._history = history or History()

    @classmethod
    def from_store(
        cls,
        store: ConnectionStore,
        connection_id: str,
        *,
        ledger: Ledger | None = None,
        policy: Policy | None = None,
        transport: Transport | None = None,
        history: History | None = None,
    ) -> Medfusion:
        """Return the portal of a stored connection; its tokens are renewed in the store.

        Raises:
            InvalidInput: the store has no connection of this id.
            InvalidConfig: it leads to a Practice Fusion practice.
        """
        record = portal_record(store, connection_id)
        wire = transport or Transport(policy)
        tokens = ManagedTokens(connection_id, store, renewal(wire))
        made = cls(record.connection, tokens, ledger=ledger, transport=wire, history=history)
        made._owned = None if transport else wire
        return made

    def __enter__(self) -> Medfusion:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections, where they are this portal's own."""
        if self._owned:
            self._owned.close()

    def run(
        self,
        key: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Run one action and return its result.

        Args:
            key: such as `medfusion_invite_patients`.
            inputs: by name.
            deadline: seconds for everything; left out, the policy's, for each batch anew, and for
                waiting its own `timeout`.
            cancel: an event that stops the run when set, waits included.

        Raises:
            InvalidInput: before anything is sent, naming each wrong input.
            ConnectorError: everything else; see `practicefusion_connector.errors`.
        """
        with self._recorded(key) as entry:
            checked = check(action(key), inputs)
            begin = self._runs(entry, deadline, cancel)
            return entry.add(_RUNS[key](self, key, checked, begin))

    def invite(
        self,
        patients: Sequence[Patient],
        *,
        again: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
        progress: Callable[[int], None] = lambda done: None,
    ) -> tuple[list[Invitation], list[ActionWarning]]:
        """Invite checked patients; return what became of each, in their order, and warnings.

        Args:
            patients: as `invitation.invitation` returns them.
            again: invite even those the ledger knows as invited, or cannot tell.
            deadline: as in `run`.
            cancel: as in `run`.
            progress: told how many more patients are done with.

        Raises:
            ConnectorError: why nothing at all could be sent. Once anything was, or may have been,
                there is a row for each patient instead.
        """
        with self._recorded("medfusion_invite_patients") as entry:
            begin = self._runs(entry, deadline, cancel)
            return self._invite(patients, again, begin, progress)

    def changes(self, since: Since | None, run: Run) -> Changes:
        """Return patients who changed since a cursor or a moment, 100 at most."""
        return read_changes(self._server, since, run)

    def watch(
        self,
        status_urls: Sequence[str],
        *,
        interval: float = 60.0,
        timeout: float = 600.0,
        cancel: Event | None = None,
        progress: Callable[[int], None] = lambda done: None,
    ) -> list[BatchStatus]:
        """Wait until the portal is done with batches, or the time is up; note it in the ledger."""
        with self._recorded("medfusion_wait_for_batch") as entry:
            run = self._runs(entry, timeout, cancel)(None)
            return Watch(self._server, self.ledger, run).wait(status_urls, interval, progress)

    @contextmanager
    def _recorded(self, key: str) -> Iterator[Entry]:
        """Record a call, and name the action and the connection in what it raises."""
        connection = self.connection
        with self._history.entry(key, connection.id, connection.practice_url) as entry:
            try:
                yield entry
            except ConnectorError as error:
                error.action = key
                error.connection_id = connection.id
                raise

    def _runs(self, entry: Entry, deadline: float | None, cancel: Event | None) -> Begin:
        if deadline is not None:
            whole = entry.begin(Run(deadline, cancel=cancel))
            return lambda seconds: whole
        own = self._transport.policy.deadline
        return lambda seconds: entry.begin(Run(own if seconds is None else seconds, cancel=cancel))

    def _invite(
        self,
        patients: Sequence[Patient],
        again: bool,
        begin: Begin,
        progress: Callable[[int], None] = lambda done: None,
    ) -> tuple[list[Invitation], list[ActionWarning]]:
        inviter = Inviter(
            self._server,
            self.ledger,
            lambda: begin(None),
            lambda ids, since: seen(self._server, ids, since, begin(None)),
            progress,
        )
        return inviter.invite(patients, again=again), inviter.warnings

    def _invited(self, key: str, inputs: dict[str, Any], begin: Begin) -> Result:
        patients = inputs.get("patients") or [inputs["patient"]]
        rows, warnings = self._invite(patients, bool(inputs["again"]), begin)
        return Result(key, [row.to_dict() for row in rows], warnings=warnings)

    def _listed(self, key: str, inputs: dict[str, Any], begin: Begin) -> Result:
        run = begin(None)
        found = self.changes(inputs["since"], run)
        form = to_fhir if inputs["form"] == "fhir" else Patient.to_dict
        return Result(
            key,
            [form(patient) for patient in found.patients],
            next_cursor=found.cursor,
            warnings=found.warnings,
            trace=run.finish(),
        )

    def _status(self, key: str, inputs: dict[str, Any], begin: Begin) -> Result:
        run = begin(None)
        status = Watch(self._server, self.ledger, run).ask(inputs["status_url"])
        return Result(key, status.rows(), trace=run.finish())

    def _waited(self, key: str, inputs: dict[str, Any], begin: Begin) -> Result:
        run = begin(inputs["timeout"])
        watch = Watch(self._server, self.ledger, run)
        found = watch.wait(inputs["status_url"], inputs["interval"])
        warnings = list(run.warnings)
        if not all(status.done for status in found):
            told = "The portal is still at it; ask for the processing status later."
            warnings.append(ActionWarning("still_processing", told))
        rows = [row for status in found for row in status.rows()]
        return Result(key, rows, warnings=warnings, trace=run.finish())


_RUNS: dict[str, Callable[[Medfusion, str, dict[str, Any], Begin], Result]] = {
    "medfusion_invite_patient": Medfusion._invited,
    "medfusion_invite_patients": Medfusion._invited,
    "medfusion_get_processing_status": Medfusion._status,
    "medfusion_list_updated_patients": Medfusion._listed,
    "medfusion_wait_for_batch": Medfusion._waited,
}
