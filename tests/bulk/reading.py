"""What lies in an export's folder, read back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from practicefusion_connector.bulk import ExportedFile
from practicefusion_connector.sandbox import Sandbox

Key = tuple[str, str]


def resources(files: Iterable[ExportedFile]) -> dict[Key, Any]:
    """Return the resources of files by type and id; one that is there twice fails."""
    found: dict[Key, Any] = {}
    for file in files:
        lines = file.path.read_bytes().splitlines()
        assert len(lines) == file.count
        assert file.path.stat().st_size == file.bytes
        for line in lines:
            resource = json.loads(line)
            key = resource["resourceType"], resource["id"]
            assert key not in found, f"a second {key[0]}"
            found[key] = resource
    return found


def served(sandbox: Sandbox, *without: str) -> dict[Key, Any]:
    """Return what an export of every patient should hold: what has a scope, and an owner."""
    store = sandbox.bulk.practice.store
    return {
        (kind, name): resource
        for kind, of_type in sandbox.resources.items()
        if kind not in {"Binary", "Location", "Medication", *without}
        for name, resource in of_type.items()
        if store.patients_of(resource) or store.is_shared(resource)
    }


def left_over(folder: Path) -> list[str]:
    """Return names of files that a finished export must not leave behind."""
    return [path.name for path in folder.rglob("*") if path.suffix in (".part", ".clean")]
