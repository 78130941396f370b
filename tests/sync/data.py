"""Folders of NDJSON for the tests: the sandbox's own population, or real data where present."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from practicefusion_connector.sandbox import Sandbox

Resource = dict[str, Any]

# Synthetic patients of a bulk export, where the data is present; the tests pass without.
REAL = Path(__file__).parents[3] / "shared" / "data" / "bulk-10-patients"


def write(folder: Path, resources: Iterable[Resource]) -> Path:
    """Write resources as an export would: a file for each type."""
    folder.mkdir(parents=True, exist_ok=True)
    by_type: dict[str, list[str]] = {}
    for resource in resources:
        by_type.setdefault(resource["resourceType"], []).append(json.dumps(resource))
    for kind, lines in by_type.items():
        (folder / f"{kind}.000.ndjson").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def population(patients: int = 3) -> list[Resource]:
    """Return the sandbox's records; among them are types without identifiers, and Provenance."""
    by_type = Sandbox(patients=patients).resources
    return [resource for resources in by_type.values() for resource in resources.values()]


def read(folder: Path) -> Iterator[Resource]:
    """Yield the resources of a folder of NDJSON."""
    for file in sorted(folder.glob("[A-Z]*.ndjson")):
        for line in file.read_text("utf-8").splitlines():
            yield json.loads(line)


def references(source: Any, target: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield every literal Reference of a resource with what stands in its place at the target."""
    if isinstance(source, dict):
        if isinstance(source.get("reference"), str):
            yield source, target
            return
        for name, inner in source.items():
            if name not in ("id", "meta"):
                yield from references(inner, target[name])
    elif isinstance(source, list):
        for inner, other in zip(source, target, strict=False):
            yield from references(inner, other)
