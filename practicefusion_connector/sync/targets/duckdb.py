"""Tables in a DuckDB file: one for each resource type, updated in transactions.

A batch goes in through Arrow: what is there already under the same id is replaced. A table whose
view was changed is filled anew from the resources it keeps. It needs the extra `tables`.
"""
# ruff: noqa: S608 - names of types and columns are checked; every value is a parameter

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.sync.items import Applied, Item, Key
from practicefusion_connector.sync.targets.base import Finished, Memory, new_mark
from practicefusion_connector.sync.targets.duckdb_file import DuckDBFile, in_plain_words
from practicefusion_connector.sync.targets.rows import ID, RESOURCE, Row, Rows, TableColumn

_TYPES = {
    "text": "VARCHAR",
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "texts": "VARCHAR[]",
}
# Begins the names of what is ours and holds no resources.
_OWN = "_practicefusion_"
_MARK_TABLE = f"{_OWN}sync"
# By which view each table was filled.
_VIEWS_TABLE = f"{_OWN}views"
_FRESH = f"{_OWN}fresh"


class DuckDBTarget:
    """A DuckDB file to sync into; used by one process at a time.

    Args:
        path: the file, made where it is missing.
        views: a folder with the user's own summary views.
        memory_limit: what DuckDB may hold in memory.
    """

    whole_files = False
    keeps_versions = True
    batch = (2000, 8 * 1024 * 1024)
    workers = 1

    def __init__(
        self, path: Path, *, views: Path | None = None, memory_limit: str = "256MB"
    ) -> None:
        self.name = "duckdb"
        self._rows = Rows(views)
        self._file = DuckDBFile(path, memory_limit)
        self._ready: set[str] = set()

    @in_plain_words
    def open(self, memory: Memory) -> str | None:
        """See `Target`; the mark lies in a table of its own."""
        with self._file.transaction() as database:
            database.execute(
                f"CREATE TABLE IF NOT EXISTS {_VIEWS_TABLE} (type VARCHAR, definition VARCHAR)"
            )
            database.execute(f"CREATE TABLE IF NOT EXISTS {_MARK_TABLE} (mark VARCHAR)")
            found = database.execute(f"SELECT mark FROM {_MARK_TABLE}").fetchone()
            mark = str(found[0]) if found else new_mark()
            if found is None:
                database.execute(f"INSERT INTO {_MARK_TABLE} VALUES (?)", [mark])
        return mark

    @in_plain_words
    def apply(self, resource_type: str, items: Sequence[Item]) -> list[Applied]:
        """See `Target`."""
        table = self._table(resource_type)
        given = _arrow(self._rows.columns(resource_type), [self._rows.row(item) for item in items])
        with self._file.transaction() as database:
            database.register("_given", given)
            known = f"SELECT t.{ID} FROM {table} t JOIN _given g ON t.{ID} = g.{ID}"
            there = {row[0] for row in database.execute(known).fetchall()}
            database.execute(f"DELETE FROM {table} WHERE {ID} IN (SELECT {ID} FROM _given)")
            database.execute(f"INSERT INTO {table} BY NAME SELECT * FROM _given")
            database.unregister("_given")
        return [Applied("updated" if item.key.id in there else "created") for item in items]

    def take(self, run: int, path: Path, name: str) -> None:
        """See `Target`; tables take no files."""
        raise InvalidConfig("Tables take resources, not files.")

    @in_plain_words
    def delete(self, keys: Sequence[tuple[Key, str | None]]) -> list[Applied]:
        """See `Target`."""
        by_type: dict[str, list[str]] = {}
        for key, _ in keys:
            by_type.setdefault(key.type, []).append(key.id)
        tables = {self._table(kind): ids for kind, ids in by_type.items()}
        with self._file.transaction() as database:
            for table, ids in tables.items():
                database.execute(f"DELETE FROM {table} WHERE {ID} IN (SELECT unnest(?))", [ids])
        return [Applied("updated") for _ in keys]

    @in_plain_words
    def finish(self, run: int, progress: Callable[[int], None]) -> Finished:
        """See `Target`; all tables follow their views, and the log goes into the file."""
        found = self._file.database.execute(f"SELECT type FROM {_VIEWS_TABLE}").fetchall()
        for (kind,) in found:
            self._table(kind)
        self._file.database.execute("CHECKPOINT")
        return Finished()

    def close(self) -> None:
        """See `Target`."""
        self._file.close()
        self._ready.clear()

    def types(self) -> list[str]:
        """Return the resource types there are tables of."""
        found = self._file.database.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1")
        return [name for (name,) in found.fetchall() if not name.startswith(_OWN)]

    def _table(self, resource_type: str) -> str:
        """Return a type's table, made or filled anew where needed, as SQL names it."""
        table = f'"{resource_type}"'
        if resource_type not in self._ready:
            definition = self._rows.definition(resource_type)
            if not self._is_filled_by(resource_type, definition):
                self._fill_anew(resource_type, definition)
            self._ready.add(resource_type)
        return table

    def _is_filled_by(self, resource_type: str, definition: str) -> bool:
        """Say whether a table has the columns of a view, and all rows were made by it."""
        noted = self._file.database.execute(
            f"SELECT definition FROM {_VIEWS_TABLE} WHERE type = ?", [resource_type]
        ).fetchone()
        columns = {(each.name, _type(each)) for each in self._rows.columns(resource_type)}
        return noted == (definition,) and columns <= self._columns_of(resource_type)

    def _columns_of(self, table: str) -> set[tuple[str, str]]:
        found = self._file.database.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ?", [table]
        )
        return set(found.fetchall())

    def _fill_anew(self, resource_type: str, definition: str) -> None:
        """Make a type's table as its view is now, from the resources of the one that is there."""
        declared = ", ".join(
            f'"{each.name}" {_type(each)}' for each in self._rows.columns(resource_type)
        )
        with self._file.transaction() as database:
            database.execute(f"DROP TABLE IF EXISTS {_FRESH}")
            database.execute(f"CREATE TABLE {_FRESH} ({declared})")
        if self._columns_of(resource_type):
            self._copy(resource_type)
        with self._file.transaction() as database:
            database.execute(f'DROP TABLE IF EXISTS "{resource_type}"')
            database.execute(f'ALTER TABLE {_FRESH} RENAME TO "{resource_type}"')
            database.execute(f"DELETE FROM {_VIEWS_TABLE} WHERE type = ?", [resource_type])
            database.execute(
                f"INSERT INTO {_VIEWS_TABLE} VALUES (?, ?)", [resource_type, definition]
            )

    def _copy(self, resource_type: str) -> None:
        """Copy a table's resources into the fresh one, as much at once as a batch may hold."""
        database, columns = self._file.database, self._rows.columns(resource_type)
        extent = f'SELECT max(rowid), avg(strlen({RESOURCE})) FROM "{resource_type}"'
        last, size = database.execute(extent).fetchone() or (None, None)
        rows, largest = self.batch
        step = max(1, min(rows, int(largest / size))) if size else rows
        for first in range(0, 0 if last is None else last + 1, step):
            found = database.execute(
                f'SELECT {ID}, {RESOURCE} FROM "{resource_type}" WHERE rowid BETWEEN ? AND ?',
                [first, first + step - 1],
            ).fetchall()
            made = [self._rows.kept(resource_type, name, text) for name, text in found]
            # In one transaction all of a table would have to fit in memory.
            with self._file.transaction():
                database.register("_given", _arrow(columns, made))
                database.execute(f"INSERT INTO {_FRESH} BY NAME SELECT * FROM _given")
                database.unregister("_given")


def _type(column: TableColumn) -> str:
    return "JSON" if column.name == RESOURCE else _TYPES[column.kind]


def _arrow(columns: Sequence[TableColumn], rows: list[Row]) -> Any:
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "boolean": pa.bool_(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "texts": pa.list_(pa.string()),
    }
    schema = pa.schema([(column.name, types[column.kind]) for column in columns])
    return pa.Table.from_pylist(rows, schema=schema)
