"""Thousands of actions against a practice where a part of all requests goes wrong on purpose.

Every action must end in the data the practice gives when nothing goes wrong, or in a typed error
that one of the injected faults explains. Nothing may be said twice, nothing of a patient or a
token may be told to a log, and sockets and objects must be as many afterwards as before.

    python -m benchmarks.chaos --actions N --threads T --faults 0.2 --seed S [--json]
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import random
import re
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from practicefusion_connector import Connection, ConnectorError, Policy, PracticeFusion, Result
from practicefusion_connector.history import History, MemorySink
from practicefusion_connector.registry import shipped
from practicefusion_connector.sandbox import Behaviour, FaultProfile, Sandbox
from practicefusion_connector.sandbox.faults.record import fingerprint
from practicefusion_connector.stores import ConnectionRecord, MemoryStore

PATIENTS = 6
READS_OF_A_TYPE = 4
POLICY = Policy(read_timeout=0.5, backoff=0.004, max_body_bytes=4_000_000, deadline=60)
PROFILE: dict[str, Any] = {
    "retry_after": 0,
    "slow_seconds": 0.02,
    "bomb_bytes": 64 * 1024 * 1024,
    "token_endpoint": True,
}
# Which kinds of faults can end in which error. Kinds that spoil nothing lead to none.
LEADS_TO: dict[str, tuple[str, ...]] = {
    "rate_limited": (
        *("429-seconds", "429-date", "429-epoch-seconds", "429-epoch-milliseconds"),
        *("429-rate-limit", "429-words", "429-silent"),
    ),
    "upstream_unavailable": ("500", "502", "503", "503-wait"),
    "timeout": ("504", "stalled"),
    "network": ("reset", "reset-in-body", "truncated", "stalled"),
    "invalid_response": (
        *("html", "empty", "cut-json", "no-utf-8", "duplicate-key", "nan", "huge-number"),
        *("wrong-resource", "wrong-bundle-type", "broken-gzip", "redirect"),
        *("self-next", "foreign-next", "inside-next"),
    ),
    "response_too_large": ("deep", "gzip-bomb", "large-header"),
    "reauth_required": ("expired-token",),
}
HARMLESS = ("slow", "wrong-content-type", "empty-entry", "wrong-total")
# One token serves every action, so what befalls it befalls all of them.
SHARED_KINDS = frozenset({"expired-token"})
# What garbage collection and caches leave in a run of any length.
_OBJECTS_MORE = 5_000


@dataclass(frozen=True)
class Case:
    """One action with its inputs."""

    key: str
    inputs: tuple[tuple[str, Any], ...]


@dataclass
class Expected:
    """What a case gives when nothing goes wrong, and the requests it makes."""

    answer: str
    requests: set[str] = field(default_factory=set)


@dataclass
class Tally:
    """What became of the actions."""

    actions: int = 0
    right: int = 0
    typed_errors: int = 0
    wrong: int = 0
    untyped: int = 0
    duplicates: int = 0
    leaks: int = 0


def cases(sandbox: Sandbox) -> list[Case]:
    """Return gets of every type, and searches that go over several pages."""
    found: list[Case] = []
    patients = list(sandbox.resources["Patient"])[:PATIENTS]
    for action in shipped().core():
        if action.operation == "get":
            ids = list(sandbox.resources.get(action.resource, {}))[:READS_OF_A_TYPE]
            found += [Case(action.key, (("id", logical_id),)) for logical_id in ids]
        elif action.named("patient"):
            paging = (("_count", 5), ("max_items", 40))
            found += [Case(action.key, (("patient", patient), *paging)) for patient in patients]
        else:
            found.append(Case(action.key, tuple(action.sample.items())))
    return found


def connect(sandbox: Sandbox, history: History | None = None) -> PracticeFusion:
    """Return a connector for the whole practice, as a backend application."""
    connection = Connection.of(
        fhir_base_url=sandbox.fhir_base_url,
        client_id=sandbox.backend_client_id,
        client_secret=sandbox.backend_client_secret,
        level="system",
    )
    store = MemoryStore()
    store.save(ConnectionRecord(connection=connection), expected=None)
    return PracticeFusion.from_store(store, connection.id, policy=POLICY, history=history)


def answered(result: Result, sandbox: Sandbox) -> str:
    """Return the data of a result as text, without the sandbox's own address."""
    data = [result.resources, result.included]
    return json.dumps(data, sort_keys=True).replace(sandbox.origin, "")


class Requests:
    """Middleware that notes the fingerprints of requests and every access token it sees."""

    def __init__(self) -> None:
        self.fingerprints: set[str] = set()
        self.tokens: set[str] = set()

    def __call__(self, application: Any) -> Any:
        """Wrap the practice's application."""

        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            query = environ.get("QUERY_STRING", "")
            target = environ["PATH_INFO"] + (f"?{query}" if query else "")
            self.fingerprints.add(fingerprint(environ["REQUEST_METHOD"], target))
            _, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
            if token:
                self.tokens.add(token)
            given: Iterable[bytes] = application(environ, start_response)
            return given

        return answer


@cache
def fault_free() -> dict[Case, Expected]:
    """Run every case once where nothing goes wrong."""
    seen = Requests()
    expected: dict[Case, Expected] = {}
    with Sandbox(patients=PATIENTS, middleware=[seen]) as sandbox, connect(sandbox) as pf:
        for case in cases(sandbox):
            seen.fingerprints = set()
            result = pf.run(case.key, dict(case.inputs))
            expected[case] = Expected(answered(result, sandbox), seen.fingerprints)
    return expected


class Canaries(logging.Handler):
    """Looks for tokens, secrets and patients' data in whatever is told, logs included."""

    def __init__(self, sandbox: Sandbox, seen: Requests) -> None:
        super().__init__(logging.DEBUG)
        words = {sandbox.backend_client_secret, sandbox.client_secret}
        for patient in sandbox.resources["Patient"].values():
            # A short name may be a word of any log line.
            families = {name.get("family", "") for name in patient["name"]}
            words |= {family for family in families if len(family) > 5}
            words |= {item["value"] for item in patient["identifier"]} | {patient["birthDate"]}
            words.add(patient["id"])
        self._words = re.compile("|".join(map(re.escape, sorted(words))))
        self._seen = seen
        self.found = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Look through a log record."""
        # The sandbox plays the practice, which may know its patients.
        if not record.name.startswith(("werkzeug", "faker")):
            self.look(record.getMessage() + (record.exc_text or ""))

    def look(self, told: str) -> None:
        """Count a leak where `told` holds anything it must not."""
        if self._words.search(told) or any(token in told for token in self._seen.tokens):
            self.found += 1


@contextmanager
def listening(canaries: Canaries) -> Iterator[None]:
    """Let every logger of the process speak, to the canaries only."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    root.handlers[:] = [canaries]
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


class Chaos:
    """One run of the benchmark."""

    def __init__(
        self, pf: PracticeFusion, sandbox: Sandbox, expected: dict[Case, Expected]
    ) -> None:
        self.pf = pf
        self.sandbox = sandbox
        self.expected = expected
        self.tally = Tally()
        self.errors: Counter[tuple[Case, str]] = Counter()
        self._lock = threading.Lock()

    def act(self, case: Case, canaries: Canaries) -> None:
        """Run one action and judge how it ends, but for whether an error is explained."""
        count, told = Counter[str](), ""
        try:
            result = self.pf.run(case.key, dict(case.inputs))
        except ConnectorError as error:
            with self._lock:
                self.errors[case, error.code] += 1
            count["typed_errors"] += 1
            told = json.dumps(error.to_dict()) + "".join(traceback.format_exception(error))
        except Exception as error:  # what this benchmark is here to find
            count["untyped"] += 1
            told = "".join(traceback.format_exception(error))
        else:
            same = answered(result, self.sandbox) == self.expected[case].answer
            count["right" if same else "wrong"] += 1
            ids = [(resource["resourceType"], resource.get("id")) for resource in result.resources]
            count["duplicates"] += len(ids) - len(set(ids))
            told = repr(result) + json.dumps(asdict(result.trace)) + repr(result.warnings)
        canaries.look(told)
        with self._lock:
            self.tally.actions += 1
            for name, number in count.items():
                setattr(self.tally, name, getattr(self.tally, name) + number)

    def all_of(self, chosen: list[Case], threads: int, canaries: Canaries) -> None:
        """Run the actions over so many threads."""
        with ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(self.act, case, canaries) for case in chosen]:
                done.result()

    def unexplained(self) -> int:
        """Return how many typed errors no injected fault accounts for."""
        at: Counter[tuple[str, str]] = Counter()
        everywhere: set[str] = set()
        for fault in self.sandbox.faults:
            codes = [code for code, kinds in LEADS_TO.items() if fault.kind in kinds]
            at.update((fault.request, code) for code in codes)
            if fault.path == "token" or fault.kind in SHARED_KINDS:
                everywhere |= set(codes)
        odd = 0
        for (case, code), number in self.errors.items():
            if code not in everywhere:
                possible = sum(at[request, code] for request in self.expected[case].requests)
                odd += max(0, number - possible)
        return odd


def sockets() -> int:
    """Return how many sockets this process has open, where the system can tell."""
    folder, number = Path("/proc/self/fd"), 0
    for entry in folder.iterdir() if folder.exists() else ():
        try:
            number += os.readlink(entry).startswith("socket:")
        except OSError:
            continue
    return number


def objects() -> int:
    """Return how many objects are alive."""
    gc.collect()
    return len(gc.get_objects())


def settled(count: Callable[[], int], at_most: int) -> bool:
    """Say whether a count comes down to `at_most`: threads that serve take a moment to end."""
    ends = time.monotonic() + 5
    while count() > at_most:
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True


def run(actions: int, threads: int, faults: float, seed: int) -> tuple[Tally, Counter[str]]:
    """Run `actions` and return what became of them, and the faults by kind."""
    expected = fault_free()
    sockets_before = sockets()
    choice = random.Random(seed)
    chosen = choice.choices(sorted(expected, key=repr), k=actions)
    profile = FaultProfile(rate=faults, seed=seed, **PROFILE)
    seen, history = Requests(), MemorySink(limit=100)
    sandbox = Sandbox(patients=PATIENTS, middleware=[seen], faults=profile, behaviour=Behaviour())
    with sandbox, connect(sandbox, History(history)) as pf:
        canaries = Canaries(sandbox, seen)
        chaos = Chaos(pf, sandbox, expected)
        warm = min(max(actions // 5, threads), actions)
        with listening(canaries):
            chaos.all_of(chosen[:warm], threads, canaries)
            growing = _kept(sandbox)
            before = objects() - growing
            chaos.all_of(chosen[warm:], threads, canaries)
        leaks = canaries.found
        leaks += sum(map(bool, _told(canaries, history)))
        leaks += objects() - _kept(sandbox) - before > _OBJECTS_MORE
        odd = chaos.unexplained()
        kinds = Counter(fault.kind for fault in sandbox.faults)
    leaks += not settled(sockets, sockets_before)
    tally = chaos.tally
    tally.leaks = leaks
    tally.wrong += odd
    return tally, kinds


def _told(canaries: Canaries, history: MemorySink) -> Iterator[int]:
    for record in history.read():
        before = canaries.found
        canaries.look(json.dumps(record.to_dict()))
        yield canaries.found - before


def _kept(sandbox: Sandbox) -> int:
    """Return how many objects the sandbox keeps on purpose: its records, its tokens."""
    return len(sandbox.faults) + 2 * len(sandbox.requests) + 4 * sandbox.tokens.count_access()


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actions", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--faults", type=float, default=0.2, help="share of requests, 0 to 1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    began = time.monotonic()
    tally, kinds = run(given.actions, given.threads, given.faults, given.seed)
    if given.json:
        print(json.dumps(asdict(tally)))
        return
    for name, value in asdict(tally).items():
        print(f"{name:14} {value}")
    print(f"{sum(kinds.values())} faults of {len(kinds)} kinds, {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
