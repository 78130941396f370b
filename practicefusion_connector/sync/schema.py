"""The tables of the sync's state, and the engine that holds them: SQLite, or PostgreSQL.

Every row belongs to a sync (`syncs`): one source into one target.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError

from practicefusion_connector.errors import InvalidConfig

metadata = MetaData()


def _sync() -> Column[int]:
    return Column("sync", Integer, ForeignKey("practicefusion_syncs.id"), primary_key=True)


def _table(name: str, *columns: Any) -> Table:
    return Table(f"practicefusion_{name}", metadata, *columns)


syncs = _table(
    "syncs",
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(400), unique=True, nullable=False),
    Column("mark", String(64)),
)
records = _table(
    "sync_records",
    _sync(),
    Column("type", String(64), primary_key=True),
    Column("source_id", String(128), primary_key=True),
    Column("digest", LargeBinary(16)),
    Column("target_id", String(128)),
    Column("seen", Integer, nullable=False),
)
aliases = _table(
    "sync_aliases",
    _sync(),
    Column("type", String(64), primary_key=True),
    Column("alias", String(40), primary_key=True),
    Column("source_id", String(128), nullable=False),
)
waiting = _table(
    "sync_waiting",
    _sync(),
    Column("type", String(64), primary_key=True),
    Column("source_id", String(128), primary_key=True),
    Column("wanted_type", String(64), primary_key=True),
    Column("wanted_id", String(128), primary_key=True),
)
intents = _table(
    "sync_intents",
    _sync(),
    Column("type", String(64), primary_key=True),
    Column("source_id", String(128), primary_key=True),
)
members = _table(
    "sync_members",
    _sync(),
    Column("scope", String(160), primary_key=True),
    Column("patient", String(128), primary_key=True),
)
watermarks = _table(
    "sync_watermarks",
    _sync(),
    Column("scope", String(160), primary_key=True),
    Column("type", String(64), primary_key=True),
    Column("instant", String(40)),
    Column("held", String(40)),
    Column("version", Integer, nullable=False),
)
runs = _table(
    "sync_runs",
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("sync", Integer, ForeignKey("practicefusion_syncs.id"), nullable=False, index=True),
    Column("phase", String(16), nullable=False),
    Column("document", Text, nullable=False),
    Column("version", Integer, nullable=False),
)
checkpoints = _table(
    "sync_checkpoints",
    Column("run", Integer, ForeignKey("practicefusion_sync_runs.id"), primary_key=True),
    Column("file", Integer, primary_key=True),
    Column("line", Integer, nullable=False),
    Column("offset", Integer, nullable=False),
    Column("counts", Text, nullable=False),
)
quarantine = _table(
    "sync_quarantine",
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("sync", Integer, ForeignKey("practicefusion_syncs.id"), nullable=False),
    Column("run", Integer, nullable=False),
    Column("scope", String(160), nullable=False),
    Column("type", String(64), nullable=False),
    Column("source_id", String(128)),
    Column("file", String(400), nullable=False),
    Column("line", Integer, nullable=False),
    Column("code", String(64), nullable=False),
    Column("http_status", Integer),
    Column("body", LargeBinary),
    Index("practicefusion_sync_quarantine_of", "sync", "type"),
)

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert(engine: Engine, table: Table) -> Any:
    """Return the dialect's own INSERT, which has ON CONFLICT."""
    return _INSERTS[engine.dialect.name](table)


def open_engine(url: str) -> Engine:
    """Open the state's database and create the tables where they are missing.

    Raises:
        InvalidConfig: the URL cannot be read, or names another kind of database.
    """
    try:
        parsed = make_url(url)
        known = parsed.get_backend_name() in _INSERTS
    except ArgumentError:
        known = False
    if not known:
        # The URL may hold a password, so it is not repeated.
        raise InvalidConfig(
            "The sync's state has a URL that begins with sqlite:/// or postgresql://."
        ) from None
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    engine = create_engine(parsed, hide_parameters=True, pool_pre_ping=True)
    metadata.create_all(engine)
    return engine


def _sqlite(url: Any) -> Engine:
    if not url.database or url.database == ":memory:":
        raise InvalidConfig("The sync's state needs a SQLite file, as in sqlite:///sync.db.")
    path = Path(url.database)
    path.parent.mkdir(parents=True, exist_ok=True)
    # What was refused is kept in it, and is PHI: the owner's alone, as its -wal file will be.
    path.touch(mode=0o600, exist_ok=True)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": 60})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # A killed process loses nothing in WAL mode; a power cut may undo the last commits, which
        # are then done again.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    metadata.create_all(engine)
    return engine
