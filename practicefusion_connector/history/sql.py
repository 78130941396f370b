"""Records as rows in SQLite or PostgreSQL, through SQLAlchemy."""

from __future__ import annotations

import json
import os
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
    create_engine,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError
from sqlalchemy.schema import CreateIndex, CreateTable

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.history.record import RunRecord

_DAY = 86_400.0
# Old rows are looked for now and then, not with each new one.
_WRITES_BETWEEN = 500


class SqlSink:
    """One table, made where it is missing; rows older than `keep_days` are deleted.

    Args:
        engine: a SQLAlchemy engine, which stays its owner's to dispose of, or a URL such as
            `sqlite:///history.db` or `postgresql://user:password@host/database`.
        table: the table's name.
        keep_days: `None` keeps every row.
        clock: POSIX seconds.
    """

    def __init__(
        self,
        engine: Engine | str,
        *,
        table: str = "practicefusion_runs",
        keep_days: float | None = 365.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._owned = isinstance(engine, str)
        self._pool = _open(engine) if isinstance(engine, str) else engine
        self._process = os.getpid()
        self._keep_days = keep_days
        self._clock = clock
        self._written = 0
        self._lock = threading.Lock()
        self._runs = Table(
            table,
            MetaData(),
            # SQLite numbers rows by itself only in a column of its own INTEGER type.
            Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
            Column("at", Double, nullable=False),
            Column("action", String(64), nullable=False),
            Column("connection_id", String(128), nullable=False),
            Column("code", String(40), nullable=False),
            Column("record", Text, nullable=False),
        )
        self._by_time = Index(f"{table}_at", self._runs.c.at)
        with self._engine().begin() as connection:
            connection.execute(CreateTable(self._runs, if_not_exists=True))
            connection.execute(CreateIndex(self._by_time, if_not_exists=True))

    def __repr__(self) -> str:
        return f"SqlSink({self._pool.dialect.name}, {self._runs.name!r})"

    def write(self, record: RunRecord) -> None:
        """See `Sink.write`."""
        with self._engine().begin() as connection:
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
        with self._engine().connect() as connection:
            rows = connection.scalars(newest_first.limit(limit)).all()
        return [RunRecord.from_dict(json.loads(row)) for row in reversed(rows)]

    def close(self) -> None:
        """Close the pool, unless the engine was handed in."""
        if self._owned:
            self._engine().dispose()

    def _due(self) -> bool:
        with self._lock:
            self._written += 1
            return self._keep_days is not None and self._written % _WRITES_BETWEEN == 1

    def _engine(self) -> Engine:
        # Sockets must not be shared with the process this one was forked from.
        if self._process != os.getpid():
            self._pool.dispose(close=False)
            self._process = os.getpid()
        return self._pool


def _open(address: str) -> Engine:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        # The reason is not passed on: it may quote the URL, and with it the password.
        raise InvalidConfig(
            "The history's URL cannot be read. It looks like sqlite:///history.db or "
            "postgresql://user:password@host/database, with special characters percent-encoded."
        ) from None
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return create_engine(url, hide_parameters=True, pool_pre_ping=True)
