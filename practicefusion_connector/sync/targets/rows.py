"""A resource as a row: its id, its summary view's columns, and itself as JSON.

Pure. The columns are those of the summary views (`schemas/views`), changed by a user's own where
there are any; dates stay text, because FHIR's may be a year alone.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson

from practicefusion_connector.summaries import summary_view
from practicefusion_connector.sync.items import Item

Kind = Literal["text", "boolean", "integer", "number", "texts"]

ID, RESOURCE = "id", "resource"
_INTEGERS = 2**63
_KINDS: dict[str, Kind] = {
    "boolean": "boolean",
    "integer": "integer",
    "positiveInt": "integer",
    "unsignedInt": "integer",
    "decimal": "number",
}


class TableColumn(NamedTuple):
    """A column of a table."""

    name: str
    kind: Kind


class Rows:
    """Makes rows; `views` is a folder with the user's own summary views."""

    def __init__(self, views: Path | None = None) -> None:
        self._views = views
        self.columns = cache(self._columns)

    def _columns(self, resource_type: str) -> tuple[TableColumn, ...]:
        """Return the columns of a type's table: the id first, the resource last."""
        view = summary_view(resource_type, self._views)
        summary = [
            TableColumn(column.name, "texts" if column.collection else _kind(column.type))
            for column in (view.columns if view else ())
            if column.name not in (ID, RESOURCE)
        ]
        return (TableColumn(ID, "text"), *summary, TableColumn(RESOURCE, "text"))

    def row(self, item: Item) -> dict[str, Any]:
        """Return an item's row; a summary that cannot be made leaves its cells empty."""
        kind = item.key.type
        view = summary_view(kind, self._views)
        summary: dict[str, Any] = {}
        if view is not None:
            summary = next(iter(view.rows([item.resource], lambda error: None)), {})
        row: dict[str, Any] = {
            column.name: _cell(summary.get(column.name), column.kind)
            for column in self.columns(kind)
        }
        row[ID] = item.key.id
        # As it came: parsed and written again, its decimals would lose their precision.
        row[RESOURCE] = item.raw.decode()
        return row


def _kind(fhir_type: str) -> Kind:
    return _KINDS.get(fhir_type, "text")


def _cell(value: Any, kind: Kind) -> Any:
    """Return a value as its column takes it, or `None` where it does not fit."""
    if value is None:
        return None
    if kind == "texts":
        return [_text(each) for each in value]
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if kind == "text":
        return _text(value)
    try:
        number = int(value) if kind == "integer" else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if kind == "number" or abs(number) < _INTEGERS else None


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    # No text of FHIR's holds one, and PostgreSQL takes none.
    return text.replace("\0", "")
