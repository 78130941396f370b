"""What a run did, as data: counts by type, times, what waits for a person.

It holds no record and no id of one.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from practicefusion_connector.files import replace_file

COUNTED = ("read", "created", "updated", "unchanged", "duplicate", "failed", "deleted", "missing")


@dataclass(slots=True)
class SyncReport:
    """One run of a sync.

    Attributes:
        sync: its name.
        run: its number.
        status: `done`; `incomplete` where something was refused and its watermark stays; `failed`.
        mode: how the resources were exported: `export`, `crawl` or `folder`; several with a comma.
        full: whether everything was exported.
        transaction_times: by scope, what moment the target is of now.
        types: counts by type: read, created, updated, unchanged, duplicate, failed, deleted, and
            missing: gone from a full export, not deleted.
        seconds: by stage and, for types, by type.
        bytes: of the files applied.
        references_mended: made literal by the last pass.
        references_open: whose target is not in the data; they are logical references.
        quarantine: what is in quarantine now, by type and reason.
        held: types whose watermark stays until the quarantine is settled, or accepted.
        problems: issues in the export's own error files.
        warnings: what was odd about the exports: `code` and `message` of each.
        resumed: whether it goes on with a run that was cut off.
        reason: why it failed, as a sentence.
    """

    sync: str
    run: int
    started: str
    finished: str | None = None
    status: str = "done"
    target: str = ""
    mode: str = ""
    full: bool = False
    transaction_times: dict[str, str] = field(default_factory=dict)
    types: dict[str, dict[str, int]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    bytes: int = 0
    references_mended: int = 0
    references_open: int = 0
    quarantine: dict[str, dict[str, int]] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    problems: int = 0
    warnings: list[dict[str, str]] = field(default_factory=list)
    resumed: bool = False
    reason: str | None = None

    def total(self, name: str) -> int:
        """Return a count over all types."""
        return sum(counts.get(name, 0) for counts in self.types.values())

    @property
    def changes(self) -> int:
        """How many resources were created, updated or deleted at the target."""
        return self.total("created") + self.total("updated") + self.total("deleted")

    def count(self, kind: str, counts: Counter[str] | dict[str, int]) -> None:
        """Add counts of a type."""
        for name, number in counts.items():
            if number:
                own = self.types.setdefault(kind, {})
                own[name] = own.get(name, 0) + number

    def warn(self, code: str, message: str) -> None:
        """Add a warning, unless it is there."""
        if (new := {"code": code, "message": message}) not in self.warnings:
            self.warnings.append(new)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready data."""
        return {
            **asdict(self),
            "totals": {name: self.total(name) for name in COUNTED if self.total(name)},
        }

    @staticmethod
    def from_dict(data: dict[str, Any]) -> SyncReport:
        """Rebuild the report that `to_dict` described."""
        return SyncReport(**{name: value for name, value in data.items() if name != "totals"})


def write_text(path: Path, text: str) -> None:
    """Write a file, which is about no patient, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, text, mode=0o666)


def write_json(path: Path, data: Any) -> None:
    """Write data as JSON, whole or not at all."""
    write_text(path, json.dumps(data, indent=2) + "\n")
