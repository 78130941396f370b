"""A run: its deadline, its cancel token, what it remembers."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from practicefusion_connector.errors import Cancelled, DeadlineExceeded
from practicefusion_connector.transport import Run


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_deadline_counts_from_the_start() -> None:
    clock = Clock()
    run = Run(10, clock=clock)
    assert run.remaining() == 10
    clock.now += 9.5
    run.check()
    assert run.remaining() == 0.5
    clock.now += 0.5
    with pytest.raises(DeadlineExceeded):
        run.check()


def test_a_cancel_outranks_a_deadline() -> None:
    cancel = Event()
    run = Run(0, cancel=cancel)
    cancel.set()
    with pytest.raises(Cancelled):
        run.check()


def test_a_sleep_ends_at_the_deadline() -> None:
    run = Run(0.05)
    with pytest.raises(DeadlineExceeded):
        run.sleep(3600, "rate_limited")
    assert run.trace.waits == [(3600, "rate_limited")]


def test_a_sleep_ends_when_another_thread_cancels() -> None:
    cancel, outcome = Event(), list[BaseException]()

    def sleeper() -> None:
        try:
            Run(3600, cancel=cancel).sleep(3600, "rate_limited")
        except Cancelled as error:
            outcome.append(error)

    thread = Thread(target=sleeper)
    thread.start()
    cancel.set()
    thread.join(10)
    assert not thread.is_alive()
    assert len(outcome) == 1


def test_a_finished_trace_has_its_duration() -> None:
    clock = Clock()
    run = Run(10, clock=clock)
    clock.now += 1.25
    assert run.finish().duration_ms == 1250
    assert run.finish() is run.trace
