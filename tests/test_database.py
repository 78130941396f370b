"""Databases as everything that keeps rows opens them: URLs, files, forks, tables."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError

from practicefusion_connector.database import Database, SqliteFile
from practicefusion_connector.errors import InvalidConfig


def tables() -> tuple[MetaData, Table]:
    """Return tables with a name of their own, and the one that has columns of use here."""
    metadata, prefix = MetaData(), f"t{uuid.uuid4().hex[:12]}"
    table = Table(
        f"{prefix}_notes",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("said", String(40), nullable=False, index=True),
    )
    Index(f"{prefix}_both", table.c.said, table.c.id)
    Table(f"{prefix}_others", metadata, Column("id", Integer, primary_key=True))
    return metadata, table


def opened(engine: Any, **options: Any) -> Database:
    return Database(engine, name="The note store", example="sqlite:///notes.db", **options)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/notes.db"
    found: str = request.getfixturevalue("postgresql_url")
    return found


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with closing(opened(url)) as database:
        yield database


@pytest.fixture
def notes(database: Database) -> Iterator[Table]:
    metadata, table = tables()
    database.create(metadata)
    yield table
    with database.begin() as connection:
        metadata.drop_all(connection)


@pytest.mark.parametrize(
    "wrong",
    [
        *("{0}", "notes.db", "postgresql://u:p@{0}@host/db", "postgresql://u:p@@{0}/db"),
        "postgresql://u:p@host:{0}/db",
    ],
)
def test_a_url_that_cannot_be_read_is_said_so_without_it(wrong: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        opened(wrong.format("canary"))
    assert str(caught.value) == (
        "The note store's URL cannot be read. It looks like sqlite:///notes.db or "
        "postgresql://user:password@host/database, with special characters percent-encoded."
    )
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "nothing",
    [
        *("sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///:memory:?cache=shared"),
        *("sqlite:///file::memory:?uri=true", "sqlite:///file::memory:?cache=shared&uri=true"),
        *("sqlite:///file:%253Amemory%253A?uri=true", "sqlite:///file:?uri=true"),
        *("sqlite:///file://[?uri=true", "sqlite:///file:%23x?uri=true"),
        *("sqlite:///file:x?mode=memory&uri=true", "sqlite:///file:x?uri=1&mode=memory&mode=rw"),
        *("sqlite:///file:x%3Fmode=memory?uri=true", "sqlite:///file:/x?vfs=memdb&uri=true"),
        *("sqlite+pysqlite:///file:x?mode=memory&uri=true", "sqlite:///x?mode=memory"),
    ],
)
def test_a_sqlite_database_is_a_file(nothing: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        opened(nothing)
    assert str(caught.value) == "The note store needs a SQLite file, as in sqlite:///notes.db."
    with pytest.raises(InvalidConfig, match=r"as in sqlite:///notes\.db; use paper\.$"):
        opened(nothing, instead="; use paper")


def test_other_databases_are_refused_before_their_library_is_looked_for() -> None:
    class Oracle:
        class dialect:  # noqa: N801
            name = "oracle"

    for other, name in (("mysql://u:canary@host/db", "mysql"), (Oracle(), "oracle")):
        with pytest.raises(InvalidConfig) as caught:
            opened(other)
        assert str(caught.value) == (
            f"The note store works with sqlite and postgresql, not {name}."
        )


@pytest.mark.parametrize(
    ("given", "driver"),
    [("postgresql", "postgresql+psycopg"), ("postgresql+psycopg", "postgresql+psycopg")],
)
def test_postgresql_is_spoken_by_psycopg(given: str, driver: str) -> None:
    with closing(opened(f"{given}://u:canary@host/db")) as database:
        assert database.url.drivername == driver
        assert database.dialect == "postgresql"
        assert "canary" not in str(database.url)


def test_a_file_is_made_as_asked_for_and_not_changed_later(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "notes.db"
    pragmas = ("journal_mode=WAL", "synchronous=NORMAL")
    private = SqliteFile(timeout=7.0, mode=0o600, pragmas=pragmas)
    metadata, _ = tables()
    with closing(opened(f"sqlite:///{path}", sqlite=private)) as database:
        database.create(metadata)
        # Each connection has the settings, not only the first.
        with database.connect() as one, database.connect() as other:
            for connection in (one, other):
                settings = [
                    connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                    for name in ("journal_mode", "synchronous", "busy_timeout")
                ]
                assert settings == ["wal", 1, 7000]
        files = list(path.parent.iterdir())
        assert {file.name for file in files} >= {"notes.db", "notes.db-wal"}
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    path.chmod(0o640)
    opened(f"sqlite:///{path}", sqlite=private).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_may_be_named_by_a_uri(tmp_path: Path) -> None:
    path = tmp_path / "new" / "my notes.db"
    metadata, table = tables()
    spelt = str(path).replace(" ", "%2520")
    for name in (f"{spelt}?uri=true", f"//localhost{spelt}?mode=rw&cache=private&uri=true"):
        url = f"sqlite:///file:{name}"
        with closing(opened(url, sqlite=SqliteFile(mode=0o600))) as database:
            database.create(metadata)
    assert [file.name for file in path.parent.iterdir()] == ["my notes.db"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with closing(opened(f"sqlite:///{path}")) as database, database.connect() as connection:
        assert inspect(connection).has_table(table.name)


def test_a_file_is_sqlite_s_own_to_make_where_nothing_is_asked_for(tmp_path: Path) -> None:
    with closing(opened(f"sqlite:///{tmp_path}/notes.db")) as database:
        assert not (tmp_path / "notes.db").exists()
        with database.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000


def test_an_error_shows_no_parameter(database: Database, notes: Table) -> None:
    with database.begin() as connection:
        connection.execute(notes.insert().values(id=1, said="x"))
    with pytest.raises(IntegrityError) as caught, database.begin() as connection:
        connection.execute(notes.insert().values(id=1, said="canary"))
    assert "canary" not in f"{caught.value} {caught.value!r}"


def test_a_restarted_server_costs_nothing(postgresql_url: str) -> None:
    with closing(opened(postgresql_url)) as database, closing(opened(postgresql_url)) as other:
        with database.connect() as connection:
            backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        with other.begin() as connection:
            connection.execute(text(f"SELECT pg_terminate_backend({backend})"))
        with database.connect() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1


def test_the_insert_is_the_dialect_s_own(database: Database, notes: Table) -> None:
    insert = database.insert(notes)
    upsert = insert.on_conflict_do_update(
        index_elements=["id"], set_={"said": insert.excluded.said}
    )
    for said in ("first", "second"):
        with database.begin() as connection:
            connection.execute(upsert, [{"id": 1, "said": said}])
    with database.connect() as connection:
        assert connection.scalars(select(notes.c.said)).all() == ["second"]


def test_a_statement_says_whether_it_met_a_row(database: Database, notes: Table) -> None:
    insert = database.insert(notes).values(id=1, said="x").on_conflict_do_nothing()
    assert database.touches(insert, notes.c.id)
    assert not database.touches(insert, notes.c.id)
    update = notes.update().where(notes.c.said == "x").values(said="y")
    assert database.touches(update, notes.c.id)
    assert not database.touches(update, notes.c.id)
    assert database.touches(notes.delete(), notes.c.id)
    assert not database.touches(notes.delete(), notes.c.id)


def test_a_row_is_written_only_over_the_version_that_is_known(database: Database) -> None:
    metadata = MetaData()
    table = Table(
        f"t{uuid.uuid4().hex[:12]}",
        metadata,
        Column("name", String(20), primary_key=True),
        Column("version", Integer, nullable=False),
    )
    database.create(metadata)
    try:
        assert not database.put(table, "a", {"version": 2}, expected=1)
        assert database.put(table, "a", {"version": 1}, expected=None)
        assert database.put(table, "b", {"version": 1}, expected=None)
        assert not database.put(table, "a", {"version": 9}, expected=None)
        assert database.put(table, "a", {"version": 2}, expected=1)
        assert not database.put(table, "a", {"version": 9}, expected=1)
        with database.connect() as connection:
            rows = connection.execute(select(table).order_by(table.c.name)).all()
        assert [tuple(row) for row in rows] == [("a", 2), ("b", 1)]
    finally:
        with database.begin() as connection:
            metadata.drop_all(connection)


def test_an_error_undoes_a_transaction(database: Database, notes: Table) -> None:
    twice = [{"id": 1, "said": "x"}, {"id": 1, "said": "y"}]
    with pytest.raises(IntegrityError), database.begin() as connection:
        connection.execute(notes.insert(), twice)
    with database.connect() as connection:
        assert connection.scalars(select(notes.c.id)).all() == []


def test_those_who_start_together_create_the_tables_once(url: str) -> None:
    metadata, table = tables()
    barrier = Barrier(6)
    with ExitStack() as stack:
        several = [stack.enter_context(closing(opened(url))) for _ in range(6)]

        def create(database: Database) -> None:
            barrier.wait()
            database.create(metadata)

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(create, several))
        with several[0].begin() as connection:
            found = inspect(connection)
            assert set(metadata.tables) <= set(found.get_table_names())
            indexes = {index["name"] for index in found.get_indexes(table.name)}
            assert indexes == {index.name for index in table.indexes}
            metadata.drop_all(connection)


def test_a_new_file_is_opened_by_several_at_once(tmp_path: Path) -> None:
    # SQLite gives up at once where two of them change the journal's mode: not each time, so often.
    kept = SqliteFile(pragmas=("journal_mode=WAL",))
    for number in range(40):
        metadata, _ = tables()
        barrier = Barrier(6)
        with ExitStack() as stack:
            several = [
                stack.enter_context(
                    closing(opened(f"sqlite:///{tmp_path}/{number}.db", sqlite=kept))
                )
                for _ in range(6)
            ]

            def create(database: Database, at: Barrier, wanted: MetaData) -> None:
                at.wait()
                database.create(wanted)

            with ThreadPoolExecutor(6) as pool:
                list(pool.map(create, several, [barrier] * 6, [metadata] * 6))
            with several[0].connect() as connection:
                assert set(metadata.tables) <= set(inspect(connection).get_table_names())
                assert connection.scalar(text("PRAGMA journal_mode")) == "wal"


def test_only_what_is_missing_is_created(database: Database, notes: Table) -> None:
    metadata = notes.metadata
    with database.begin() as connection:
        connection.execute(notes.insert().values(id=1, said="kept"))
        metadata.tables[notes.name.replace("notes", "others")].drop(connection)
    database.create(metadata)
    with database.connect() as connection:
        assert connection.scalars(select(notes.c.said)).all() == ["kept"]
        assert set(metadata.tables) <= set(inspect(connection).get_table_names())


def test_a_fork_shares_no_connection(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = opened(url)
    with database.connect() as connection:
        parents = connection.connection.dbapi_connection
    with database.connect() as connection:
        assert connection.connection.dbapi_connection is parents
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with database.connect() as connection:
        own = connection.connection.dbapi_connection
    with database.begin() as connection:
        assert connection.connection.dbapi_connection is own is not parents
    database.close()
    # It is the parent's to close, and to use on.
    assert parents is not None
    parents.cursor().execute("SELECT 1")
    parents.close()


def test_an_engine_handed_in_stays_its_owner_s(url: str) -> None:
    engine = create_engine(url)
    pool = engine.pool
    opened(engine).close()
    assert engine.pool is pool
    engine.dispose()
    database = opened(url)
    with database.connect() as connection:
        kept = connection.connection.dbapi_connection
    database.close()
    with database.connect() as connection:
        assert connection.connection.dbapi_connection is not kept
    database.close()


def test_what_it_imports_is_small() -> None:
    code = (
        "import sys\n"
        "from practicefusion_connector.database import Database\n"
        "Database('sqlite:///unused.db', name='x', example='y').close()\n"
        "large = {'cryptography', 'psycopg', 'sqlalchemy.dialects.postgresql'}\n"
        "assert not large & set(sys.modules), large & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
