"""What an export put aside as no resource, read for the sync's own quarantine.

An export's files go once they are applied; what is in here outlives them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from practicefusion_connector.sync.items import Refusal

# As an export names it beside its files (`bulk.folder`), and a sync beside its exports.
QUARANTINE = "quarantine"


def put_aside(file: Path, resource_type: str) -> Iterator[Refusal]:
    """Yield what was put aside of an export's file.

    Args:
        file: the file as it lies in the export's folder.
        resource_type: what it holds.
    """
    from practicefusion_connector.bulk import exact

    aside = _beside(file)
    if not aside.exists():
        return
    with aside.open("rb") as lines:
        for entry in map(exact.read, lines):
            where = (file.name, int(entry["line"]))
            resource = entry.get("resource")
            if resource is None:
                yield Refusal(resource_type, None, *where, "unparsable", body=_body(entry))
            else:
                kind, named = str(resource["resourceType"]), resource.get("id")
                known = named if isinstance(named, str) else None
                yield Refusal(kind, known, *where, "invalid", body=exact.write(resource))


def count_aside(file: Path) -> int:
    """Return how much was put aside of an export's file."""
    aside = _beside(file)
    if not aside.exists():
        return 0
    with aside.open("rb") as lines:
        return sum(1 for _ in lines)


def originals(folder: Path) -> list[Path]:
    """Return the files that an export kept as they came, as a line of them was too long to copy."""
    return sorted((folder / QUARANTINE).glob("*.original"))


def _beside(file: Path) -> Path:
    return file.parent / QUARANTINE / file.name


def _body(entry: dict[str, Any]) -> bytes:
    """Return a line without its end; of one that is too long, nothing: its file is kept."""
    if "raw_base64" in entry:
        raw = base64.b64decode(entry["raw_base64"])
    else:
        raw = str(entry.get("raw", "")).encode("utf-8", "surrogatepass")
    return raw.rstrip(b"\r\n")
