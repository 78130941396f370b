"""The practices of `benchmarks.sync_workers`: sandboxes in processes of their own.

So they take nothing from the workers. Each notes when it was asked.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from multiprocessing.connection import Connection as Pipe
from typing import Any

from benchmarks.sync_kill import held
from benchmarks.sync_workers_app import TYPES
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sandbox.server import Middleware

PATIENTS, FILE_RESOURCES = 6, 50
PROCESSES = 2
spawn = multiprocessing.get_context("spawn")


class Practices:
    """Some practices in a process of their own."""

    def __init__(self, seeds: list[int]) -> None:
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=serve, args=(theirs, seeds), daemon=True)
        self._process.start()

    def connections(self) -> list[dict[str, str]]:
        """Return how to reach them, once they listen."""
        return self._pipe.recv()

    def told(self) -> list[dict[str, Any]]:
        """Return what each holds and was asked."""
        self._pipe.send("tell")
        return self._pipe.recv()

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join()


@contextmanager
def running(count: int, seed: int) -> Iterator[list[Practices]]:
    """Run so many practices, a share in each process."""
    seeds = [seed * 1000 + number for number in range(count)]
    with ExitStack() as stack:
        shares = [seeds[start::PROCESSES] for start in range(PROCESSES)]
        yield [stack.enter_context(closing(Practices(share))) for share in shares if share]


def serve(pipe: Pipe, seeds: list[int]) -> None:
    """Be some practices until the pipe is closed."""
    with ExitStack() as stack:
        served = []
        for seed in seeds:
            noted: dict[str, list[float]] = defaultdict(list)
            sandbox = Sandbox(patients=PATIENTS, seed=seed, middleware=(noting(noted),))
            sandbox.behaviour.export.file_resources = FILE_RESOURCES
            served.append((stack.enter_context(sandbox), noted))
        pipe.send(
            [
                {
                    "fhir_base_url": sandbox.fhir_base_url,
                    "client_id": sandbox.backend_client_id,
                    "client_secret": sandbox.backend_client_secret,
                }
                for sandbox, _ in served
            ]
        )
        with contextlib.suppress(EOFError):
            while pipe.recv():
                pipe.send([tell(sandbox, noted) for sandbox, noted in served])


def tell(sandbox: Sandbox, noted: dict[str, list[float]]) -> dict[str, Any]:
    """Say what a practice holds and was asked."""
    everything = held(sandbox)
    return {
        "held": {key: value for key, value in everything.items() if key[0] in TYPES},
        "arrivals": sorted(noted["paced"]),
        "kickoffs": sandbox.bulk.kickoffs,
        "token_requests": len(noted["token"]),
    }


def noting(noted: dict[str, list[float]]) -> Middleware:
    """Note when requests arrive: those for tokens, and all others, which are paced."""

    def wrap(application: Any) -> Any:
        def timed(environ: dict[str, Any], start_response: Any) -> Any:
            kind = "token" if environ["PATH_INFO"].endswith("/token") else "paced"
            noted[kind].append(time.monotonic())
            return application(environ, start_response)

        return timed

    return wrap
