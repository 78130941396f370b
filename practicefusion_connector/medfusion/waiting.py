"""How far the portal is with batches: asked once, or until it is done.

What it says is noted in the ledger, so that a patient whose invitation failed may be invited anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from practicefusion_connector.errors import (
    ActionWarning,
    ConnectorError,
    DeadlineExceeded,
    InvalidInput,
)
from practicefusion_connector.medfusion.ledger import Ledger
from practicefusion_connector.medfusion.processing import Message, read_status
from practicefusion_connector.medfusion.server import PortalServer
from practicefusion_connector.transport import Run

_OUTCOMES = {"completed": "processed", "failed": "failed"}


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """The portal's last word on one batch.

    Attributes:
        patients: the practice's own id of each message's patient, `None` where that is not known.
    """

    status_url: str
    messages: tuple[Message, ...]
    patients: tuple[str | None, ...]

    @property
    def done(self) -> bool:
        """Whether the portal is done with every message."""
        return bool(self.messages) and all(one.state != "pending" for one in self.messages)

    def rows(self) -> list[dict[str, Any]]:
        """Return one JSON-ready row for each message."""
        return [
            {
                "status_url": self.status_url,
                "message_id": message.message_id,
                "practice_patient_id": patient,
                "state": message.state,
                "error": message.error,
            }
            for message, patient in zip(self.messages, self.patients, strict=True)
        ]


class Watch:
    """Asks for processing statuses within one run."""

    def __init__(self, server: PortalServer, ledger: Ledger, run: Run) -> None:
        self._server = server
        self._ledger = ledger
        self._run = run

    def ask(self, status_url: str) -> BatchStatus:
        """Ask once.

        Raises:
            InvalidInput: the URL is not one of this practice's processing statuses.
        """
        url = self._server.status_url(status_url)
        if url is None:
            raise InvalidInput(
                "status_url leads away from this practice's processing statuses; take it from an "
                "invitation's result.",
                problems=[{"path": "status_url", "message": "is not this practice's"}],
            )
        messages = tuple(read_status(self._server.get_status(url, self._run).body))
        sent = self._ledger.sent_under(url)
        by_message = {entry.message_id: id_ for id_, entry in sent.items() if entry.message_id}
        patients = tuple(by_message.get(message.message_id or "") for message in messages)
        if not any(patients) and len(sent) == len(messages):
            # Without ids of messages in common, their order is the patients' order.
            patients = tuple(sent)
        status = BatchStatus(url, messages, patients)
        self._note(status, sent)
        return status

    def wait(
        self,
        status_urls: Sequence[str],
        interval: float,
        progress: Callable[[int], None] = lambda done: None,
    ) -> list[BatchStatus]:
        """Ask until the portal is done with all, or the run's time is up; never raises for that."""
        found: dict[str, BatchStatus] = {}
        waiting = list(dict.fromkeys(status_urls))
        try:
            while True:
                for url in list(waiting):
                    status = self._asked(url)
                    if status:
                        found[url] = status
                        if status.done:
                            waiting.remove(url)
                            progress(len(status.messages))
                if not waiting:
                    break
                self._run.sleep(interval, "processing")
        except DeadlineExceeded:
            pass
        return [found.get(url) or BatchStatus(url, (), ()) for url in dict.fromkeys(status_urls)]

    def _asked(self, url: str) -> BatchStatus | None:
        """Ask once more; what fails and may pass is a warning, and asked again later."""
        try:
            return self.ask(url)
        except ConnectorError as error:
            if not error.retryable:
                raise
            self._run.warnings.append(ActionWarning(error.code, error.message))
        return None

    def _note(self, status: BatchStatus, sent: dict[str, Any]) -> None:
        """Note what is new, by batch."""
        news: dict[str, dict[str, dict[str, Any]]] = {}
        for message, patient in zip(status.messages, status.patients, strict=True):
            outcome = _OUTCOMES.get(message.state)
            if patient and outcome and sent[patient].outcome != outcome:
                news.setdefault(sent[patient].batch, {})[patient] = {"outcome": outcome}
        for batch, outcomes in news.items():
            self._ledger.settle(batch, outcomes)
