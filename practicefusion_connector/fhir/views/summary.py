"""The shipped summary view of each resource type, and a user's changes to it.

The definitions are data, `schemas/views/{resource}.json`. A user's file has the same form; its
columns replace those of the same name and the others are added, so a file states only what differs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from practicefusion_connector.fhir.views.definition import (
    SelectDefinition,
    ViewDefinition,
    read_definition,
)
from practicefusion_connector.fhir.views.errors import ViewError
from practicefusion_connector.fhir.views.selection import Row
from practicefusion_connector.fhir.views.view import View
from practicefusion_connector.resources import folder

Definition = Mapping[str, Any]


def load_view(resource: str, overrides: Path | Definition | None = None) -> View:
    """Return the summary view of a resource type, with a user's columns if there are any.

    Args:
        resource: A FHIR resource type, such as `Observation`.
        overrides: A definition of the same form, a JSON file with one, or a folder where
            `{resource}.json` is looked for and may be absent.

    Raises:
        ViewError: there is no such view, or the user's definition cannot be read or is wrong.
    """
    changes = _changes(resource, overrides)
    if changes is None:
        return _shipped_view(resource)
    return View(_merged(read_definition(shipped_definition(resource)), changes))


def rows(
    resource: str,
    resources: Iterable[Mapping[str, Any]],
    overrides: Path | Definition | None = None,
) -> Iterator[Row]:
    """Yield the summary rows of the resources of that type."""
    return load_view(resource, overrides).rows(resources)


def summarized() -> list[str]:
    """Return the resource types that have a summary view, in alphabetical order."""
    names = (entry.name for entry in (folder("schemas") / "views").iterdir())
    return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))


def shipped_definition(resource: str) -> dict[str, Any]:
    """Return the shipped ViewDefinition of a resource type, as plain JSON data."""
    if resource not in summarized():
        known = ", ".join(summarized())
        raise ViewError(f"there is no summary view of {resource!r}; there is one of: {known}")
    text = (folder("schemas") / "views" / f"{resource}.json").read_text(encoding="utf-8")
    definition: dict[str, Any] = json.loads(text)
    return definition


@lru_cache
def _shipped_view(resource: str) -> View:
    return View.from_definition(shipped_definition(resource))


def _changes(resource: str, overrides: Path | Definition | None) -> Definition | None:
    if overrides is None or isinstance(overrides, Mapping):
        return overrides
    path = overrides / f"{resource}.json" if overrides.is_dir() else overrides
    if overrides.is_dir() and not path.exists():
        return None
    try:
        changes = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ViewError(f"the view file {path.name} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ViewError(f"the view file {path.name} is not JSON: {error}") from None
    if not isinstance(changes, dict):
        raise ViewError(f"the view file {path.name} is not a JSON object with a select")
    return changes


def _merged(shipped: ViewDefinition, changes: Definition) -> ViewDefinition:
    """Return the shipped definition with the changes in it."""
    changed = read_definition({"resource": shipped.resource, "select": [{}], **changes})
    if changed.resource != shipped.resource:
        raise ViewError(
            f"the view to change {shipped.resource} with is one of {changed.resource}; "
            "leave out its resource or correct it"
        )
    mine = {
        column.name: column for each in changed.select if _is_flat(each) for column in each.column
    }
    flat = [mine.pop(column.name, column) for each in shipped.select for column in each.column]
    return shipped.model_copy(
        update={
            "constant": [*shipped.constant, *changed.constant],
            "where": [*shipped.where, *changed.where],
            "select": [
                SelectDefinition(column=[*flat, *mine.values()]),
                *(each for each in changed.select if not _is_flat(each)),
            ],
        }
    )


def _is_flat(select: SelectDefinition) -> bool:
    """Tell whether a select is columns alone, which stand beside the shipped ones."""
    return select == SelectDefinition(column=select.column)
