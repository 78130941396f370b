"""What one run leaves behind: counts, times and codes, fit to be kept for a year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of an action.

    Attributes:
        at: when it began, in POSIX seconds.
        practice: the FHIR base URL.
        code: how it ended: `ok`, or the code of the error.
        waits: each wait in seconds, with its reason: an error's code, or `pacing`.
        results: how many resources were given; includes are not counted.
        warnings: codes of the warnings.
        correlation_ids: the server's own ids of the exchanges.
        subject: a keyed hash of the id asked for, or of the patient; only where a key was given.
    """

    at: float
    action: str
    connection_id: str
    practice: str
    code: str = "ok"
    http_status: int | None = None
    duration_ms: float = 0.0
    attempts: int = 0
    pages: int = 0
    refreshes: int = 0
    results: int = 0
    waits: list[tuple[float, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    correlation_ids: list[str] = field(default_factory=list)
    subject: str | None = None

    @property
    def waited(self) -> float:
        """All the seconds spent waiting."""
        return round(sum(seconds for seconds, _ in self.waits), 3)

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunRecord:
        """Return the record `to_dict` described; fields of later versions are left out.

        Raises:
            ValueError: it is no run record.
        """
        known = {each.name: data[each.name] for each in fields(cls) if each.name in data}
        try:
            known["waits"] = [(float(s), str(why)) for s, why in known.get("waits", [])]
            return cls(**known)
        except (TypeError, ValueError):
            pass
        raise ValueError("This is no run record.")
