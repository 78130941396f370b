"""Connections as encrypted rows in SQLite or PostgreSQL, through SQLAlchemy.

Every operation is one statement in a short transaction of its own, so that SQLite takes its write
lock at the start (there is nothing to upgrade) and no database connection is held while a lease is.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Engine,
    Insert,
    LargeBinary,
    MetaData,
    String,
    Table,
    literal_column,
    select,
)

from practicefusion_connector.database import Database
from practicefusion_connector.stores.base import (
    ConnectionRecord,
    StaleVersion,
    Stored,
    checked_id,
    next_version,
    poll,
)
from practicefusion_connector.stores.sealing import Sealer

# The database's own clock, in POSIX seconds.
_NOW = {
    "sqlite": "(julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) AS double precision)",
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
        self._database = Database(
            engine,
            name="The token store",
            example="sqlite:///connections.db",
            instead="; use MemoryStore (memory:) to keep nothing",
        )
        self._sealer = sealer
        self._now = literal_column(_NOW[self._database.dialect], Double)
        tables = MetaData()
        self._connections = Table(
            f"{prefix}_connections",
            tables,
            Column("connection_id", String(128), primary_key=True),
            Column("version", BigInteger, nullable=False),
            Column("sealed", LargeBinary, nullable=False),
        )
        self._leases = Table(
            f"{prefix}_leases",
            tables,
            Column("connection_id", String(128), primary_key=True),
            Column("owner", String(32), nullable=False),
            Column("expires_at", Double, nullable=False),
        )
        self._database.create(tables)

    def __repr__(self) -> str:
        return f"SqlStore({self._database.dialect}, {self._connections.name!r})"

    def load(self, connection_id: str) -> Stored | None:
        """See `ConnectionStore.load`."""
        rows = self._connections.c
        statement = select(rows.version, rows.sealed).where(
            rows.connection_id == checked_id(connection_id)
        )
        with self._database.connect() as connection:
            row = connection.execute(statement).one_or_none()
        return row and Stored(self._sealer.unseal(row.sealed, connection_id), row.version)

    def save(self, record: ConnectionRecord, *, expected: int | None) -> int:
        """See `ConnectionStore.save`."""
        connection_id, version = record.connection.id, next_version(expected)
        written = {"version": version, "sealed": self._sealer.seal(record)}
        if not self._database.put(self._connections, connection_id, written, expected=expected):
            raise StaleVersion(connection_id)
        return version

    def delete(self, connection_id: str) -> bool:
        """See `ConnectionStore.delete`."""
        rows = self._connections.c
        statement = self._connections.delete().where(
            rows.connection_id == checked_id(connection_id)
        )
        return self._database.touches(statement, rows.connection_id)

    def ids(self) -> list[str]:
        """See `ConnectionStore.ids`."""
        with self._database.connect() as connection:
            # Sorted here: a database may sort by the rules of some language.
            return sorted(connection.scalars(select(self._connections.c.connection_id)))

    @contextmanager
    def lease(self, connection_id: str, *, ttl: float, wait: float) -> Iterator[None]:
        """See `ConnectionStore.lease`; `ttl` runs by the database's clock."""
        rows, owner = self._leases.c, secrets.token_hex(16)
        take = self._take(checked_id(connection_id), owner, ttl)
        poll(lambda: self._database.touches(take, rows.connection_id), connection_id, wait)
        try:
            yield
        finally:
            # Past its ttl the lease may be somebody else's by now.
            give_back = self._leases.delete().where(
                rows.connection_id == connection_id, rows.owner == owner
            )
            self._database.touches(give_back, rows.connection_id)

    def _take(self, connection_id: str, owner: str, ttl: float) -> Insert:
        """Return the statement that takes a lease nobody holds, or whose time is over."""
        insert = self._database.insert(self._leases).values(
            connection_id=connection_id, owner=owner, expires_at=self._now + ttl
        )
        upsert: Insert = insert.on_conflict_do_update(
            index_elements=["connection_id"],
            set_={"owner": insert.excluded.owner, "expires_at": insert.excluded.expires_at},
            where=self._leases.c.expires_at < self._now,
        )
        return upsert

    def close(self) -> None:
        """Close the pool, unless the engine was handed in."""
        self._database.close()
