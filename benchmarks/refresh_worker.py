"""What each worker of `benchmarks.refresh` does: run actions from several threads, and tally them.

It imports no sandbox, so that a worker that replaces a killed one is at work quickly. Workers and
the benchmark speak through files in one folder, which no kill can leave locked.
"""

from __future__ import annotations

import fcntl
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from practicefusion_connector import ConnectorError, Policy, PracticeFusion
from practicefusion_connector.stores import ConnectionStore, Sealer, open_store

CONNECTION = "shared"


class Tally:
    """Actions done and failed by one worker, kept in a file that survives its death."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._done = 0
        self._failed: dict[str, int] = {}
        self._write()

    def add(self, error: str | None) -> None:
        """Count one action, and how it failed."""
        with self._lock:
            self._done += 1
            if error:
                self._failed[error] = self._failed.get(error, 0) + 1
            self._write()

    def _write(self) -> None:
        # A line is written at once and whole, so a killed worker leaves the last one readable.
        with self._path.open("a") as file:
            file.write(json.dumps([self._done, self._failed]) + "\n")

    @staticmethod
    def read(path: Path) -> tuple[int, dict[str, int]]:
        """Return what a worker had done when it last wrote."""
        lines = [line for line in path.read_text().splitlines() if line.endswith("]")]
        done, failed = json.loads(lines[-1]) if lines else (0, {})
        return done, failed


class Telling:
    """A store that holds a file's lock for as long as it gives its worker the right to refresh."""

    def __init__(self, store: ConnectionStore, path: Path) -> None:
        self._store = store
        self._path = path

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def lease(self, connection_id: str, *, ttl: float, wait: float) -> Iterator[None]:
        """See `ConnectionStore.lease`."""
        with self._store.lease(connection_id, ttl=ttl, wait=wait), locked(self._path):
            yield


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock, which ends with its holder's process."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def work(store: ConnectionStore, patient: str, threads: int, folder: Path, name: str) -> None:
    """Say that it is ready, wait for the start, and run actions until the end."""
    with PracticeFusion.from_store(
        store, CONNECTION, policy=Policy(requests_per_second=None)
    ) as pf:
        tally = Tally(folder / f"{name}.tally")
        ends_at = _end(folder / "ends-at")

        def loop() -> None:
            while time.time() < ends_at:
                try:
                    pf.run("get_patient", {"id": patient})
                except ConnectorError as error:
                    tally.add(error.code)
                else:
                    tally.add(None)

        running = [threading.Thread(target=loop) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()


def work_alone(url: str, key: str, patient: str, threads: int, folder: Path, name: str) -> None:
    """Work in a process of its own, with nothing shared but the store."""
    with closing(open_store(url, Sealer(key))) as store:
        telling: Any = Telling(store, folder / f"{name}.refreshing")
        work(telling, patient, threads, folder, name)


def _end(told: Path) -> float:
    while not told.exists():
        time.sleep(0.02)
    return float(told.read_text())
