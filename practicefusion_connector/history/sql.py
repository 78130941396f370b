"""Records as rows in SQLite or PostgreSQL, through SQLAlchemy."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    select,
)

from practicefusion_connector.database import Database, SqliteFile
from practicefusion_connector.history.record import RunRecord

_DAY = 86_400.0
# Old rows are looked for now and then, not with each new one.
_WRITES_BETWEEN = 500
# An action waits for its record, so it must not wait for long.
_FILE = SqliteFile(timeout=5.0)


class SqlSink:
    """One table, made where it is missing; rows older than `keep_days` are deleted.

    Args:
        engine: a SQLAlchemy engine, which stays its owner's to dispose of, or a URL such as
            `sqlite:///history.db` or `postgresql://user:password@host/database`.
        table: the table's name.
        keep_days: `None` keeps every row.
        clock: POSIX seconds.

    Raises:
        InvalidConfig: the URL cannot be read, keeps nothing, or is of another kind of database.
    """

    def __init__(
        self,
        engine: Engine | str,
        *,
        table: str = "practicefusion_runs",
        keep_days: float | None = 365.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = Database(
            engine,
            name="The history",
            example="sqlite:///history.db",
            instead="; use MemorySink to keep nothing",
            sqlite=_FILE,
        )
        self._keep_days = keep_days
        self._clock = clock
        self._written = 0
        self._lock = threading.Lock()
        tables = MetaData()
        self._runs = Table(
            table,
            tables,
            # SQLite numbers rows by itself only in a column of its own INTEGER type.
            Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
            Column("at", Double, nullable=False),
            Column("action", String(64), nullable=False),
            Column("connection_id", String(128), nullable=False),
            Column("code", String(40), nullable=False),
            Column("record", Text, nullable=False),
        )
        Index(f"{table}_at", self._runs.c.at)
        self._database.create(tables)

    def __repr__(self) -> str:
        return f"SqlSink({self._database.dialect}, {self._runs.name!r})"

    def write(self, record: RunRecord) -> None:
        """See `Sink.write`."""
        with self._database.begin() as connection:
            connection.execute(
                self._runs.insert().values(
                    at=record.at,
                    action=record.action,
                    connection_id=record.connection_id,
                    code=record.code,
                    record=json.dumps(record.to_dict()),
                )
            )
            if self._due():
                old = self._clock() - (self._keep_days or 0.0) * _DAY
                connection.execute(self._runs.delete().where(self._runs.c.at < old))

    def read(self, limit: int | None = None) -> list[RunRecord]:
        """See `Source.read`."""
        newest_first = select(self._runs.c.record).order_by(
            self._runs.c.at.desc(), self._runs.c.id.desc()
        )
        with self._database.connect() as connection:
            rows = connection.scalars(newest_first.limit(limit)).all()
        return [RunRecord.from_dict(json.loads(row)) for row in reversed(rows)]

    def close(self) -> None:
        """Close the pool, unless the engine was handed in."""
        self._database.close()

    def _due(self) -> bool:
        with self._lock:
            self._written += 1
            return self._keep_days is not None and self._written % _WRITES_BETWEEN == 1
