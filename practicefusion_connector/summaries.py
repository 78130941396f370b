"""Which summary view a resource type has: the shipped one, with a user's columns if there are any.

A user's folder holds `{resource}.json` files in the form of SQL on FHIR v2's ViewDefinition; each
is read once. The views' libraries (extra `views`) are imported when the first view is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from practicefusion_connector.errors import InvalidConfig

if TYPE_CHECKING:
    from practicefusion_connector.fhir.views import View
    from practicefusion_connector.registry import Registry

Row = dict[str, object]


def checked_views(folder: Path | None, registry: Registry) -> Path | None:
    """Return the folder of a user's own views, once every view in it is found to be usable.

    Raises:
        InvalidConfig: it is no folder, or a view in it is wrong.
    """
    if folder is None:
        return None
    if not folder.is_dir():
        raise InvalidConfig("The folder of summary views is not there.")
    for resource in sorted({action.resource for action in registry}):
        summary_view(resource, folder)
    return folder


@lru_cache(maxsize=256)
def summary_view(resource: str, folder: Path | None = None) -> View | None:
    """Return the summary view of a resource type as it was read first, see `read_view`."""
    return read_view(resource, folder)


def read_view(resource: str, folder: Path | None = None) -> View | None:
    """Read the summary view of a resource type; `None` where nobody declares one.

    Args:
        folder: a user's views; they change the shipped ones and add to them.

    Raises:
        InvalidConfig: the user's view of this type is wrong, or a library is not installed.
    """
    try:
        from practicefusion_connector.fhir.views import ViewError, load_view, summarized
    except ImportError as error:
        raise InvalidConfig(
            f"The summary view needs a library that is not installed ({error.name}): "
            "pip install 'practicefusion-connector[views]'"
        ) from error
    try:
        return load_view(resource, folder) if resource in summarized() else _added(resource, folder)
    except ViewError as error:
        reason = str(error)
    except (OSError, ValueError):
        reason = "the file is not readable JSON"
    raise InvalidConfig(f"The summary view of {resource} cannot be used: {reason}.")


def summary_rows(
    view: View,
    resources: Iterable[Mapping[str, Any]],
    on_error: Callable[[Exception], None] = lambda error: None,
) -> list[Row]:
    """Return the rows of the resources; a cell that cannot be filled is null.

    A decimal is a float in every row: FHIR writes 155 and 7.5 alike, but a data frame that takes
    the first for whole numbers would cut the second to 7.
    """
    decimals = [each.name for each in view.columns if each.type == "decimal"]
    rows = list(view.rows(resources, on_error))
    for row in rows:
        row |= {name: float(each) for name in decimals if isinstance(each := row[name], int)}
    return rows


def _added(resource: str, folder: Path | None) -> View | None:
    """Return a user's view of a type that has no shipped one."""
    from practicefusion_connector.fhir.views import View, ViewError

    file = folder / f"{resource}.json" if folder else None
    if file is None or not file.is_file():
        return None
    declared = json.loads(file.read_text("utf-8"))
    if not isinstance(declared, dict):
        raise ViewError(f"the view file {file.name} is not a JSON object with a select")
    return View.from_definition({"resource": resource} | declared)
