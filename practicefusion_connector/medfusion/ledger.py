"""The outbox: which invitations were about to be sent, and what became of them.

Inviting is not idempotent, and between sending a batch and reading the answer anything can happen.
So each batch is noted before it is sent, with the practice's own ids of its patients, and again
with its outcome; every note is on disk before the next step. After a crash the ledger tells which
invitations were done, which were not, and which nobody can tell (`undecided`).

The file is one JSON object a line, readable by its owner only. It holds ids and no other data of
patients.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from practicefusion_connector.errors import InvalidConfig, RefreshBusy
from practicefusion_connector.medfusion.lines import append, repair, whole_lines

# What is known of one invitation. `sending` is what an ended process left behind.
Outcome = Literal["sending", "undecided", "accepted", "processed", "failed", "refused"]
# Of these, sending again would surely or possibly be a second invitation.
DONE: frozenset[Outcome] = frozenset({"accepted", "processed"})
UNDECIDED: frozenset[Outcome] = frozenset({"sending", "undecided"})


@dataclass(frozen=True, slots=True)
class Entry:
    """The last word on one patient's invitation.

    Attributes:
        at: when the batch was about to be sent, with its zone.
        place: where in its batch the patient was.
        status_url: where the processing status is, once it was accepted.
    """

    batch: str
    outcome: Outcome
    at: datetime
    place: int = 0
    status_url: str | None = None
    message_id: str | None = None


class Ledger:
    """The invitations of one practice; safe to share between threads.

    Args:
        path: the file; left out, nothing outlives the process, and after a crash nobody knows.

    Raises:
        InvalidConfig: the file cannot be read, or is no ledger.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        self.path = Path(path) if path is not None else None
        self._inviting, self._lock = Lock(), Lock()
        self._entries: dict[str, Entry] = {}
        self._read_to = 0
        self._refresh()

    def __repr__(self) -> str:
        return f"Ledger({len(self._entries)} invitations)"

    def entry(self, practice_patient_id: str) -> Entry | None:
        """Return the last word on a patient's invitation, or `None` where there was none."""
        return self._entries.get(practice_patient_id)

    def entries(self) -> dict[str, Entry]:
        """Return the last word on every invitation, by the practice's own id."""
        return dict(self._entries)

    def sent_under(self, status_url: str) -> dict[str, Entry]:
        """Return the invitations of one batch, in the order they were sent."""
        of_batch = (one for one in self._entries.items() if one[1].status_url == status_url)
        return dict(sorted(of_batch, key=lambda one: one[1].place))

    def sending(self, batch: str, patients: Iterable[str]) -> None:
        """Note, on disk, that a batch is about to be sent."""
        self.settle(batch, {id_: {"outcome": "sending"} for id_ in patients})

    def settle(self, batch: str, outcomes: Mapping[str, Mapping[str, Any]]) -> None:
        """Note what became of a batch's patients: by id, `outcome` and what else is known."""
        noted = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "batch": batch,
            "patients": {id_: dict(fields) for id_, fields in outcomes.items()},
        }
        with self._lock:
            if self.path is not None:
                self._read_to += append(self.path, [json.dumps(noted).encode() + b"\n"])
            self._take(noted)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep everybody else from inviting by the same ledger meanwhile.

        Raises:
            RefreshBusy: another thread or process is at it.
        """
        if not self._inviting.acquire(blocking=False):
            raise _busy()
        try:
            with _lock_file(self.path):
                self._refresh(mend=True)
                yield
        finally:
            self._inviting.release()

    def _take(self, noted: Mapping[str, Any]) -> None:
        for place, (id_, fields) in enumerate(noted["patients"].items()):
            before = self._entries.get(id_)
            same = before if before and before.batch == noted["batch"] else None
            self._entries[id_] = Entry(
                noted["batch"],
                fields["outcome"],
                same.at if same else datetime.fromisoformat(noted["at"]),
                same.place if same else place,
                fields.get("status_url") or (same.status_url if same else None),
                fields.get("message_id") or (same.message_id if same else None),
            )

    def _refresh(self, *, mend: bool = False) -> None:
        """Read what was added to the file since it was read last, by whomever."""
        if self.path is None or not self.path.exists():
            return
        try:
            with self._lock:
                if mend:
                    repair(self.path)
                for line in whole_lines(self.path, self._read_to):
                    self._take(json.loads(line))
                    self._read_to += len(line)
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        raise InvalidConfig(
            "The ledger of invitations cannot be read: it is damaged or no ledger. Name another "
            "file, or find out from the portal who was invited."
        )


@contextmanager
def _lock_file(path: Path | None) -> Iterator[None]:
    if path is None:
        yield
        return
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(path.name + ".lock"), mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise _busy() from None
    try:
        yield
    finally:
        lock.release()


def _busy() -> RefreshBusy:
    return RefreshBusy("Somebody else invites by the same ledger just now; try again afterwards.")
