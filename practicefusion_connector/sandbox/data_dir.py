"""Loads a folder of FHIR files: Bundles, single resources and NDJSON, in any mix.

What cannot be used is reported and never fatal. Knows no HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from practicefusion_connector.sandbox.store import Resource

_KINDS = (".json", ".ndjson")


@dataclass(frozen=True)
class Problem:
    """Something in the folder that was not used as it stands. Never holds the content."""

    file: str
    reason: str


def load_directory(folder: Path) -> tuple[list[Resource], list[Problem]]:
    """Every resource below the folder, and the problems met.

    The order is that of the sorted paths. Of two resources with one type and id the last stays.
    Raises ValueError when there is no such folder.
    """
    if not folder.is_dir():
        raise ValueError(f"There is no folder '{folder}' to load FHIR data from.")
    found: dict[tuple[str, str], Resource] = {}
    problems: list[Problem] = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in _KINDS or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        for resource in _read_file(path, name, problems):
            key = (resource["resourceType"], resource["id"])
            if key in found:
                problems.append(Problem(name, f"a second {key[0]} with the same id, which is kept"))
            found[key] = resource
    return list(found.values()), problems


def _read_file(path: Path, name: str, problems: list[Problem]) -> Iterator[Resource]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(name, f"cannot be read ({type(error).__name__})"))
        return
    if path.suffix.lower() == ".json":
        yield from _parse(text, name, "", problems)
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield from _parse(line, name, f"line {number}: ", problems)


def _parse(text: str, name: str, where: str, problems: list[Problem]) -> Iterator[Resource]:
    try:
        document = json.loads(text)
    except ValueError as error:
        position = f"column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        problems.append(Problem(name, f"{where}not valid JSON {position}".rstrip()))
        return
    for resource in _resources_in(document):
        if isinstance(resource.get("id"), str):
            yield resource
        else:
            problems.append(Problem(name, f"{where}a {resource['resourceType']} without an id"))


def _resources_in(document: Any) -> Iterator[Resource]:
    """The resources of a document; a document of another kind (a package list, a log) has none."""
    if not isinstance(document, dict) or not isinstance(document.get("resourceType"), str):
        return
    if document["resourceType"] != "Bundle":
        yield document
        return
    for entry in document.get("entry") or ():
        if isinstance(entry, dict):
            yield from _resources_in(entry.get("resource"))
