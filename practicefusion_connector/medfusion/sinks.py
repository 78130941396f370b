"""Where changed patients go: a file of JSON lines that remembers what it holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.medfusion.fhir import from_fhir, to_fhir
from practicefusion_connector.medfusion.lines import append, repair, whole_lines
from practicefusion_connector.medfusion.models import Patient
from practicefusion_connector.medfusion.states import State, state_of

Form = Literal["fhir", "medfusion"]


class Sink(Protocol):
    """Where changes go, and what remembers those it has."""

    def catch_up(self) -> None:
        """Learn what others delivered meanwhile; called before each page."""
        ...

    def has(self, patient: Patient) -> bool:
        """Say whether this change of the patient was delivered before."""
        ...

    def state(self, patient: Patient) -> State | None:
        """Return the state the patient was last delivered in."""
        ...

    def deliver(self, patients: Sequence[Patient]) -> None:
        """Take patients; on return they must be safe from a crash."""
        ...


class Change(NamedTuple):
    """What tells one change of one patient from every other: who, and when.

    Where the portal does not say when, what was written tells.
    """

    who: str
    when: str


class JsonLines:
    """A file of changed patients, one JSON object a line, readable by its owner only.

    Args:
        path: the file; what is in it counts as delivered.
        form: FHIR R4 Patients, or the portal's own fields.

    Raises:
        InvalidConfig: the file is there and cannot be read, or holds something else.
    """

    def __init__(self, path: Path | str, form: Form = "fhir") -> None:
        self._path = Path(path)
        self._form = form
        self._changes: set[Change] = set()
        self._states: dict[str, State | None] = {}
        self._read_to = 0
        self.catch_up()

    def __repr__(self) -> str:
        return f"JsonLines({len(self._changes)} changes)"

    def catch_up(self) -> None:
        """See `Sink.catch_up`; a line that a crash cut short is taken off."""
        if not self._path.exists():
            return
        try:
            repair(self._path)
            for line in whole_lines(self._path, self._read_to):
                self._remember(_patient_in(json.loads(line)), line)
                self._read_to += len(line)
            return
        except (OSError, ValueError, TypeError, AttributeError):
            pass
        raise InvalidConfig(
            "The file of changes cannot be read, or holds something else than patients of a "
            "portal; name another file."
        )

    def has(self, patient: Patient) -> bool:
        """See `Sink.has`."""
        return _change(patient, self._line(patient)) in self._changes

    def state(self, patient: Patient) -> State | None:
        """See `Sink.state`."""
        return self._states.get(_who(patient))

    def deliver(self, patients: Sequence[Patient]) -> None:
        """Add the patients to the file; on return they are on disk."""
        append(self._path, map(self._line, patients))
        self.catch_up()

    def _line(self, patient: Patient) -> bytes:
        said = to_fhir(patient) if self._form == "fhir" else patient.to_dict()
        return json.dumps(said, ensure_ascii=False).encode() + b"\n"

    def _remember(self, patient: Patient, line: bytes) -> None:
        self._changes.add(_change(patient, line))
        self._states[_who(patient)] = state_of(patient.status)


def _patient_in(said: Mapping[str, Any]) -> Patient:
    return from_fhir(said) if "resourceType" in said else Patient.model_validate(said)


def _who(patient: Patient) -> str:
    return patient.portal_patient_id or patient.practice_patient_id or ""


def _change(patient: Patient, line: bytes) -> Change:
    moment = patient.last_update_date
    when = moment.isoformat() if moment else hashlib.sha256(line).hexdigest()
    return Change(_who(patient), when)
