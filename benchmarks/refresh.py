"""Many workers, one connection, a token that dies with each refresh: does any action fail?

The sandbox issues access tokens of two seconds, and every refresh kills the one before, as Practice
Fusion does. Workers run actions through one store for a while; with `--kill-every` one of them is
killed (SIGKILL) again and again and replaced. Good: nothing failed, and hardly more refreshes than
token lifetimes.

    python -m benchmarks.refresh --store memory|file|sqlite|postgresql|redis
        [--processes P] [--threads T] [--seconds S] [--kill-every S] [--url URL] [--json]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from cryptography.fernet import Fernet

from practicefusion_connector import Connection, ConnectorError, Policy, PracticeFusion
from practicefusion_connector.registry import shipped
from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.smart import discovery, launch, scopes
from practicefusion_connector.stores import ConnectionRecord, ConnectionStore, Sealer, open_store
from practicefusion_connector.testing import services
from practicefusion_connector.testing.person import approve
from practicefusion_connector.transport import Run, Transport

LIFETIME = 2
CONNECTION = "shared"
spawn = multiprocessing.get_context("spawn")


class Tally:
    """Actions done and failed by one worker, kept in a file that survives its death."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._done = 0
        self._failed: dict[str, int] = {}

    def add(self, error: str | None) -> None:
        """Count one action, and how it failed."""
        with self._lock:
            self._done += 1
            if error:
                self._failed[error] = self._failed.get(error, 0) + 1
            # A line is written at once and whole, so a killed worker leaves the last one readable.
            with self._path.open("a") as file:
                file.write(json.dumps([self._done, self._failed]) + "\n")

    @staticmethod
    def read(path: Path) -> tuple[int, dict[str, int]]:
        """Return what a worker had done when it last wrote."""
        lines = [line for line in path.read_text().splitlines() if line.endswith("]")]
        if not lines:
            return 0, {}
        done, failed = json.loads(lines[-1])
        return done, failed


def work(store: ConnectionStore, patient: str, threads: int, ends_at: float, tally: Tally) -> None:
    """Run actions from several threads until `ends_at` (POSIX seconds)."""
    policy = Policy(requests_per_second=None)
    with PracticeFusion.from_store(store, CONNECTION, policy=policy) as pf:

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


def process(url: str, key: str, patient: str, threads: int, ends_at: float, tally: Path) -> None:
    """Work in a process of its own, with nothing shared but the store."""
    with closing(open_store(url, Sealer(key))) as store:
        work(store, patient, threads, ends_at, Tally(tally))


def authorize(sandbox: Sandbox, store: ConnectionStore) -> None:
    """Connect once, as a provider would, and keep the tokens in the store."""
    connection = Connection.of(
        id=CONNECTION,
        fhir_base_url=sandbox.fhir_base_url,
        client_id=sandbox.client_id,
        client_secret=sandbox.client_secret,
        redirect_uri="http://127.0.0.1:1/callback",
    )
    provider = next(user for user in sandbox.users if user["role"] == "provider")
    with closing(Transport()) as transport:
        run = Run(60)
        endpoints = discovery.discover(transport, connection, run)
        pending = launch.begin(connection, endpoints, scopes.scopes_for(shipped().core(), "user"))
        url = pending.url.get_secret_value()
        callback = approve(url, str(provider["username"]), str(provider["password"]))
        tokens = launch.complete(transport, connection, endpoints, pending, callback, run)
    store.save(ConnectionRecord(connection=connection, tokens=tokens), expected=None)


@contextmanager
def store_url(kind: str, given: str | None) -> Iterator[str]:
    """Give the URL of a store of this kind, starting its service where none was given."""
    if given or kind == "memory":
        yield given or "memory:"
    elif kind == "postgresql":
        with services.postgresql() as url:
            yield url
    elif kind == "redis":
        with services.redis() as url:
            yield url
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield f"file://{folder}/store" if kind == "file" else f"sqlite:///{folder}/store.db"


def run_processes(
    url: str, key: str, patient: str, given: argparse.Namespace, ends_at: float, folder: Path
) -> None:
    """Keep `processes` workers at work, killing one now and then where asked to."""
    started = 0

    def start() -> multiprocessing.process.BaseProcess:
        nonlocal started
        started += 1
        worker = spawn.Process(
            target=process,
            args=(url, key, patient, given.threads, ends_at, folder / f"{started}.tally"),
        )
        worker.start()
        return worker

    workers = [start() for _ in range(given.processes)]
    while given.kill_every and time.time() + given.kill_every < ends_at:
        time.sleep(given.kill_every)
        victim = random.randrange(len(workers))
        workers[victim].kill()
        workers[victim].join()
        workers[victim] = start()
    for worker in workers:
        worker.join()


def measure(given: argparse.Namespace) -> dict[str, object]:
    """Run the workers and return what was done, what failed, and how often tokens were renewed."""
    key = Fernet.generate_key().decode()
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(behaviour=Behaviour(access_token_seconds=LIFETIME)))
        url = stack.enter_context(store_url(given.store, given.url))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = stack.enter_context(closing(open_store(url, Sealer(key))))
        store.delete(CONNECTION)
        authorize(sandbox, store)
        patient = next(iter(sandbox.resources["Patient"]))
        began = time.time()
        if given.store == "memory":
            work(store, patient, given.threads, began + given.seconds, Tally(folder / "1.tally"))
        else:
            run_processes(url, key, patient, given, began + given.seconds, folder)
        lasted = time.time() - began
        tallies = [Tally.read(path) for path in folder.glob("*.tally")]
        failed: dict[str, int] = {}
        for _, codes in tallies:
            for code, count in codes.items():
                failed[code] = failed.get(code, 0) + count
        return {
            "actions": sum(done for done, _ in tallies),
            "failed": sum(failed.values()),
            "failed_by_code": failed,
            "refreshes": sandbox.tokens.count_refreshes,
            "token_lifetimes": round(lasted / LIFETIME, 1),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = ["memory", "file", "sqlite", "postgresql", "redis"]
    parser.add_argument("--store", choices=kinds, default="memory")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--threads", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--kill-every", type=float, default=0, help="seconds between SIGKILLs")
    parser.add_argument("--url", help="the store's URL; left out, a private service is started")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    if given.store == "memory" and (given.processes > 1 or given.kill_every):
        parser.error(
            "the memory store lives in one process: leave out --processes and --kill-every"
        )
    figures = measure(given)
    if given.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:16} {value}")


if __name__ == "__main__":
    main()
