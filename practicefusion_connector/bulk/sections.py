"""What the files beside the resources say: which resources were deleted, what went wrong.

`deleted` files are NDJSON of transaction Bundles with DELETE entries, `error` files NDJSON of
OperationOutcomes (Bulk Data Access 2.0.0 §Response - Complete Status). Read line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import from_json

# The type and id at the end of a URL; some servers outgrow FHIR's rule for ids.
_TARGET = re.compile(r"(?:^|/)([A-Z][A-Za-z]{1,63})/([A-Za-z0-9._~-]{1,128})/?$")
# What a transaction may do to a resource besides.
_NO_DELETION = frozenset({"GET", "HEAD", "PATCH", "POST", "PUT"})
_CODE = re.compile(r"[a-z]+(-[a-z]+)*")


class Deletion(NamedTuple):
    """One resource that is no more."""

    resource_type: str
    id: str


def deletions_of(bundle: Any) -> Iterator[Deletion]:
    """Yield the resources that a transaction Bundle deletes; its other entries say nothing here."""
    entries = bundle.get("entry") if isinstance(bundle, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        found = _deletion(entry)
        if found:
            yield found


def unreadable_of(document: Any) -> Iterator[Any]:
    """Yield what of a `deleted` file's document may delete something, nobody can tell what."""
    if not isinstance(document, dict) or document.get("resourceType") != "Bundle":
        yield document
        return
    entries = document.get("entry", [])
    for entry in entries if isinstance(entries, list) else (entries,):
        if _deletion(entry) is None and _method(entry) not in _NO_DELETION:
            yield entry


def read_deletions(path: Path) -> Iterator[Deletion]:
    """Yield what a checked `deleted` file names."""
    for resource in _resources(path):
        yield from deletions_of(resource)


def read_issues(path: Path) -> Iterator[tuple[str, str]]:
    """Yield severity and code of each issue in a checked `error` file."""
    for outcome in _resources(path):
        listed = outcome.get("issue")
        for issue in listed if isinstance(listed, list) else ():
            if isinstance(issue, dict):
                severity, code = str(issue.get("severity")), str(issue.get("code"))
                # Codes are words of FHIR's own lists; anything else might be about a patient.
                yield (
                    severity if _CODE.fullmatch(severity) else "unknown",
                    code if _CODE.fullmatch(code) else "unknown",
                )


def _deletion(entry: Any) -> Deletion | None:
    if _method(entry) != "DELETE":
        return None
    found = _TARGET.search(str(entry["request"].get("url", "")))
    return Deletion(found[1], found[2]) if found else None


def _method(entry: Any) -> str | None:
    request = entry.get("request") if isinstance(entry, dict) else None
    return str(request.get("method")) if isinstance(request, dict) else None


def _resources(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as lines:
        for line in lines:
            resource = from_json(line)
            if isinstance(resource, dict):
                yield resource
