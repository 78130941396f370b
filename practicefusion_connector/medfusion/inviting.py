"""Sending invitations: in batches, noted before they are sent, never twice without saying so.

What a batch's answer or its absence means for each patient is decided here. Knows no file and no
face.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from practicefusion_connector import errors
from practicefusion_connector.errors import ActionWarning, ConnectorError
from practicefusion_connector.medfusion.ledger import DONE, UNDECIDED, Entry, Ledger
from practicefusion_connector.medfusion.models import (
    Device,
    Patient,
    PatientBatch,
    PracticeIdentifier,
)
from practicefusion_connector.medfusion.processing import read_receipt
from practicefusion_connector.medfusion.server import PortalServer, Posting
from practicefusion_connector.medfusion.xml import write_batch
from practicefusion_connector.transport import Answer, Run

BATCH_SIZE = 100

Outcome = Literal["accepted", "refused", "already_invited", "undecided", "not_sent"]

# How long before a batch was noted the portal may say it was changed: clocks differ.
CLOCKS = timedelta(minutes=5)
_UNDECIDED = (
    "Nobody can tell whether the invitation arrived: the connection or the process ended before "
    "the portal's answer was noted. Look the patient up in the portal; to invite all the same, "
    "say so (again)."
)
# What only answers hold.
_SERVERS_OWN = {"status": None, "last_update_date": None}
_NOT_SENT = "Not sent, because an earlier batch failed; invite again when that is mended."


@dataclass(slots=True)
class Invitation:
    """What became of one patient's invitation.

    Attributes:
        problem: why it was refused, or what to do about it; safe to show.
    """

    practice_patient_id: str
    outcome: Outcome = "not_sent"
    batch_id: str | None = None
    message_id: str | None = None
    status_url: str | None = None
    problem: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return asdict(self)


Batch = list[tuple[Patient, Invitation]]


class Inviter:
    """Sends the invitations of one call.

    Args:
        begin: makes the run of each batch, with a deadline of its own unless the caller set one.
        look: returns those of the given ids that the portal has seen change since a moment.
        progress: told how many patients are done with, as they are.
    """

    def __init__(
        self,
        server: PortalServer,
        ledger: Ledger,
        begin: Callable[[], Run],
        look: Callable[[set[str], datetime], set[str]],
        progress: Callable[[int], None],
    ) -> None:
        self._server = server
        self._ledger = ledger
        self._begin = begin
        self._look = look
        self._progress = progress
        self.warnings: list[ActionWarning] = []

    def invite(self, patients: Sequence[Patient], *, again: bool) -> list[Invitation]:
        """Invite the patients, and return what became of each, in their order.

        Raises:
            InvalidInput: two of the patients have one id, or one has none; nothing was sent.
            ConnectorError: why nothing at all could be sent. Once anything was, or may have been,
                there is a row for each patient instead.
        """
        rows = [Invitation(patient.practice_patient_id or "") for patient in patients]
        _check_ids(rows)
        with self._ledger.exclusive():
            known = {} if again else self._known(rows)
            for row in rows:
                _take_known(row, known.get(row.practice_patient_id))
            pairs = zip(patients, rows, strict=True)
            todo = [(patient, row) for patient, row in pairs if row.outcome == "not_sent"]
            self._progress(len(rows) - len(todo))
            error = None
            for batch in _batches(todo):
                error = self._send(batch) or error
                self._progress(len(batch))
                # A batch refused as wrong says nothing about the next one; anything else does.
                if batch[0][1].outcome in ("undecided", "not_sent"):
                    break
        if error and all(row.outcome in ("refused", "not_sent") for row in rows):
            raise error
        for row in rows:
            if row.outcome == "not_sent" and row.problem is None:
                row.problem = _NOT_SENT
        return rows

    def _known(self, rows: Sequence[Invitation]) -> dict[str, Entry]:
        """Return the ledger's word on the patients, after asking the portal about open ones."""
        ids = [row.practice_patient_id for row in rows]
        found = {id_: entry for id_ in ids if (entry := self._ledger.entry(id_))}
        open_ = {id_: entry for id_, entry in found.items() if entry.outcome in UNDECIDED}
        if not open_:
            return found
        earliest = min(entry.at for entry in open_.values()) - CLOCKS
        for id_ in self._look(set(open_), earliest):
            self._ledger.settle(open_[id_].batch, {id_: {"outcome": "processed"}})
        return {id_: self._ledger.entry(id_) or entry for id_, entry in found.items()}

    def _send(self, batch: Batch) -> ConnectorError | None:
        batch_id, run = str(uuid.uuid4()), self._begin()
        body = write_batch(self._batch(batch_id, batch), self._server.connection.version)
        posting = Posting(body)
        self._ledger.sending(batch_id, [row.practice_patient_id for _, row in batch])
        try:
            answer = self._server.post_batch(posting, run)
        except ConnectorError as error:
            failed = error
        else:
            self._accepted(batch_id, batch, answer)
            return None
        self._failed(batch_id, batch, failed, taken=posting.open)
        return failed

    def _failed(self, batch_id: str, batch: Batch, error: ConnectorError, *, taken: bool) -> None:
        """Note what an error means for each patient of a batch the portal may have taken."""
        outcome: Outcome = "not_sent"
        if taken:
            outcome = "undecided"
        elif isinstance(error, errors.Rejected):
            outcome = "refused"
        for _, row in batch:
            row.outcome, row.batch_id = outcome, batch_id
            row.problem = _UNDECIDED if taken else error.message
        noted = {"outcome": "undecided" if taken else "refused"}
        self._ledger.settle(batch_id, {row.practice_patient_id: noted for _, row in batch})
        told = f"A batch of {len(batch)}: {error.message}"
        self.warnings.append(ActionWarning(f"batch_{outcome}", told))

    def _accepted(self, batch_id: str, batch: Batch, answer: Answer) -> None:
        status_url = self._server.status_url(answer.headers.get("Location", ""))
        if status_url is None:
            self.warnings.append(
                ActionWarning(
                    "no_status_url",
                    "The portal accepted a batch without saying where its processing status is.",
                )
            )
        ids = _message_ids(answer)
        if len(ids) != len(batch):
            ids = [None] * len(batch)
        for (_, row), message_id in zip(batch, ids, strict=True):
            row.outcome, row.batch_id = "accepted", batch_id
            row.status_url, row.message_id = status_url, message_id
        self._ledger.settle(
            batch_id,
            {
                row.practice_patient_id: {
                    "outcome": "accepted",
                    "status_url": row.status_url,
                    "message_id": row.message_id,
                }
                for _, row in batch
            },
        )

    def _batch(self, batch_id: str, batch: Batch) -> PatientBatch:
        connection = self._server.connection
        practice = PracticeIdentifier(portal_practice_id=connection.practice_id)
        moment = datetime.now(UTC).replace(microsecond=0)
        sender = Device(
            device_name="practicefusion-connector",
            vendor_name=connection.vendor_name,
            device_local_time=moment,
            device_utc_time=moment,
        )
        return PatientBatch(
            batch_id=batch_id,
            batch_size=len(batch),
            sender=sender,
            patients=tuple(
                patient.model_copy(update={"practice_identifier": practice} | _SERVERS_OWN)
                for patient, _ in batch
            ),
        )


def _check_ids(rows: Sequence[Invitation]) -> None:
    ids = [row.practice_patient_id for row in rows]
    if "" in ids or len(set(ids)) < len(ids):
        raise errors.InvalidInput(
            "Each patient to invite needs a practice_patient_id of its own: it is what tells a "
            "second invitation from a first.",
            problems=[{"path": "patients", "message": "have an id twice, or none"}],
        )


def _batches(todo: Batch) -> Iterator[Batch]:
    for start in range(0, len(todo), BATCH_SIZE):
        yield todo[start : start + BATCH_SIZE]


def _take_known(row: Invitation, entry: Entry | None) -> None:
    if entry is None:
        return
    if entry.outcome in DONE:
        row.outcome = "already_invited"
    elif entry.outcome in UNDECIDED:
        row.outcome, row.problem = "undecided", _UNDECIDED
    else:
        return
    row.batch_id, row.status_url = entry.batch, entry.status_url
    row.message_id = entry.message_id


def _message_ids(answer: Answer) -> list[str | None]:
    try:
        return list(read_receipt(answer.body).message_ids)
    except ConnectorError:
        # It was accepted all the same; only the portal's names for the messages are lost.
        return []
