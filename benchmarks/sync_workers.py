"""Many practices synced by Celery workers on several hosts that are killed again and again.

    python -m benchmarks.sync_workers [--practices 20] [--workers 8] [--hosts 2]
        [--kills K] [--seed S] [--json]

Each host is a Celery node of its own with its share of the worker processes. Celery's beat starts
the sync of every practice, each into tables of its own; at random moments while they run a worker's
process, or a whole node, is killed (SIGKILL). A killed node is started again, as a supervisor
would. Nothing else helps: lost work comes back by redelivery, and by the schedule.

    lost            tasks that killed nodes took along, so that only the schedule brings them back
    complete        practices whose tables hold what the practice holds, resource by resource
    duplicates      rows beyond one for each resource
    pace            requests a second a practice was asked at most over WINDOW seconds or more, the
                    burst left out, as the practices saw it
    runs            of all syncs; the schedule begins another where one is done early
    kickoffs        exports started; an answer that met a killed process is asked for again
    token_requests  access tokens asked for
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from redis import Redis

from benchmarks.sync_kill import in_tables
from benchmarks.sync_workers_app import BURST, RATE, Shared, processes
from benchmarks.sync_workers_nodes import Node, beat, kill_at_random
from benchmarks.sync_workers_practices import Practices, running
from practicefusion_connector import Connection
from practicefusion_connector.stores import ConnectionRecord
from practicefusion_connector.sync import State
from practicefusion_connector.sync.building import state_of
from practicefusion_connector.testing import services

# Shorter stretches tell of the machine's scheduling, not of the pace.
WINDOW = 2.0
PATIENCE = 600.0


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--practices", type=int, default=20)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--hosts", type=int, default=2)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    # Whoever ends it ends what it has started as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    found = measure(given)
    if given.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name:<16}{value}" for name, value in found.items()))
    sound = (
        found["complete"] == given.practices
        and not found["duplicates"]
        and found["pace"]["highest_per_second"] <= 1.1 * RATE
        and found["kickoffs"] <= found["runs"] + given.kills
        and found["token_requests"] <= given.practices + given.kills
    )
    return 0 if sound else 1


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Sync every practice while workers are killed, and compare."""
    chance = random.Random(given.seed)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pf-workers-"))
        processes(folder).mkdir()
        shared = Shared(
            redis=stack.enter_context(services.redis()),
            state=stack.enter_context(services.postgresql()),
            folder=folder,
            key=Fernet.generate_key().decode(),
        )
        practices = stack.enter_context(running(given.practices, given.seed))
        names = connect(practices, shared)
        states = [stack.enter_context(opened(shared, name)) for name in names]
        nodes = [
            stack.enter_context(closing(Node(shared, f"host{number}", share)))
            for number, share in enumerate(shares(given.workers, given.hosts), start=1)
        ]
        began = time.monotonic()
        clock = stack.enter_context(beat(shared))
        wait_for(lambda: any(state.ledger.current() for state in states), shared, clock)
        redis = stack.enter_context(closing(Redis.from_url(shared.redis)))
        lost = kill_at_random(nodes, given.kills, chance, redis)
        wait_for(lambda: all(map(done, states)), shared, clock)
        seconds = time.monotonic() - began
        for node in nodes:
            node.close()
        runs = sum(len(state.ledger.last(50)) + bool(state.ledger.current()) for state in states)
        told = [each for practice in practices for each in practice.told()]
        complete = duplicates = 0
        for name, practice in zip(names, told, strict=True):
            rows = in_tables(Path(folder) / f"{name}.duckdb")
            complete += dict(rows) == practice["held"]
            duplicates += len(rows) - len(dict(rows))
    return {
        "practices": given.practices,
        "workers": given.workers,
        "hosts": given.hosts,
        "kills": given.kills,
        "lost": lost,
        "complete": complete,
        "duplicates": duplicates,
        "pace": {
            "limit_per_second": RATE,
            "highest_per_second": round(max(fastest(each["arrivals"]) for each in told), 2),
        },
        "runs": runs,
        "kickoffs": sum(each["kickoffs"] for each in told),
        "token_requests": sum(each["token_requests"] for each in told),
        "seconds": round(seconds, 1),
    }


def fastest(arrivals: list[float]) -> float:
    """Return the requests a second, the burst left out, of the stretch in which most came."""
    return max(
        (count - BURST) / (last - first)
        for start, first in enumerate(arrivals)
        for count, last in enumerate(arrivals[start:], start=1)
        if last - first >= WINDOW
    )


def connect(practices: list[Practices], shared: Shared) -> list[str]:
    """Store a connection to each practice and return the names, in the order of the practices."""
    names = []
    with closing(shared.open_store()) as store:
        for each in practices:
            for how in each.connections():
                names.append(f"practice-{len(names) + 1:02}")
                made = Connection.of(id=names[-1], level="system", **how)
                store.save(ConnectionRecord(connection=made), expected=None)
    return names


def shares(workers: int, hosts: int) -> list[int]:
    """Return how many workers each host has."""
    return [workers // hosts + (number < workers % hosts) for number in range(hosts)]


@contextmanager
def opened(shared: Shared, name: str) -> Iterator[State]:
    """Give the state of a practice's sync."""
    settings = shared.settings_for(name)
    with state_of(settings, policy_for=shared.policy_for, open_store=shared.open_store) as state:
        yield state


def done(state: State) -> bool:
    """Say whether a practice was synced."""
    return any(run.phase == "done" for run in state.ledger.last())


def wait_for(reached: Callable[[], bool], shared: Shared, clock: subprocess.Popen[bytes]) -> None:
    """Wait until the workers have brought something about, or show what they and the beat say."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        if time.monotonic() > deadline or clock.poll() is not None:
            logs = sorted(Path(shared.folder).glob("*.log"))
            said = "\n".join(log.read_text("utf-8", "replace")[-5000:] for log in logs)
            raise RuntimeError(f"The workers did not come so far: {said}")
        time.sleep(0.25)


if __name__ == "__main__":
    sys.exit(main())
