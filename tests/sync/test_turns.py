"""A run done by turns: tasks that come twice, late, too early or not at all do each step once."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from practicefusion_connector import errors
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sync import (
    DuckDBTarget,
    FolderSource,
    State,
    Sync,
    SyncBusy,
    SyncPlan,
)
from practicefusion_connector.sync.runs import Run
from practicefusion_connector.sync.turns import (
    Asked,
    Pause,
    Step,
    Then,
    TooEarly,
    apply_next,
    fetch_next,
    start,
    take,
)
from tests.sync.conftest import Opened
from tests.sync.data import Resource, write
from tests.sync.practice import served, source_of
from tests.sync.tables import in_duckdb

PATIENCE = 60.0
Work = Callable[[Sync, Run], Then | None]
FEW = ("Condition", "Encounter", "Goal", "Patient")


class Turns:
    """One sync, its clock, and what its tasks do."""

    def __init__(self, sync: Sync) -> None:
        self.sync = sync
        self.now = 1_000_000.0
        self.worked: list[int] = []

    def start(self, *, again: bool = False) -> Then | None:
        run, due = start(self.sync, PATIENCE, again=again, clock=self.clock)
        return Then(run) if due else None

    def take(self, asked: Asked, work: Work | None = None, *, again: bool = False) -> Then | None:
        work = work or self.work
        with self.sync.state.lock(), self.sync.opened():
            return take(self.sync, asked, work, retry_after, again=again, clock=self.clock)

    def work(self, sync: Sync, run: Run) -> Then | None:
        step = Step.of(run)
        assert step is not None
        self.worked.append(step.number)
        if run.phase == "exporting":
            return fetch_next(sync, run, 5.0)
        then = apply_next(sync, run, 0, 60.0)
        if then.hints["place"] < len(sync.files(run)):
            return then
        sync.complete(run)
        return None

    def clock(self) -> float:
        return self.now


def retry_after(error: errors.ConnectorError) -> float | None:
    return error.retry_after if error.retryable else None


def asked_of(then: Then | None) -> Asked:
    """Return what the task is sent for that follows."""
    assert then is not None
    step = Step.of(then.run)
    assert step is not None
    return Asked(then.run.id, step.chain, step.number)


@pytest.fixture
def turns(people: list[Resource], state: State, tmp_path: Path) -> Turns:
    few = [each for each in people if each["resourceType"] in FEW]
    source = FolderSource(write(tmp_path / "export", few))
    return Turns(Sync(source, DuckDBTarget(tmp_path / "t.duckdb"), state))


def test_a_step_is_done_once_however_often_its_task_comes(turns: Turns) -> None:
    first = asked_of(turns.start())
    second = asked_of(turns.take(first))
    assert (first.chain, first.number) == (second.chain, second.number - 1)
    assert turns.take(first) is None
    third = asked_of(turns.take(second))
    assert turns.take(first, again=True) is None
    assert turns.take(Asked(third.run, "another", third.number)) is None
    assert turns.worked == [1, 2]


def test_a_task_whose_worker_died_before_it_sent_the_next_sends_it(turns: Turns) -> None:
    first = asked_of(turns.start())
    second = asked_of(turns.take(first))
    assert asked_of(turns.take(first, again=True)) == second
    assert turns.worked == [1]


def test_a_start_leaves_a_run_alone_that_is_well_under_way(turns: Turns, states: Opened) -> None:
    first = turns.start()
    turns.now += PATIENCE
    with states("test").lock():
        assert turns.start() is None, "it was not even locked"
    turns.now += 1
    with states("test").lock(), pytest.raises(SyncBusy):
        turns.start()
    assert asked_of(turns.start()) == asked_of(first), "the overdue step is sent again"


def test_a_start_that_was_delivered_before_sends_what_may_not_have_been_sent(turns: Turns) -> None:
    first = asked_of(turns.start())
    assert asked_of(turns.start(again=True)) == first


def test_a_run_of_a_process_that_was_cut_off_is_taken_over(turns: Turns) -> None:
    with turns.sync.opened():
        begun, _ = turns.sync.begin()
    assert asked_of(turns.start()).run == begun.id


def test_a_step_is_not_done_before_it_is_due(turns: Turns) -> None:
    first = asked_of(turns.start())
    second = asked_of(turns.take(first, lambda _, run: Then(run, wait=40.0)))
    turns.now += 30
    with pytest.raises(TooEarly) as caught:
        turns.take(second)
    assert caught.value.seconds == pytest.approx(10)
    turns.now += PATIENCE
    assert turns.start() is None, "its patience begins when it is due"
    assert turns.take(second) is not None


def test_a_step_that_fails_says_why_and_is_waited_for(turns: Turns) -> None:
    def refused(_: Sync, run: Run) -> Then:
        raise errors.RateLimited("Too many requests.", retry_after=500.0)

    first = asked_of(turns.start())
    with pytest.raises(errors.RateLimited):
        turns.take(first, refused)
    run = turns.sync.state.ledger.current()
    assert run is not None
    assert run.document.reason == "Too many requests."
    turns.now += 400
    assert turns.start() is None, "the server said when to come back"
    turns.now += 100
    assert turns.take(first) is not None


def test_an_export_is_looked_at_once_a_turn_and_less_often(state: State, tmp_path: Path) -> None:
    with Sandbox(patients=2) as sandbox, source_of(sandbox, tmp_path) as source:
        sandbox.behaviour.export.polls = 3
        target = DuckDBTarget(tmp_path / "t.duckdb")
        turns = Turns(Sync(source, target, state, progress=Pause(60.0)))
        then, waits, looks = turns.start(), [2.0], 0
        while True:
            asked = asked_of(then)
            then = turns.take(asked, lambda sync, run: fetch_next(sync, run, waits[-1]))
            assert then is not None
            if then.run.phase != "exporting":
                break
            looks += 1
            waits.append(then.hints["wait"])
            turns.now += then.wait
        assert (looks, sandbox.bulk.kickoffs) == (3, 1)
        assert waits == [2.0, 3.0, 4.5, 6.75]
        while then is not None:
            then = turns.take(asked_of(then))
        assert dict(in_duckdb(tmp_path / "t.duckdb")) == served(sandbox, source.types())


def test_the_server_s_own_wait_is_kept_between_turns(state: State, tmp_path: Path) -> None:
    with Sandbox(patients=2) as sandbox, source_of(sandbox, tmp_path) as source:
        sandbox.behaviour.export.retry_after = "120"
        target = DuckDBTarget(tmp_path / "t.duckdb")
        turns = Turns(Sync(source, target, state, progress=Pause(60.0)))
        then = turns.take(asked_of(turns.start()))
        assert then is not None
        assert then.wait == 120.0


class Message(NamedTuple):
    """A task in the queue, and whether it was delivered before."""

    asked: Asked
    again: bool = False


class Queue:
    """A queue that delivers some tasks twice and loses others, with workers that die."""

    def __init__(self, turns: Turns, chance: random.Random) -> None:
        self.turns = turns
        self.chance = chance
        self.held: list[Message] = []

    def send(self, then: Then | None) -> None:
        if then is not None:
            self.held.append(Message(asked_of(then)))

    def deliver(self) -> None:
        message = self.held.pop(self.chance.randrange(len(self.held)))
        fate = self.chance.choice(("done", "done", "twice", "lost", "cut off"))
        if fate == "lost":
            return
        then = self.turns.take(message.asked, again=message.again)
        if fate != "cut off":
            self.send(then)
        if fate != "done":
            self.held.append(Message(message.asked, again=True))

    def round(self) -> None:
        """Deliver everything once, and nothing goes wrong."""
        messages, self.held = self.held, []
        for message in messages:
            self.send(self.turns.take(message.asked, again=message.again))


@pytest.mark.parametrize("seed", range(6))
def test_whatever_a_queue_does_there_is_one_chain_and_it_comes_to_its_end(
    seed: int, turns: Turns, people: list[Resource], tmp_path: Path
) -> None:
    chance = random.Random(seed)
    queue = Queue(turns, chance)
    for _ in range(300):
        turns.now += 20
        if chance.random() < 0.3:
            queue.send(turns.start())
        if queue.held:
            queue.deliver()
        if turns.sync.state.ledger.last():
            break
    else:
        pytest.fail("the run did not come to its end")
    assert turns.worked == list(range(1, len(turns.worked) + 1)), "each step once, in order"
    rows = in_duckdb(tmp_path / "t.duckdb")
    few = [each for each in people if each["resourceType"] in FEW]
    assert dict(rows) == {(each["resourceType"], each["id"]): each for each in few}
    assert len(rows) == len(few)
    queue.round()
    assert queue.held == [], "a run that is over leaves no task behind"


def test_tasks_that_came_twice_do_not_go_on_beside_each_other(turns: Turns) -> None:
    queue = Queue(turns, random.Random(1))
    first = asked_of(turns.start())
    queue.held = [Message(first)] * 3 + [Message(first, again=True)] * 3
    for _ in range(2):
        queue.round()
    assert len(queue.held) == 1
    assert turns.worked == [1, 2]


def test_a_group_whose_members_take_an_export_to_see_is_waited_for(
    states: Opened, tmp_path: Path
) -> None:
    with Sandbox(patients=3) as sandbox:
        sandbox.behaviour.export.polls = 2
        patients = list(sandbox.resources["Patient"])
        groups = [sandbox.bulk.add_group(some) for some in (patients[:2], patients[1:])]
        plan = SyncPlan(scopes=tuple(f"group:{group}" for group in groups), types=("Patient",))
        target = DuckDBTarget(tmp_path / "t.duckdb")
        with source_of(sandbox, tmp_path) as source:
            for early in (True, True, True, True, False):
                sync = Sync(source, target, states("one"), plan, progress=Pause(60.0))
                if early:
                    with pytest.raises(TooEarly):
                        start(sync, PATIENCE, again=False)
                else:
                    run, due = start(sync, PATIENCE, again=False)
        assert due
        assert [run.document.members[scope] for scope in plan.scopes] == [
            sorted(patients[:2]),
            sorted(patients[1:]),
        ]
        assert sandbox.bulk.kickoffs == 2
