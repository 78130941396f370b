"""The Celery nodes of `benchmarks.sync_workers`, who kills them, and the beat."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis

from benchmarks.sync_workers_app import Shared, processes
from practicefusion_connector.tasks import ACTIONS, SYNC

APPLICATION = "benchmarks.sync_workers_app"
LONGEST_PAUSE = 3.0
NODES_AMONG_KILLS = 0.25
# Seconds a node has to finish what it is at.
CLOSING = 30.0


class Node:
    """A host's Celery node, in a process group of its own; when it ends, it is started again.

    It ends where it is killed, and by itself where a process of it is killed as it starts.
    """

    def __init__(self, shared: Shared, name: str, workers: int) -> None:
        self._shared = shared
        self._name = name
        self._options = ["-n", name, "-c", str(workers), "-Q", f"{ACTIONS},{SYNC}"]
        self._closing = False
        self._process = self._started()
        self._supervisor = threading.Thread(target=self._supervise)
        self._supervisor.start()

    def kill(self) -> bool:
        """Kill it with all its processes; say whether it was there."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
            return True
        return False

    def kill_process(self, chance: random.Random) -> bool:
        """Kill one of its pool's processes; say whether there was one."""
        files = sorted(self._files())
        if files:
            file = chance.choice(files)
            file.unlink(missing_ok=True)
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(file.name.partition("@")[0]), signal.SIGKILL)
                return True
        return False

    def close(self) -> None:
        """Let it finish what it is at, and stop."""
        self._closing = True
        self._process.terminate()
        self._supervisor.join(CLOSING)
        if self._supervisor.is_alive():
            self.kill()
            self._supervisor.join()

    def _supervise(self) -> None:
        while True:
            self._process.wait()
            for file in self._files():
                file.unlink(missing_ok=True)
            if self._closing:
                return
            self._process = self._started()

    def _files(self) -> list[Path]:
        """Return the files of its pool's processes, named PROCESS@NODE."""
        return list(processes(self._shared.folder).glob(f"*@{self._name}"))

    def _started(self) -> subprocess.Popen[bytes]:
        return celery(self._shared, "worker", *self._options)


def kill_at_random(nodes: list[Node], kills: int, chance: random.Random, redis: Redis) -> int:
    """Kill so many nodes and processes of theirs, at random moments; return the tasks lost by it.

    A node that is killed loses the task it has just taken from Redis and not noted yet. That moment
    is too short to be met by chance, so it is helped: a task is taken out of the queue.
    """
    killed = lost = 0
    while killed < kills:
        time.sleep(chance.uniform(0.0, LONGEST_PAUSE))
        node = chance.choice(nodes)
        if chance.random() >= NODES_AMONG_KILLS:
            killed += node.kill_process(chance)
        elif node.kill():
            killed += 1
            lost += redis.rpop(SYNC) is not None
    return lost


def celery(shared: Shared, *command: str) -> subprocess.Popen[bytes]:
    """Start a process of Celery's; what it says goes into the folder."""
    with (Path(shared.folder) / f"{command[0]}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", APPLICATION, *command, "-l", "WARNING"],
            env=shared.environment(),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


@contextmanager
def beat(shared: Shared) -> Iterator[subprocess.Popen[bytes]]:
    """Run Celery's beat, which keeps the schedule."""
    process = celery(shared, "beat", "-s", f"{shared.folder}/beat", "--pidfile", "")
    try:
        yield process
    finally:
        process.kill()
        process.wait()
