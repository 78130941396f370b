"""A sync whose process is killed again and again, at random moments, with faults on.

    python -m benchmarks.sync_kill --kills N --seed S [--json]

A sandbox practice is synced into DuckDB by processes of which all but the last are killed
(SIGKILL). Where a sync ends before its kill, records are changed at the practice and the next one
begins. Afterwards the tables must hold what the practice holds:

    kills        processes killed
    complete     whether the target equals the source, resource by resource
    duplicates   rows beyond one for each resource
    kickoffs     exports started for one that was needed, where each sync needs one, and each
                 export that has expired at the practice another; as it should be, this is 1

An export whose answer was on its way when the process died is not counted: nobody can know of it.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import duckdb

from practicefusion_connector.bulk import JobStore, Patience
from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import ConnectorError
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.smart.provider import ManagedTokens
from practicefusion_connector.smart.renew import renewal
from practicefusion_connector.stores import ConnectionRecord, MemoryStore
from practicefusion_connector.sync import BulkSource, DuckDBTarget, State, Sync
from practicefusion_connector.transport import Policy, Transport

PATIENTS = 60
CHANGED = 1000
# A process is killed this many seconds after it has begun to sync, at the latest.
LATEST_KILL = 2.5
READY, DONE = "ready", "done"


def main() -> int:
    """Run the benchmark, or one process of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        return worker(json.loads(given.worker))
    found = killed(given.kills, given.seed)
    if given.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name:<12}{value}" for name, value in found.items()))
    return 0 if found["complete"] and not found["duplicates"] else 1


def killed(kills: int, seed: int) -> dict[str, Any]:
    """Kill so many processes of a sync, let the last one finish, and compare."""
    chance = random.Random(seed)
    done = 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pf-kill-")))
        seen = Seen()
        practice = stack.enter_context(
            Sandbox(patients=PATIENTS, seed=seed, middleware=(seen.noting,))
        )
        practice.behaviour.export.file_resources = 300
        practice.behaviour.export.polls = 2
        told = json.dumps(
            {
                "folder": str(folder),
                "base": practice.fhir_base_url,
                "client": practice.backend_client_id,
                "secret": practice.backend_client_secret,
            }
        )
        while done < kills:
            disturb(practice, chance)
            if ended_by_itself(told, chance.uniform(0.0, LATEST_KILL)):
                change(practice, chance)
            else:
                done += 1
        while not ended_by_itself(told, None):
            pass
        source = held(practice)
        with closing(State(f"sqlite:///{folder}/state.db", "kill")) as state:
            syncs = state.ledger.newest()
        rows = in_tables(folder / "clinic.duckdb")
    return {
        "kills": done,
        "complete": dict(rows) == source,
        "duplicates": len(rows) - len(dict(rows)),
        "kickoffs": 1 + len(seen.started) - len(seen.expired) - syncs,
    }


def ended_by_itself(told: str, kill_after: float | None) -> bool:
    """Run a process; kill it so many seconds after it is ready, unless it ends before."""
    command = [sys.executable, "-m", "benchmarks.sync_kill", "--worker", told]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if process.stdout.readline().strip() != READY:
            raise RuntimeError("The sync's process did not begin.")
        try:
            process.wait(kill_after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return False
        return process.stdout.readline().strip() == DONE


class Seen:
    """What processes have learnt of: exports whose status they looked at, and those expired."""

    def __init__(self) -> None:
        self.started: set[str] = set()
        self.expired: set[str] = set()

    def noting(self, application: Any) -> Any:
        """Wrap the practice's application, to note what is looked at and what it answers."""

        def noted(environ: dict[str, Any], start_response: Any) -> Any:
            _, slash, handle = str(environ["PATH_INFO"]).rpartition("/Export/")
            look = bool(slash) and environ["REQUEST_METHOD"] == "GET"

            def answered(status: str, *rest: Any) -> Any:
                if look:
                    self.started.add(handle)
                    if status.startswith("410"):
                        self.expired.add(handle)
                return start_response(status, *rest)

            return application(environ, answered)

        return noted


def disturb(practice: Sandbox, chance: random.Random) -> None:
    """Let something go wrong at the practice."""
    faults = practice.bulk.faults
    kind = chance.choice(("status", "limit", "download", "expire", "none"))
    if kind == "status":
        faults.fail_status(1)
    elif kind == "limit":
        faults.limit(1, retry_after=0)
    elif kind == "download":
        faults.break_downloads(2, after_bytes=20_000)
    elif kind == "expire":
        practice.bulk.expire()


def change(practice: Sandbox, chance: random.Random) -> None:
    """Change many records of the practice and delete some."""
    observations = sorted(practice.resources["Observation"])
    moment = f"2026-07-01T00:00:{chance.randrange(60):02d}Z"
    for name in chance.sample(observations, min(CHANGED, len(observations) // 2)):
        practice.bulk.update("Observation", name, issued=moment)
    for name in chance.sample(sorted(practice.resources["Provenance"]), 2):
        practice.bulk.delete("Provenance", name)


def worker(told: dict[str, str]) -> int:
    """Sync once, as any process would."""
    folder = Path(told["folder"])
    connection = Connection.of(
        id="kill",
        fhir_base_url=told["base"],
        client_id=told["client"],
        client_secret=told["secret"],
        level="system",
    )
    store = MemoryStore()
    store.save(ConnectionRecord(connection=connection), expected=None)
    with (
        closing(Transport(Policy(backoff=0.01))) as transport,
        closing(JobStore(f"sqlite:///{folder}/jobs.db")) as jobs,
        closing(State(f"sqlite:///{folder}/state.db", "kill")) as state,
    ):
        source = BulkSource(
            connection,
            ManagedTokens(connection.id, store, renewal(transport)),
            folder / "exports",
            jobs,
            transport,
            patience=Patience(first=0.05, shortest=0.05, longest=0.2),
        )
        target = DuckDBTarget(folder / "clinic.duckdb")
        target.batch = (200, 1024 * 1024)
        print(READY, flush=True)
        try:
            Sync(source, target, state).run()
        except ConnectorError as error:
            print(error, file=sys.stderr)
            return 1
    print(DONE, flush=True)
    return 0


def held(practice: Sandbox) -> dict[tuple[str, str], Any]:
    """Return what the practice exports, by type and id."""
    left_out = {"Binary", "Location", "Medication", "PractitionerRole"}
    return {
        (kind, name): resource
        for kind, resources in practice.resources.items()
        if kind not in left_out
        for name, resource in resources.items()
    }


def in_tables(path: Path) -> list[tuple[tuple[str, str], Any]]:
    """Return every row of the tables."""
    with closing(duckdb.connect(str(path), read_only=True)) as database:
        named = database.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        return [
            ((kind, name), json.loads(text))
            for (kind,) in named
            if not kind.startswith("_")
            for name, text in database.execute(f'SELECT id, resource FROM "{kind}"').fetchall()
        ]


if __name__ == "__main__":
    sys.exit(main())
