"""The portal's state: tokens, batches on their way, patients, the e-mails it sent.

Processing happens when it is due and somebody looks, so nothing runs beside the requests. Knows no
HTTP.
"""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from practicefusion_connector.sandbox.medfusion import settings
from practicefusion_connector.sandbox.medfusion.records import Record
from practicefusion_connector.sandbox.medfusion.settings import PortalBehaviour

Node = Any


@dataclass
class Message:
    """One patient of a batch on its way."""

    element: Node = field(repr=False)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "PROCESSING"
    error: str | None = None


@dataclass
class Job:
    """An accepted batch."""

    messages: list[Message]
    due: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    data_job_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    done: bool = False


@dataclass(frozen=True)
class Email:
    """An invitation in the outbox; `code` opens the registration page."""

    to: str
    name: str
    code: str
    patient: str
    sent: datetime


class Portal:
    """One practice's portal; safe to share between threads."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.clear()

    def clear(self) -> None:
        """Forget every patient, batch and token, and behave as at first."""
        self.behaviour = PortalBehaviour()
        self.jobs: dict[str, Job] = {}
        self.patients: dict[str, Record] = {}
        """By the practice's own id."""
        self.outbox: list[Email] = []
        self.application_look_ups = 0
        self._tokens: dict[str, float] = {}
        self._stamp = 0

    @property
    def practice_id(self) -> str:
        """The practice's integration id, always the same."""
        return settings.PRACTICE_ID

    @property
    def application_token(self) -> str:
        """What the application is looked up by."""
        return settings.APPLICATION_TOKEN

    @property
    def client_id(self) -> str:
        """The application's id."""
        return settings.CLIENT_ID

    @property
    def client_secret(self) -> str:
        """The application's secret."""
        return settings.CLIENT_SECRET

    @property
    def username(self) -> str:
        """The integration user."""
        return settings.USERNAME

    @property
    def password(self) -> str:
        """The integration user's password."""
        return settings.PASSWORD

    def issue_token(self) -> str:
        """A new access token."""
        token = secrets.token_urlsafe(24)
        with self.lock:
            self._tokens[token] = time.time() + self.behaviour.token_seconds
        return token

    def knows_token(self, token: str) -> bool:
        """Whether an access token is good now."""
        return self._tokens.get(token, 0.0) > time.time()

    @property
    def issued_tokens(self) -> list[str]:
        """Every access token issued so far."""
        return list(self._tokens)

    def expire_tokens(self) -> None:
        """Make every access token issued so far expire."""
        with self.lock:
            self._tokens = dict.fromkeys(self._tokens, 0.0)

    def accept(self, patients: list[Node]) -> Job:
        """Take a valid batch, to be processed later."""
        due = time.monotonic() + self.behaviour.processing_seconds
        job = Job([Message(patient) for patient in patients], due)
        with self.lock:
            self.jobs[job.id] = job
        return job

    def process_due(self) -> None:
        """Process the batches that are due."""
        with self.lock:
            for job in self.jobs.values():
                if not job.done and time.monotonic() >= job.due:
                    job.done = True
                    for message in job.messages:
                        self._process(message)

    def changes(self, since: int) -> tuple[list[Record], int]:
        """Up to 100 patients who changed after a stamp, oldest first, and the last one's stamp."""
        self.process_due()
        with self.lock:
            found = sorted(
                (record for record in self.patients.values() if record.stamp > since),
                key=lambda record: record.stamp,
            )[: settings.BATCH_SIZE]
        return found, found[-1].stamp if found else since

    def email(self, code: str) -> Email | None:
        """The invitation a registration page belongs to."""
        self.process_due()
        return next((email for email in self.outbox if email.code == code), None)

    def register(self, email: Email, address: dict[str, str], **texts: str) -> bool:
        """Register the patient with what was filled in; false where the state forbids it."""
        with self.lock:
            record = self.patients[email.patient]
            if not record.may_become("REGISTERED"):
                return False
            record.edit(address, **texts)
            self._change(record, "REGISTERED")
        return True

    def move(self, practice_patient_id: str, status: str) -> None:
        """Deactivate, delete or reactivate a patient; raises ValueError where that cannot be."""
        with self.lock:
            record = self.patients[practice_patient_id]
            if not record.may_become(status):
                raise ValueError(f"A patient who is {record.status} cannot become {status}.")
            self._change(record, status)

    def _process(self, message: Message) -> None:
        email = str(message.element.findtext("EmailAddress"))
        if email.rpartition("@")[2].lower() == self.behaviour.failing_domain:
            message.state, message.error = "ERROR", "No mail can be delivered to the address."
            return
        message.state = "COMPLETED"
        own_id = str(message.element.findtext("PatientIdentifier/PracticePatientId"))
        record = self.patients.get(own_id)
        if record is not None and not record.may_become("PROVISIONED"):
            # Once a patient is registered, the portal is the system of record.
            return
        if record is None:
            portal_id = str(20000 + len(self.patients))
            record = self.patients[own_id] = Record(portal_id, message.element)
        record.element = message.element
        self._change(record, "PROVISIONED")
        code = secrets.token_urlsafe(9)
        self.outbox.append(Email(record.email, record.name, code, own_id, datetime.now(UTC)))

    def _change(self, record: Record, status: str) -> None:
        record.status = status
        record.changed = datetime.now(UTC)
        # No two changes share a stamp, so that a page may end between any two of them.
        now = int(time.time() * self.behaviour.since_per_second)
        self._stamp = record.stamp = max(now, self._stamp + 1)
