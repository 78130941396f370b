"""Tables in a DuckDB file: one for each resource type, updated in transactions.

A batch goes in through Arrow: what is there already under the same id is replaced. It needs the
extra `tables`.
"""
# ruff: noqa: S608 - names of types and columns are checked; every value is a parameter

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.sync.items import Applied, Item, Key
from practicefusion_connector.sync.targets.base import Finished, Memory, new_mark
from practicefusion_connector.sync.targets.rows import ID, RESOURCE, Rows, TableColumn

if TYPE_CHECKING:
    import duckdb

_TYPES = {
    "text": "VARCHAR",
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "texts": "VARCHAR[]",
}
_MARK_TABLE = "_practicefusion_sync"


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
        self._path = path
        self._rows = Rows(views)
        self._memory_limit = memory_limit
        self._database: duckdb.DuckDBPyConnection | None = None
        self._ready: set[str] = set()

    def open(self, memory: Memory, run: str) -> str | None:
        """See `Target`; the mark lies in a table of its own."""
        database = self._opened()
        database.execute(f"CREATE TABLE IF NOT EXISTS {_MARK_TABLE} (mark VARCHAR)")
        found = database.execute(f"SELECT mark FROM {_MARK_TABLE}").fetchone()
        if found is None:
            database.execute(f"INSERT INTO {_MARK_TABLE} VALUES (?)", [new_mark()])
            return self.open(memory, run)
        return str(found[0])

    def apply(self, resource_type: str, items: Sequence[Item]) -> list[Applied]:
        """See `Target`."""
        database, table = self._opened(), self._table(resource_type)
        columns = self._rows.columns(resource_type)
        given = _arrow(columns, [self._rows.row(item) for item in items])
        names = ", ".join(f'"{column.name}"' for column in columns)
        with self._transaction():
            database.register("_given", given)
            known = f"SELECT t.{ID} FROM {table} t JOIN _given g ON t.{ID} = g.{ID}"
            there = {row[0] for row in database.execute(known).fetchall()}
            database.execute(f"DELETE FROM {table} WHERE {ID} IN (SELECT {ID} FROM _given)")
            database.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM _given")
            database.unregister("_given")
        return [Applied("updated" if item.key.id in there else "created") for item in items]

    def take(self, path: Path, name: str) -> None:
        """See `Target`; tables take no files."""
        raise InvalidConfig("Tables take resources, not files.")

    def delete(self, keys: Sequence[tuple[Key, str | None]]) -> list[Applied]:
        """See `Target`."""
        database = self._opened()
        by_type: dict[str, list[str]] = {}
        for key, _ in keys:
            by_type.setdefault(key.type, []).append(key.id)
        with self._transaction():
            for kind, ids in by_type.items():
                table = self._table(kind)
                database.execute(f"DELETE FROM {table} WHERE {ID} IN (SELECT unnest(?))", [ids])
        return [Applied("updated") for _ in keys]

    def finish(self, progress: Callable[[int], None]) -> Finished:
        """See `Target`; the write-ahead log goes into the file."""
        self._opened().execute("CHECKPOINT")
        return Finished()

    def close(self) -> None:
        """See `Target`."""
        if self._database is not None:
            self._database.close()
            self._database = None
            self._ready.clear()

    def types(self) -> list[str]:
        """Return the resource types there are tables of."""
        found = self._opened().execute("SELECT table_name FROM duckdb_tables() ORDER BY 1")
        return [name for (name,) in found.fetchall() if name != _MARK_TABLE]

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._database is None:
            self._database = _connect(self._path, self._memory_limit)
        return self._database

    @contextlib.contextmanager
    def _transaction(self) -> Any:
        database = self._opened()
        database.begin()
        try:
            yield
        except BaseException:
            database.rollback()
            raise
        database.commit()

    def _table(self, resource_type: str) -> str:
        """Return a type's table, made or widened where needed, as SQL names it."""
        name = f'"{resource_type}"'
        if resource_type not in self._ready:
            columns = self._rows.columns(resource_type)
            database = self._opened()
            declared = ", ".join(f'"{c.name}" {_type(c)}' for c in columns)
            database.execute(f"CREATE TABLE IF NOT EXISTS {name} ({declared})")
            for column in columns:
                wider = f'ADD COLUMN IF NOT EXISTS "{column.name}" {_type(column)}'
                database.execute(f"ALTER TABLE {name} {wider}")
            self._ready.add(resource_type)
        return name


def _type(column: TableColumn) -> str:
    return "JSON" if column.name == RESOURCE else _TYPES[column.kind]


def _connect(path: Path, memory_limit: str) -> duckdb.DuckDBPyConnection:
    try:
        import duckdb
        import pyarrow  # noqa: F401 - said here, before anything is written
    except ImportError as error:
        raise InvalidConfig(
            f"Tables need a library that is not installed ({error.name}): "
            "pip install 'practicefusion-connector[tables]'"
        ) from error
    # What DuckDB writes beside its file holds patients' records, too.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = not path.exists()
    try:
        database = duckdb.connect(str(path), config={"memory_limit": memory_limit, "threads": 2})
    except duckdb.IOException:
        pass
    else:
        if new:
            # Patients' records: their owner's alone, until the owner says otherwise.
            path.chmod(0o600)
        return database
    raise InvalidConfig(
        f"The DuckDB file {path.name} cannot be opened: another process has it open, or it is none."
    )


def _arrow(columns: Sequence[TableColumn], rows: list[dict[str, Any]]) -> Any:
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
