"""Stores shared by processes: nothing is lost between them, and nothing with one that is killed."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from practicefusion_connector.errors import RefreshBusy
from practicefusion_connector.stores import ConnectionStore
from practicefusion_connector.testing.store_conformance import Canaries, count_of, make_record
from tests.stores.places import Place
from tests.stores.workers import (
    add,
    check_whole,
    create,
    fork_and_add,
    hold_lease,
    processes,
    save_for_ever,
    started,
    take_lease,
)


def test_four_processes_lose_no_write(place: Place, store: ConnectionStore) -> None:
    store.save(make_record(Canaries(), "shared", count=0), expected=None)
    with ExitStack() as stack:
        workers = [stack.enter_context(started(add, place, "shared", 50)) for _ in range(4)]
        for worker in workers:
            worker.finish()
    assert count_of(store, "shared") == 200


def test_a_killed_holder_frees_its_lease(place: Place, store: ConnectionStore) -> None:
    with started(hold_lease, place, "shared", 2.0) as holder:
        assert holder.hear() == "held"
        with pytest.raises(RefreshBusy), store.lease("shared", ttl=60, wait=0):
            pass
        holder.kill()
        with started(take_lease, place, "shared") as next_holder:
            assert next_holder.hear() == "taken"
            next_holder.finish()


def test_a_writer_killed_at_work_leaves_a_whole_record(
    place: Place, store: ConnectionStore
) -> None:
    with started(save_for_ever, place, "shared") as writer:
        for number in range(1, 6):
            assert writer.hear() == number
        writer.kill()
        said = 5
        while writer.pipe.poll():
            try:
                said = writer.pipe.recv()
            except EOFError:
                break
    # What was said to be saved is there; the one after it may be.
    assert check_whole(store.load("shared")) in (said, said + 1)


def test_a_forked_pool_shares_no_socket(place: Place, store: ConnectionStore) -> None:
    store.save(make_record(Canaries(), "shared", count=0), expected=None)
    with started(fork_and_add, place, "shared") as worker:
        worker.finish()
    assert count_of(store, "shared") == 40


def test_processes_that_start_together_agree_on_one_store(place: Place) -> None:
    barrier = processes.Barrier(4)
    ids = ["a", "b", "c", "d"]
    with ExitStack() as stack:
        workers = [stack.enter_context(started(create, place, id_, barrier)) for id_ in ids]
        for worker in workers:
            worker.finish()
    store = place.open()
    assert store.ids() == ids
    store.close()
