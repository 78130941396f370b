"""A SQL database that keeps something: SQLite or PostgreSQL, through SQLAlchemy.

How one is opened, shared by processes and given tables, for everything that keeps rows; what is in
the tables is their owners' business. It must not import `cryptography`, which takes as much memory
as all of an export: what is encrypted is encrypted before it comes here.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Delete,
    Engine,
    Insert,
    MetaData,
    Table,
    Update,
    create_engine,
    event,
    inspect,
    make_url,
)
from sqlalchemy.exc import ArgumentError
from sqlalchemy.schema import CreateIndex, CreateTable
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from practicefusion_connector.errors import InvalidConfig

_DIALECTS = ("sqlite", "postgresql")
# What keeps two starting workers from creating the tables both; IF NOT EXISTS is indivisible in
# SQLite, which needs nothing.
_GUARDS = {"postgresql": "SELECT pg_advisory_xact_lock(5782011363)"}
# Of a `file:` URI.
_AUTHORITY = re.compile(r"^//[^/]*")


class SqliteFile(NamedTuple):
    """How the file of a SQLite database is opened.

    Attributes:
        timeout: seconds to wait for another writer.
        mode: permissions of a file that is made here, after the folders it lies in; `None` leaves
            it to SQLite, which makes no folder.
        pragmas: settings of each new connection, such as `journal_mode=WAL`.
    """

    timeout: float = 30.0
    mode: int | None = None
    pragmas: tuple[str, ...] = ()


_AS_SQLITE_DOES = SqliteFile()


class Database:
    """A database by its URL, or an engine; safe to share between threads, and with forks.

    Args:
        engine: a SQLAlchemy engine, which stays its owner's to dispose of, or a URL.
        name: what is kept in it, as errors call it: "The job store".
        example: a URL that SQLite takes, for errors: `sqlite:///jobs.db`.
        instead: what errors advise where SQLite would keep nothing.
        sqlite: how SQLite's file is opened; an engine has it open already.

    Attributes:
        dialect: `sqlite` or `postgresql`.
        url: where it is. Its text hides the password.

    Raises:
        InvalidConfig: the URL cannot be read, keeps nothing, or is of another kind of database.
    """

    def __init__(
        self,
        engine: Engine | str,
        *,
        name: str,
        example: str,
        instead: str = "",
        sqlite: SqliteFile = _AS_SQLITE_DOES,
    ) -> None:
        self._owned = isinstance(engine, str)
        if isinstance(engine, str):
            url = _read(engine, name, example)
            _check(url.get_backend_name(), name)
            if url.get_backend_name() != "sqlite":
                engine = _server(url)
            elif path := _path(url):
                engine = _file(url, path, sqlite)
            else:
                raise InvalidConfig(f"{name} needs a SQLite file, as in {example}{instead}.")
        else:
            _check(engine.dialect.name, name)
        self._engine = engine
        self._process = os.getpid()
        self.dialect = engine.dialect.name
        self.url = engine.url
        # Each dialect has an Insert of its own; the other dialect's would cost memory.
        self._insert: Any = import_module(f"sqlalchemy.dialects.{self.dialect}").insert

    def connect(self) -> Connection:
        """Return a connection, to be closed after use."""
        return self._here().connect()

    def begin(self) -> AbstractContextManager[Connection]:
        """Return a connection in a transaction, which is committed unless an error ends it."""
        return self._here().begin()

    def insert(self, table: Table) -> Any:
        """Return the dialect's own INSERT, which has ON CONFLICT."""
        return self._insert(table)

    def touches(self, statement: Insert | Update | Delete, key: Column[Any]) -> bool:
        """Run a writing statement in a transaction of its own; say whether it met a row."""
        with self.begin() as connection:
            return bool(connection.execute(statement.returning(key)).all())

    def put(
        self, table: Table, key: str, written: Mapping[str, Any], *, expected: int | None
    ) -> bool:
        """Write a row, in one statement, only if its version is still `expected`; say whether.

        Args:
            table: with one column in its primary key, and a `version`.
            key: of the row.
            written: its other columns, the new version among them.
            expected: `None` where there must be no such row yet.
        """
        (column,) = table.primary_key
        if expected is None:
            insert = self.insert(table).values({column.name: key, **written})
            return self.touches(insert.on_conflict_do_nothing(), column)
        known = table.update().where(column == key, table.c.version == expected)
        return self.touches(known.values(**written), column)

    def create(self, tables: MetaData) -> None:
        """Create the tables that are missing, with their indexes."""
        with self.begin() as connection:
            if self.dialect in _GUARDS:
                connection.exec_driver_sql(_GUARDS[self.dialect])
            # An account without the right to create tables may still use those that exist.
            inspector = inspect(connection)
            for table in tables.sorted_tables:
                if not inspector.has_table(table.name):
                    connection.execute(CreateTable(table, if_not_exists=True))
                    for index in table.indexes:
                        connection.execute(CreateIndex(index, if_not_exists=True))

    def close(self) -> None:
        """Close the pool, unless the engine was handed in."""
        if self._owned:
            self._here().dispose()

    def _here(self) -> Engine:
        # Sockets must not be shared with the process this one was forked from.
        if self._process != os.getpid():
            self._engine.dispose(close=False)
            self._process = os.getpid()
        return self._engine


def _read(address: str, name: str, example: str) -> URL:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        url = None
    # With an @ in it, a part of the password was taken for the host.
    if url is not None and "@" not in (url.host or ""):
        return url
    # The reason is not passed on: it may quote the URL, and with it the password.
    raise InvalidConfig(
        f"{name}'s URL cannot be read. It looks like {example} or "
        "postgresql://user:password@host/database, with special characters percent-encoded."
    )


def _check(dialect: str, name: str) -> None:
    if dialect not in _DIALECTS:
        raise InvalidConfig(f"{name} works with {' and '.join(_DIALECTS)}, not {dialect}.")


def _server(url: URL) -> Engine:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    # A restarted database costs no action.
    return create_engine(url, hide_parameters=True, pool_pre_ping=True)


def _path(url: URL) -> str:
    """Return the path of SQLite's file, empty where it keeps nothing (sqlite.org/uri.html)."""
    path, options = url.database or "", dict(url.normalized_query)
    if path.startswith("file:") and "uri" in options:
        path, _, more = path.removeprefix("file:").partition("#")[0].partition("?")
        path = unquote(_AUTHORITY.sub("", path))
        options |= parse_qs(more)
    in_memory = "memory" in options.get("mode", ()) or "memdb" in options.get("vfs", ())
    return "" if in_memory or path == ":memory:" else path


def _file(url: URL, path: str, how: SqliteFile) -> Engine:
    if how.mode is not None:
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=how.mode, exist_ok=True)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": how.timeout})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # SQLite itself does not wait where somebody else changes the mode of the journal, too.
        patiently = Retrying(
            retry=retry_if_exception(_is_busy),
            stop=stop_after_delay(how.timeout),
            wait=wait_random(0.01, 0.05),
            reraise=True,
        )
        for pragma in how.pragmas:
            patiently(connection.execute, f"PRAGMA {pragma}")

    return engine


def _is_busy(error: BaseException) -> bool:
    code = error.sqlite_errorcode if isinstance(error, sqlite3.OperationalError) else 0
    return code & 0xFF == sqlite3.SQLITE_BUSY
