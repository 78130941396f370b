"""A resource as a row: its id, its summary view's columns, and itself as JSON.

Pure. The columns are those of the summary views (`schemas/views`), changed by a user's own where
there are any; dates stay text, because FHIR's may be a year alone.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import orjson

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.summaries import read_view
from practicefusion_connector.sync.items import Item, Key, Resource

if TYPE_CHECKING:
    from practicefusion_connector.fhir.views import View

Kind = Literal["text", "boolean", "integer", "number", "texts"]
Row = dict[str, Any]

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
    """Makes rows; `views` is a folder with the user's own summary views, each read once."""

    def __init__(self, views: Path | None = None) -> None:
        self._views = views
        self._view = cache(self._read_view)
        self.columns = cache(self._columns)

    def definition(self, resource_type: str) -> str:
        """Return what is another wherever the rows of the same resources may be others."""
        return self._view(resource_type)[1]

    def row(self, item: Item) -> Row:
        """Return an item's row; a summary that cannot be made leaves its cells empty."""
        # As it came: parsed and written again, its decimals would lose their precision.
        return self._made(item.key, item.resource, item.raw.decode())

    def kept(self, resource_type: str, source_id: str, text: str) -> Row:
        """Return the row of a resource by the text that an earlier row of it holds."""
        try:
            resource = orjson.loads(text)
        except ValueError:
            # Changed by hand; the parser's own words may quote it.
            resource = {}
        return self._made(Key(resource_type, source_id), resource, text)

    def _made(self, key: Key, resource: Resource, text: str) -> Row:
        view, _ = self._view(key.type)
        summary: Row = {}
        if view is not None:
            summary = next(iter(view.rows([resource], lambda error: None)), {})
        row: Row = {
            column.name: _cell(summary.get(column.name), column.kind)
            for column in self.columns(key.type)
        }
        row[ID] = key.id
        row[RESOURCE] = text
        return row

    def _columns(self, resource_type: str) -> tuple[TableColumn, ...]:
        """Return the columns of a type's table: the id first, the resource last."""
        view, _ = self._view(resource_type)
        summary = [
            TableColumn(column.name, "texts" if column.collection else _kind(column.type))
            for column in (view.columns if view else ())
            if column.name not in (ID, RESOURCE)
        ]
        columns = (TableColumn(ID, "text"), *summary, TableColumn(RESOURCE, "text"))
        names = {column.name.lower(): column.name for column in columns}
        for column in columns:
            if names[column.name.lower()] != column.name:
                raise InvalidConfig(
                    f'The view of {resource_type} has columns "{column.name}" and '
                    f'"{names[column.name.lower()]}", which are one to a table: rename one of them.'
                )
        return columns

    def _read_view(self, resource_type: str) -> tuple[View | None, str]:
        """Return a type's view as it is now, and the digest of its definition."""
        # Not the one another caller read before: the digest must be of what makes the rows.
        view = read_view(resource_type, self._views)
        from practicefusion_connector.fhir.views import shipped_definition, summarized

        shipped = shipped_definition(resource_type) if resource_type in summarized() else None
        own = self._views / f"{resource_type}.json" if self._views else None
        text = orjson.dumps(shipped) + (own.read_bytes() if own and own.is_file() else b"")
        return view, hashlib.blake2b(text, digest_size=16).hexdigest()


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
