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
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from pathlib import Path

from cryptography.fernet import Fernet

from benchmarks.refresh_worker import CONNECTION, Tally, locked, work, work_alone
from practicefusion_connector import Connection
from practicefusion_connector.registry import shipped
from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.smart import discovery, launch, scopes
from practicefusion_connector.stores import ConnectionRecord, ConnectionStore, Sealer, open_store
from practicefusion_connector.testing import services
from practicefusion_connector.testing.person import approve
from practicefusion_connector.transport import Run, Transport

LIFETIME = 2
# A worker that takes the place of a killed one is there at once, with nothing of the others.
forked = multiprocessing.get_context("forkserver")
forked.set_forkserver_preload(["benchmarks.refresh_worker"])


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


class Workers:
    """The worker processes: started, killed now and then, replaced.

    Args:
        given: how many processes and threads, for how many seconds, and the seconds between kills.
        folder: what the workers and this say to each other.
        shared: the store's URL, its key, and a patient's id.
        spare: wait with a kill until its worker does not refresh. Where a server rotates refresh
            tokens, a worker killed after the server's answer and before it is stored loses the
            grant, and no store can keep it.
    """

    def __init__(
        self, given: argparse.Namespace, folder: Path, *shared: str, spare: bool = False
    ) -> None:
        self._given = given
        self._folder = folder
        self._shared = shared
        self._spare = spare
        self._started = 0
        self._running = [self._start() for _ in range(given.processes)]

    def _start(self) -> multiprocessing.process.BaseProcess:
        self._started += 1
        name = str(self._started)
        arguments = (*self._shared, self._given.threads, self._folder, name)
        worker = forked.Process(name=name, target=work_alone, args=arguments)
        worker.start()
        return worker

    def _kill(self, worker: multiprocessing.process.BaseProcess) -> None:
        with locked(self._folder / f"{worker.name}.refreshing") if self._spare else nullcontext():
            worker.kill()
            worker.join()

    def run(self) -> None:
        """Begin when all are ready, and come back when all are done."""
        while len(list(self._folder.glob("*.tally"))) < len(self._running):
            time.sleep(0.02)
        ends_at = start(self._folder, self._given.seconds)
        every = self._given.kill_every
        while every and time.time() + every < ends_at:
            time.sleep(every)
            victim = random.randrange(len(self._running))
            self._kill(self._running[victim])
            self._running[victim] = self._start()
        for worker in self._running:
            worker.join()


def start(folder: Path, seconds: float) -> float:
    """Tell the workers when the end is, which is what they wait for; return it."""
    ends_at = time.time() + seconds
    told = folder / "ends-at.new"
    told.write_text(repr(ends_at))
    told.rename(folder / "ends-at")
    return ends_at


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
        if given.store == "memory":
            start(folder, given.seconds)
            work(store, patient, given.threads, folder, "1")
        else:
            Workers(given, folder, url, key, patient).run()
        tallies = [Tally.read(path) for path in folder.glob("*.tally")]
        failed: Counter[str] = Counter()
        for _, codes in tallies:
            failed.update(codes)
        return {
            "actions": sum(done for done, _ in tallies),
            "failed": failed.total(),
            "failed_by_code": dict(failed),
            "refreshes": sandbox.tokens.count_refreshes(),
            "token_lifetimes": round(given.seconds / LIFETIME, 1),
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
