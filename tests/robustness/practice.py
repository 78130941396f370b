"""A sandbox with faults and a connector to it, for tests of what happens when things go wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest

from practicefusion_connector import Connection, Policy, PracticeFusion
from practicefusion_connector import connector as facade
from practicefusion_connector.history import History
from practicefusion_connector.sandbox import FaultProfile, Sandbox
from practicefusion_connector.stores import ConnectionRecord, MemoryStore
from practicefusion_connector.transport import Run

# Under `FaultProfile.slow_seconds`, and well over what a busy machine makes an answer take.
QUICK = Policy(read_timeout=0.8, backoff=0.01, max_body_bytes=2_000_000)


class FastRun(Run):
    """A run whose clock moves only when it sleeps."""

    made: list[FastRun]

    def __init__(self, deadline: float, *, cancel: Event | None = None) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        super().__init__(deadline, cancel=cancel, clock=lambda: self.now)
        self.made.append(self)

    def sleep(self, seconds: float, reason: str) -> None:
        """Let the clock jump, and note why."""
        self.slept.append(seconds)
        self.trace.waits.append((seconds, reason))
        self.now += seconds
        self.check()


@contextmanager
def without_sleeping() -> Iterator[list[FastRun]]:
    """Let runs of actions only pretend to sleep, and give those that were made."""
    made: list[FastRun] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FastRun, "made", made, raising=False)
        patch.setattr(facade, "Run", FastRun)
        yield made


class Requests:
    """Middleware that notes what was asked: method, host, path, and whether a token came along."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str, bool]] = []

    def __call__(self, application: Any) -> Any:
        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            self.seen.append(
                (
                    environ["REQUEST_METHOD"],
                    environ["HTTP_HOST"],
                    environ["PATH_INFO"].rpartition("/fhir/r4/v1/")[2].partition("/")[2],
                    "HTTP_AUTHORIZATION" in environ,
                )
            )
            given: Iterable[bytes] = application(environ, start_response)
            return given

        return answer

    def resources(self) -> int:
        """How many requests were for resources."""
        return sum(path[:1].isupper() for _, _, path, _ in self.seen)

    def tokens(self) -> int:
        """How many requests were for tokens."""
        return sum(path == "token" for _, _, path, _ in self.seen)


@contextmanager
def faulty(
    faults: FaultProfile | str | None = None,
    *,
    policy: Policy = QUICK,
    history: History | None = None,
    patients: int = 2,
) -> Iterator[tuple[PracticeFusion, Sandbox, Requests]]:
    """Serve a small practice with these faults, connected to as a backend application."""
    requests = Requests()
    with Sandbox(patients=patients, middleware=[requests], faults=faults) as sandbox:
        connection = Connection.of(
            fhir_base_url=sandbox.fhir_base_url,
            client_id=sandbox.backend_client_id,
            client_secret=sandbox.backend_client_secret,
            level="system",
        )
        store = MemoryStore()
        store.save(ConnectionRecord(connection=connection), expected=None)
        with PracticeFusion.from_store(
            store, connection.id, policy=policy, history=history
        ) as connector:
            yield connector, sandbox, requests


def one(kind: str, **fields: Any) -> FaultProfile:
    """A profile of one fault, and then of none."""
    return FaultProfile(**{"rate": 1.0, "kinds": {kind: 1}, "times": 1, **fields})
