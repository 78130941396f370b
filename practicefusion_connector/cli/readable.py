"""FHIR resources as short rows and lines for people, from the summary view of their type."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from practicefusion_connector.fhir.views import load_view, summarized

# Names of summary columns that tell records apart at a glance, the most telling first.
# fmt: off
_TELLING = (
    "id", "name", "display", "vaccine", "medication", "title", "class", "type", "target", "value",
    "birth_date", "gender", "start", "date", "onset_date", "authored_on", "start_date", "recorded",
    "components", "status", "clinical_status", "lifecycle_status", "dosage", "agent",
    "description", "category", "npi", "phone", "city", "state",
)
# fmt: on
_COLUMNS = 5
_ABBREVIATIONS = ("mrn", "npi", "udi")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})T.*")

Resource = Mapping[str, Any]


def rows(resources: Iterable[Resource]) -> tuple[list[str], list[list[Any]]]:
    """Return column names and rows for resources of one type: what tells them apart at a glance."""
    full = [_row(resource) for resource in resources]
    filled = [name for name in _TELLING if any(row.get(name) for row in full)]
    chosen = filled[:_COLUMNS] or ["id"]
    return [_words(name) for name in chosen], [
        [_short(row.get(name)) for name in chosen] for row in full
    ]


def facts(resource: Resource, names: Sequence[str]) -> list[tuple[str, Any]]:
    """Return the named columns of a resource's summary in words, empty ones left out."""
    row = _row(resource)
    return [(_words(name), row[name]) for name in names if row.get(name)]


def _short(value: Any) -> Any:
    """Return a moment as its day; everything else as it is."""
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else value


def _words(name: str) -> str:
    words = name.replace("_", " ").capitalize()
    return words.upper() if name in _ABBREVIATIONS else words


def _row(resource: Resource) -> dict[str, Any]:
    kind = resource.get("resourceType")
    if kind is None:
        return dict(resource)  # already a row: the action was run with the summary view
    if kind not in summarized():
        return {"id": resource.get("id")}
    # A cell the data does not fit stays empty: a table for people is no place to fail.
    found = load_view(kind).rows([resource], on_error=lambda error: None)
    return next(found, {"id": resource.get("id")})
