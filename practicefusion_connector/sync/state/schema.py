"""The tables of the sync's state, and the database that holds them: SQLite, or PostgreSQL.

Every row belongs to a sync (`syncs`): one source into one target.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from practicefusion_connector.database import Database, SqliteFile

metadata = MetaData()
# What was refused is kept in it, and is PHI: the owner's alone, as its -wal file will be. A killed
# process loses nothing in WAL mode; a power cut may undo the last commits, which are then done
# again.
_FILE = SqliteFile(timeout=60.0, mode=0o600, pragmas=("journal_mode=WAL", "synchronous=NORMAL"))


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
filters = _table(
    "sync_filters",
    _sync(),
    Column("type", String(64), primary_key=True),
    Column("filter", String(64), nullable=False),
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
    Column("line", BigInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
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
    Column("line", BigInteger, nullable=False),
    Column("code", String(64), nullable=False),
    Column("http_status", Integer),
    Column("body", LargeBinary),
    Index("practicefusion_sync_quarantine_of", "sync", "type"),
)


def open_database(url: str) -> Database:
    """Open the state's database and create the tables where they are missing.

    Raises:
        InvalidConfig: the URL cannot be read, or names another kind of database.
    """
    database = Database(url, name="The sync state", example="sqlite:///sync.db", sqlite=_FILE)
    database.create(metadata)
    return database
