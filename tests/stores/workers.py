"""What the other processes of a test do, and how a test talks with them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Barrier
from typing import Any, NamedTuple

from practicefusion_connector.stores import ConnectionStore, Stored
from practicefusion_connector.testing.store_conformance import (
    PATIENCE,
    Canaries,
    counter,
    make_record,
)
from tests.stores.places import Place

# Each is forked from a server that has only imported this: with no thread, socket or store.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.stores.workers"])


class Worker(NamedTuple):
    process: ForkServerProcess
    pipe: Pipe

    def hear(self) -> Any:
        """Return what the worker says next."""
        assert self.pipe.poll(PATIENCE), "the worker said nothing"
        return self.pipe.recv()

    def kill(self) -> None:
        self.process.kill()
        self.process.join(PATIENCE)

    def finish(self) -> None:
        """Wait for the worker, which must have succeeded."""
        self.process.join(2 * PATIENCE)
        assert self.process.exitcode == 0


@contextmanager
def started(target: Callable[..., None], *arguments: Any) -> Iterator[Worker]:
    """Run `target(*arguments, pipe)` in another process, which ends with the context at last."""
    ours, theirs = processes.Pipe()
    process = processes.Process(target=target, args=(*arguments, theirs))
    process.start()
    theirs.close()
    try:
        yield Worker(process, ours)
    finally:
        process.kill()
        process.join(PATIENCE)
        process.close()
        ours.close()


def add(place: Place, connection_id: str, times: int, pipe: Pipe) -> None:
    with closing(place.open()) as store:
        add_one = counter(store, connection_id)
        for _ in range(times):
            add_one()


def hold_lease(place: Place, connection_id: str, ttl: float, pipe: Pipe) -> None:
    with closing(place.open()) as store, store.lease(connection_id, ttl=ttl, wait=PATIENCE):
        pipe.send("held")
        pipe.recv()


def take_lease(place: Place, connection_id: str, pipe: Pipe) -> None:
    with closing(place.open()) as store, store.lease(connection_id, ttl=60, wait=PATIENCE):
        pipe.send("taken")


def create(place: Place, connection_id: str, barrier: Barrier, pipe: Pipe) -> None:
    """Open the store at the same moment as others do, and keep a connection in it."""
    barrier.wait(PATIENCE)
    with closing(place.open()) as store:
        store.save(make_record(Canaries(), connection_id), expected=None)


def save_for_ever(place: Place, connection_id: str, pipe: Pipe) -> None:
    """Save one version after the other, each as a whole of its number, and say which is saved."""
    store, number, version = place.open(), 0, None
    while True:
        number += 1
        record = make_record(Canaries(), connection_id, number=number, filling=filling(number))
        version = store.save(record, expected=version)
        pipe.send(number)


def filling(number: int) -> str:
    """Return so much text that a write of it takes a while."""
    return f"{number % 10}" * 100_000


def fork_and_add(place: Place, connection_id: str, pipe: Pipe) -> None:
    """Use the store, fork three times, and go on using it in all four processes at once."""
    with closing(place.open()) as store:
        store.load(connection_id)
        children = [_fork(store, connection_id) for _ in range(3)]
        add_ten(store, connection_id)
        for child in children:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _fork(store: ConnectionStore, connection_id: str) -> int:
    child = os.fork()
    if child:
        return child
    try:
        add_ten(store, connection_id)
    except BaseException:
        os._exit(1)
    os._exit(0)


def add_ten(store: ConnectionStore, connection_id: str) -> None:
    add_one = counter(store, connection_id)
    for _ in range(10):
        add_one()


def check_whole(stored: Stored | None) -> int:
    """Assert that the record is one `save_for_ever` wrote, and return its number."""
    assert stored is not None
    assert stored.record.tokens is not None
    number: int = stored.record.tokens.context["number"]
    assert stored.record.tokens.context["filling"] == filling(number)
    return number


def die_while_saving(place: Place, connection_id: str, call: str, nth: int, pipe: Pipe) -> None:
    """Save over the stored record, and be killed in the nth use of an operating system call."""
    store, uses = place.open(), 0
    stored = store.load(connection_id)
    assert stored is not None
    real = getattr(os, call)

    def deadly(*arguments: Any) -> Any:
        nonlocal uses
        uses += 1
        if uses == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)

    setattr(os, call, deadly)
    store.save(make_record(Canaries(), connection_id, age="new"), expected=stored.version)
