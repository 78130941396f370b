"""How much memory does it take to download and check a bulk export of any size?

A sandbox in a process of its own multiplies its patients to so many megabytes of NDJSON and serves
them as an export; another process downloads and checks them. What counts is that process's peak of
resident memory: it must hardly grow with the export.

    python -m benchmarks.sync_memory [--mb 190,2000] [--concurrency N] [--folder F] [--json]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from contextlib import closing
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

LIMIT_MB = 80
LARGEST_GROWTH = 1.5
FILE_RESOURCES = 50_000
spawn = multiprocessing.get_context("spawn")


def serve(megabytes: float, pipe: Pipe) -> None:
    """Serve exports of about so many megabytes until the pipe says otherwise."""
    from practicefusion_connector.sandbox import Sandbox

    with Sandbox(patients=20) as sandbox:
        resources = [each for kind in sandbox.resources.values() for each in kind.values()]
        size = sum(len(json.dumps(each, separators=(",", ":"))) + 1 for each in resources)
        sandbox.behaviour.export.patients = max(20, round(20 * megabytes * 1_000_000 / size))
        sandbox.behaviour.export.file_resources = FILE_RESOURCES
        pipe.send(
            {
                "id": "memory",
                "fhir_base_url": sandbox.fhir_base_url,
                "client_id": sandbox.backend_client_id,
                "client_secret": sandbox.backend_client_secret,
                "level": "system",
            }
        )
        pipe.recv()


def export(fields: dict[str, Any], folder: str, concurrency: int, pipe: Pipe) -> None:
    """Export once; send what it took."""
    from practicefusion_connector.bulk import Export, ExportPlan, JobStore, Patience
    from practicefusion_connector.connection import Connection
    from practicefusion_connector.smart.provider import ManagedTokens
    from practicefusion_connector.smart.renew import renewal
    from practicefusion_connector.stores import ConnectionRecord, MemoryStore
    from practicefusion_connector.transport import Policy, Transport

    connection, store = Connection.of(**fields), MemoryStore()
    store.save(ConnectionRecord(connection=connection), expected=None)
    began, used = time.monotonic(), time.process_time()
    with (
        closing(JobStore(f"sqlite:///{folder}/jobs.db")) as jobs,
        closing(Transport(Policy(read_timeout=120.0))) as transport,
    ):
        outcome = Export(
            connection,
            ManagedTokens(connection.id, store, renewal(transport)),
            Path(folder) / "export",
            jobs,
            transport=transport,
            concurrency=concurrency,
            patience=Patience(first=0.1, shortest=0.1),
        ).run(ExportPlan(mode="export"))
    size = sum(each.bytes for each in outcome.files)
    pipe.send(
        {
            "mb": round(size / 1_000_000, 1),
            "files": len(outcome.files),
            "resources": sum(outcome.counts.values()),
            "complete": outcome.complete,
            "findings": len(outcome.findings),
            "peak_rss_mb": round(peak_mb(), 1),
            "seconds": round(time.monotonic() - began, 1),
            "cpu_seconds": round(time.process_time() - used, 1),
        }
    )


def peak_mb() -> float:
    """Return the most memory this process had resident, in MB; Linux counts in KiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def measure(megabytes: float, concurrency: int, folder: str | None = None) -> dict[str, Any]:
    """Return what one export of about so many megabytes took."""
    ours, theirs = spawn.Pipe()
    server = spawn.Process(target=serve, args=(megabytes, theirs), daemon=True)
    server.start()
    fields = ours.recv()
    with tempfile.TemporaryDirectory(dir=folder) as place:
        result, sender = spawn.Pipe(duplex=False)
        client = spawn.Process(target=export, args=(fields, place, concurrency, sender))
        client.start()
        sender.close()
        try:
            measured: dict[str, Any] = result.recv()
        finally:
            client.join()
            ours.send("done")
            server.join()
    return measured


def main() -> int:
    """Measure every size asked for; fail where memory grows or is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mb", default="190,2000", help="sizes, separated by commas")
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--folder", help="where the files go for a while; the temporary folder")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sizes = sorted(float(size) for size in options.mb.split(","))
    download = [measure(size, options.concurrency, options.folder) for size in sizes]
    growth = download[-1]["peak_rss_mb"] / download[0]["peak_rss_mb"]
    good = all(each["peak_rss_mb"] <= LIMIT_MB and each["complete"] for each in download)
    report = {"download": download, "growth": round(growth, 3), "limit_mb": LIMIT_MB}
    if options.json:
        print(json.dumps(report))
    else:
        for each in download:
            print("  ".join(f"{name} {value}" for name, value in each.items()))
        print(f"growth {growth:.2f}")
    return 0 if good and growth <= LARGEST_GROWTH else 1


if __name__ == "__main__":
    raise SystemExit(main())
