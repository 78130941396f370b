"""Where a sync's state is kept: a private SQLite file, or a real PostgreSQL that several share."""

from __future__ import annotations

import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.sync import State, SyncBusy
from practicefusion_connector.sync.items import Position, Refusal
from practicefusion_connector.sync.runs import RunDocument
from practicefusion_connector.sync.state import schema

Opened = Callable[..., State]


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """Open the state of a sync, the same one each time."""
    url, name = f"sqlite:///{tmp_path}/deep/state.db", uuid.uuid4().hex
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    with ExitStack() as stack:

        def opened(name: str = name) -> State:
            state = State(url, name)
            stack.callback(state.close)
            return state

        yield opened
    if request.param == "postgresql":
        engine = create_engine(url)
        schema.metadata.drop_all(engine)
        engine.dispose()


def test_what_is_written_is_there_for_the_next_process(opened: Opened) -> None:
    state = opened()
    with state._database.begin() as connection:
        state.ledger.set_members(connection, "group", ["p1", "p2"])
        for instant in ("2026-01-01", "2026-02-01"):
            state.ledger.mark(connection, "system", "Patient", instant, held=False)
    again = opened()
    assert again.ledger.members("group") == {"p1", "p2"}
    assert [(mark.type, mark.instant) for mark in again.ledger.watermarks()] == [
        ("Patient", "2026-02-01")
    ]
    assert opened("another").ledger.watermarks() == []
    assert again.ledger.position(1, 0) == (Position(), {})


def test_a_resource_refused_twice_waits_once_with_its_later_line(opened: Opened) -> None:
    state = opened()
    lines = [Refusal("Goal", "g", "Goal.ndjson", n, "invalid", body=b"%d" % n) for n in (1, 2)]
    nameless = [Refusal("Goal", None, "Goal.ndjson", n, "unparsable", body=b"{") for n in (3, 4)]
    state.put_aside(1, "patient", [*lines, *nameless])
    assert [row.line for row in state.quarantine.rows()] == [2, 3, 4]


def test_of_runs_that_ended_the_last_ones_are_kept(opened: Opened) -> None:
    state, other = opened(), opened("another")
    theirs = other.ledger.write(other.ledger.begin(RunDocument(started="")), "done")
    for _ in range(55):
        run = state.ledger.begin(RunDocument(started=""))
        with state._database.begin() as connection:
            state.ledger.checkpoint(connection, run.id, 1, Position(1, 1), {"read": 1})
        state.ledger.write(run, "done")
    current = state.ledger.begin(RunDocument(started=""))
    kept = [run.id for run in state.ledger.last(100)]
    assert (len(kept), kept[0]) == (50, current.id - 1)
    assert state.ledger.current() == current
    assert state.ledger.position(kept[-1], 1)[0] == Position(1, 1)
    assert state.ledger.position(kept[-1] - 1, 1)[0] == Position()
    assert other.ledger.last() == [theirs]


def test_one_process_at_a_time_runs_a_sync(opened: Opened) -> None:
    state, other = opened(), opened()
    with state.lock():
        with pytest.raises(SyncBusy), other.lock():
            pass
        with opened("another").lock():
            pass
    with other.lock():
        pass


def test_a_file_is_the_owner_s_alone(tmp_path: Path) -> None:
    state = State(f"sqlite:///{tmp_path}/deep/state.db", "test")
    files = list((tmp_path / "deep").iterdir())
    assert {file.name for file in files} >= {"state.db", "state.db-wal"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    state.close()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("canary", "The sync state's URL cannot be read"),
        ("postgresql://u:p@canary@host/db", "The sync state's URL cannot be read"),
        ("sqlite://", r"The sync state needs a SQLite file, as in sqlite:///sync\.db\."),
        ("mysql://u:canary@host/db", "The sync state works with sqlite and postgresql, not mysql"),
    ],
)
def test_what_it_takes_for_a_place_is_checked(wrong: str, said: str) -> None:
    with pytest.raises(InvalidConfig, match=said) as caught:
        State(wrong, "test")
    assert "canary" not in str(caught.value)
