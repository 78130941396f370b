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
import subprocess
import sys
import tempfile
from multiprocessing.connection import Connection as Pipe
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


def measure(megabytes: float, concurrency: int, folder: str | None = None) -> dict[str, Any]:
    """Return what one export of about so many megabytes took."""
    ours, theirs = spawn.Pipe()
    server = spawn.Process(target=serve, args=(megabytes, theirs), daemon=True)
    server.start()
    fields = ours.recv()
    with tempfile.TemporaryDirectory(dir=folder) as place:
        asked = {"connection": fields, "folder": place, "concurrency": concurrency}
        # A process that has imported nothing else: what it takes is what an export takes.
        worker = subprocess.run(
            [sys.executable, "-m", "benchmarks.sync_memory_worker"],
            input=json.dumps(asked),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    ours.send("done")
    server.join()
    if worker.returncode:
        raise SystemExit("The export failed; see above.")
    measured: dict[str, Any] = json.loads(worker.stdout)
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
