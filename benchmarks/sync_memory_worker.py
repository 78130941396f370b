"""One export in a process of its own: what it is told on stdin, what it took on stdout."""

from __future__ import annotations

import json
import resource
import sys
import time
from contextlib import closing
from pathlib import Path

from practicefusion_connector.bulk import Export, ExportPlan, JobStore, Patience
from practicefusion_connector.connection import Connection
from practicefusion_connector.smart.provider import ManagedTokens
from practicefusion_connector.smart.renew import renewal
from practicefusion_connector.stores import ConnectionRecord, MemoryStore
from practicefusion_connector.transport import Policy, Transport


def main() -> None:
    """Export once, and say what it took."""
    asked = json.load(sys.stdin)
    connection, store = Connection.of(**asked["connection"]), MemoryStore()
    store.save(ConnectionRecord(connection=connection), expected=None)
    began, used = time.monotonic(), time.process_time()
    with (
        closing(JobStore(f"sqlite:///{asked['folder']}/jobs.db")) as jobs,
        closing(Transport(Policy(read_timeout=120.0))) as transport,
    ):
        outcome = Export(
            connection,
            ManagedTokens(connection.id, store, renewal(transport)),
            Path(asked["folder"]) / "export",
            jobs,
            transport=transport,
            concurrency=asked["concurrency"],
            patience=Patience(first=0.1, shortest=0.1),
        ).run(ExportPlan(mode="export"))
    print(
        json.dumps(
            {
                "mb": round(sum(each.bytes for each in outcome.files) / 1e6, 1),
                "files": len(outcome.files),
                "resources": sum(outcome.counts.values()),
                "complete": outcome.complete,
                "findings": len(outcome.findings),
                "peak_rss_mb": round(peak_mb(), 1),
                "seconds": round(time.monotonic() - began, 1),
                "cpu_seconds": round(time.process_time() - used, 1),
            }
        )
    )


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
