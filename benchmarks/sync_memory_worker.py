"""One export, or one whole sync, in a process of its own.

What it is told comes on stdin, what it took goes to stdout.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from practicefusion_connector.bulk import Export, ExportPlan, JobStore, Patience
from practicefusion_connector.connection import Connection
from practicefusion_connector.smart.provider import ManagedTokens, TokenProvider
from practicefusion_connector.smart.renew import renewal
from practicefusion_connector.stores import ConnectionRecord, MemoryStore
from practicefusion_connector.transport import Policy, Transport

PATIENCE = Patience(first=0.1, shortest=0.1)


class Given(NamedTuple):
    """What the work is done with."""

    connection: Connection
    tokens: TokenProvider
    folder: Path
    jobs: JobStore
    transport: Transport
    concurrency: int


def main() -> None:
    """Do what is asked once, and say what it took."""
    asked = json.load(sys.stdin)
    connection, store = Connection.of(**asked["connection"]), MemoryStore()
    store.save(ConnectionRecord(connection=connection), expected=None)
    began, used = time.monotonic(), time.process_time()
    folder, work = Path(asked["folder"]), synced if asked["load"] else exported
    with (
        closing(JobStore(f"sqlite:///{folder}/jobs.db")) as jobs,
        closing(Transport(Policy(read_timeout=120.0))) as transport,
    ):
        tokens = ManagedTokens(connection.id, store, renewal(transport))
        done = work(Given(connection, tokens, folder, jobs, transport, asked["concurrency"]))
    took = {
        "peak_rss_mb": round(peak_mb(), 1),
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(time.process_time() - used, 1),
    }
    print(json.dumps({**done, **took}))


def exported(given: Given) -> dict[str, Any]:
    """Download and check an export."""
    outcome = Export(
        given.connection,
        given.tokens,
        given.folder / "export",
        given.jobs,
        transport=given.transport,
        concurrency=given.concurrency,
        patience=PATIENCE,
    ).run(ExportPlan(mode="export"))
    return {
        "mb": round(sum(each.bytes for each in outcome.files) / 1e6, 1),
        "files": len(outcome.files),
        "resources": sum(outcome.counts.values()),
        "complete": outcome.complete,
        "findings": len(outcome.findings),
    }


def synced(given: Given) -> dict[str, Any]:
    """Export, check and load into tables, as one sync."""
    # An export alone must not pay for these.
    from practicefusion_connector.sync import BulkSource, DuckDBTarget, State, Sync

    with closing(State(f"sqlite:///{given.folder}/state.db", "memory")) as state:
        source = BulkSource(
            given.connection,
            given.tokens,
            given.folder / "exports",
            given.jobs,
            given.transport,
            mode="export",
            concurrency=given.concurrency,
            patience=PATIENCE,
        )
        report = Sync(source, DuckDBTarget(given.folder / "clinic.duckdb"), state).run()
        return {
            "mb": round(report.bytes / 1e6, 1),
            "resources": report.total("read"),
            "complete": report.status == "done" and report.total("created") == report.total("read"),
            "stages": {name: round(spent) for name, spent in report.seconds.items()},
        }


def peak_mb() -> float:
    """Return the most memory this process had resident, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # The usual count begins with what the parent had when it forked.
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
