"""Patients who changed at the portal: one page of them, and where to go on."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from practicefusion_connector.errors import ActionWarning
from practicefusion_connector.medfusion.cursors import Since, is_cursor, of_moment
from practicefusion_connector.medfusion.models import Patient
from practicefusion_connector.medfusion.server import PortalServer
from practicefusion_connector.medfusion.xml import read_batch
from practicefusion_connector.transport import Run


class Changes(NamedTuple):
    """Patients who changed, and where to go on.

    Attributes:
        cursor: `None` where there was nothing new.
    """

    patients: tuple[Patient, ...]
    cursor: str | None
    warnings: list[ActionWarning]


def read_changes(server: PortalServer, since: Since | None, run: Run) -> Changes:
    """Return patients who changed since a cursor or a moment, 100 at most."""
    answer = server.get_changes(since, run)
    run.trace.pages += 1
    nothing = answer.status == 204 or not answer.body.strip()
    patients = () if nothing else read_batch(answer.body).patients
    if not patients:
        return Changes((), None, [])
    told = str(answer.headers.get("Last-Timestamp", "")).strip()
    if is_cursor(told):
        return Changes(patients, told, [])
    warning = ActionWarning(
        "no_last_timestamp",
        "The portal did not say where to go on; the latest LastUpdateDate is used instead.",
    )
    last = max((p.last_update_date for p in patients if p.last_update_date), default=None)
    cursor = of_moment(last, server.connection.since_unit) if last else None
    return Changes(patients, cursor, [warning])


def seen(server: PortalServer, ids: set[str], since: datetime, run: Run) -> set[str]:
    """Return those of the practice's own ids that the portal has seen change since a moment."""
    found: set[str] = set()
    place: Since | None = since
    for _ in range(server.transport.policy.max_pages):
        page = read_changes(server, place, run)
        found |= ids & {patient.practice_patient_id or "" for patient in page.patients}
        if page.cursor in (None, place) or found == ids:
            break
        place = page.cursor
    return found
