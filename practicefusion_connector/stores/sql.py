"""Connections as encrypted rows in SQLite or PostgreSQL, through SQLAlchemy.

Every operation is one statement in a short transaction of its own, so that SQLite takes its write
lock at the start (there is nothing to upgrade) and no database connection is held while a lease is.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    ColumnElement,
    Delete,
    Double,
    Engine,
    Insert,
    LargeBinary,
    MetaData,
    String,
    Table,
    Update,
    create_engine,
    inspect,
    literal_column,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError
from sqlalchemy.schema import CreateTable

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.stores.base import (
    ConnectionRecord,
    StaleVersion,
    Stored,
    checked_id,
    next_version,
    poll,
)
from practicefusion_connector.stores.sealing import Sealer


class _Dialect(NamedTuple):
    insert: Any  # each dialect has an Insert of its own, with ON CONFLICT
    now: ColumnElement[float]  # the database's own clock, in POSIX seconds
    guard: str | None  # what keeps two starting workers from creating the tables both


_DIALECTS = {
    "sqlite": _Dialect(
        sqlite.insert,
        literal_column("(julianday('now') - 2440587.5) * 86400.0", Double),
        None,  # IF NOT EXISTS is indivisible in SQLite
    ),
    "postgresql": _Dialect(
        postgresql.insert,
        literal_column("CAST(extract(epoch FROM clock_timestamp()) AS double precision)", Double),
        "SELECT pg_advisory_xact_lock(5782011363)",
    ),
}


class SqlStore:
    """A `ConnectionStore` in two tables, which are created where they are missing.

    Args:
        engine: a SQLAlchemy engine, which stays its owner's to dispose of, or a URL such as
            `sqlite:///connections.db` or `postgresql://user:password@host/database`.
        sealer: encrypts the rows.
        prefix: begins the names of the tables, `<prefix>_connections` and `<prefix>_leases`.
    """

    def __init__(
        self, engine: Engine | str, sealer: Sealer, *, prefix: str = "practicefusion"
    ) -> None:
        self._owned = isinstance(engine, str)
        self._pool = _open(engine) if isinstance(engine, str) else engine
        self._process = os.getpid()
        self._sealer = sealer
        if self._pool.dialect.name not in _DIALECTS:
            raise InvalidConfig(
                f"SqlStore works with {' and '.join(_DIALECTS)}, not {self._pool.dialect.name}."
            )
        self._dialect = _DIALECTS[self._pool.dialect.name]
        self._connections = Table(
            f"{prefix}_connections",
            MetaData(),
            Column("connection_id", String(128), primary_key=True),
            Column("version", BigInteger, nullable=False),
            Column("sealed", LargeBinary, nullable=False),
        )
        self._leases = Table(
            f"{prefix}_leases",
            MetaData(),
            Column("connection_id", String(128), primary_key=True),
            Column("owner", String(32), nullable=False),
            Column("expires_at", Double, nullable=False),
        )
        self._create_tables()

    def __repr__(self) -> str:
        return f"SqlStore({self._pool.dialect.name}, {self._connections.name!r})"

    def load(self, connection_id: str) -> Stored | None:
        """See `ConnectionStore.load`."""
        rows = self._connections.c
        statement = select(rows.version, rows.sealed).where(
            rows.connection_id == checked_id(connection_id)
        )
        with self._engine().connect() as connection:
            row = connection.execute(statement).one_or_none()
        return row and Stored(self._sealer.unseal(row.sealed, connection_id), row.version)

    def save(self, record: ConnectionRecord, *, expected: int | None) -> int:
        """See `ConnectionStore.save`."""
        rows, connection_id = self._connections.c, record.connection.id
        version = next_version(expected)
        written = {"version": version, "sealed": self._sealer.seal(record)}
        statement: Insert | Update
        if expected is None:
            statement = (
                self._dialect.insert(self._connections)
                .values(connection_id=connection_id, **written)
                .on_conflict_do_nothing()
            )
        else:
            statement = (
                self._connections.update()
                .where(rows.connection_id == connection_id, rows.version == expected)
                .values(**written)
            )
        if not self._touches(statement, rows.connection_id):
            raise StaleVersion(connection_id)
        return version

    def delete(self, connection_id: str) -> bool:
        """See `ConnectionStore.delete`."""
        rows = self._connections.c
        statement = self._connections.delete().where(
            rows.connection_id == checked_id(connection_id)
        )
        return self._touches(statement, rows.connection_id)

    def ids(self) -> list[str]:
        """See `ConnectionStore.ids`."""
        with self._engine().connect() as connection:
            # Sorted here: a database may sort by the rules of some language.
            return sorted(connection.scalars(select(self._connections.c.connection_id)))

    @contextmanager
    def lease(self, connection_id: str, *, ttl: float, wait: float) -> Iterator[None]:
        """See `ConnectionStore.lease`; `ttl` runs by the database's clock."""
        rows, owner = self._leases.c, secrets.token_hex(16)
        take = self._take(checked_id(connection_id), owner, ttl)
        poll(lambda: self._touches(take, rows.connection_id), connection_id, wait)
        try:
            yield
        finally:
            # Past its ttl the lease may be somebody else's by now.
            give_back = self._leases.delete().where(
                rows.connection_id == connection_id, rows.owner == owner
            )
            self._touches(give_back, rows.connection_id)

    def _take(self, connection_id: str, owner: str, ttl: float) -> Insert:
        """Return the statement that takes a lease nobody holds, or whose time is over."""
        insert = self._dialect.insert(self._leases).values(
            connection_id=connection_id, owner=owner, expires_at=self._dialect.now + ttl
        )
        upsert: Insert = insert.on_conflict_do_update(
            index_elements=["connection_id"],
            set_={"owner": insert.excluded.owner, "expires_at": insert.excluded.expires_at},
            where=self._leases.c.expires_at < self._dialect.now,
        )
        return upsert

    def close(self) -> None:
        """Close the pool, unless the engine was handed in."""
        if self._owned:
            self._engine().dispose()

    def _engine(self) -> Engine:
        # Sockets must not be shared with the process this one was forked from.
        if self._process != os.getpid():
            self._pool.dispose(close=False)
            self._process = os.getpid()
        return self._pool

    def _touches(self, statement: Insert | Update | Delete, key: Column[Any]) -> bool:
        """Run a writing statement in a transaction of its own; say whether it met a row."""
        with self._engine().begin() as connection:
            return bool(connection.execute(statement.returning(key)).all())

    def _create_tables(self) -> None:
        with self._engine().begin() as connection:
            if self._dialect.guard:
                connection.exec_driver_sql(self._dialect.guard)
            # An account without the right to create tables may still use those that exist.
            inspector = inspect(connection)
            for table in (self._connections, self._leases):
                if not inspector.has_table(table.name):
                    connection.execute(CreateTable(table, if_not_exists=True))


def _open(address: str) -> Engine:
    try:
        url = make_url(address)
        if "@" in (url.host or ""):
            raise ValueError("a part of the password was taken for the host")
    except (ArgumentError, ValueError):
        # The reason is not passed on: it may quote the URL, and with it the password.
        raise InvalidConfig(
            "The token store's URL cannot be read. It looks like sqlite:///connections.db or "
            "postgresql://user:password@host/database, with special characters percent-encoded."
        ) from None
    options: dict[str, Any] = {"hide_parameters": True}
    if url.get_backend_name() == "sqlite":
        _refuse_memory(url)
        options["connect_args"] = {"timeout": 30}
    else:
        options["pool_pre_ping"] = True  # a restarted database costs no action
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return create_engine(url, **options)


def _refuse_memory(url: URL) -> None:
    if url.database in (None, "", ":memory:"):
        raise InvalidConfig(
            "SqlStore needs a SQLite file, as in sqlite:///connections.db; use MemoryStore "
            "(memory:) to keep nothing."
        )
