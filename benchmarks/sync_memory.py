"""How much memory does it take to bring an export of any size onto a disk, and into tables?

A sandbox in a process of its own multiplies its patients to so many megabytes of NDJSON and serves
them as an export. For each size one process downloads and checks them, and another does a whole
sync: it downloads, checks and loads them into DuckDB. What counts is each process's peak of
resident memory: it must hardly grow with the export.

    python -m benchmarks.sync_memory [--mb 190,2000] [--concurrency N] [--folder F] [--json]

`download` and `sync` hold a row for each size, `growth` how often the memory for the largest size
is that for the smallest: at most 1.5 for both, and 80 MiB at most for `download`.
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


def measure(
    megabytes: float, concurrency: int, *, load: bool, folder: str | None = None
) -> dict[str, Any]:
    """Return what one export of about so many megabytes took, or one whole sync."""
    ours, theirs = spawn.Pipe()
    server = spawn.Process(target=serve, args=(megabytes, theirs), daemon=True)
    server.start()
    fields = ours.recv()
    with tempfile.TemporaryDirectory(dir=folder) as place:
        asked = {"connection": fields, "folder": place, "concurrency": concurrency, "load": load}
        # A process that has imported nothing else: what it takes is what the work takes.
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
        raise SystemExit("It failed; see above.")
    measured: dict[str, Any] = json.loads(worker.stdout)
    return measured


def grown(measured: list[dict[str, Any]]) -> float:
    """Return how often the memory for the largest size is that for the smallest."""
    return round(measured[-1]["peak_rss_mb"] / measured[0]["peak_rss_mb"], 3)


def main() -> int:
    """Measure every size asked for; fail where memory grows or is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mb", default="190,2000", help="sizes, separated by commas")
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--folder", help="where the files go for a while; the temporary folder")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sizes = sorted(float(size) for size in options.mb.split(","))
    found = {
        name: [
            measure(size, options.concurrency, load=load, folder=options.folder) for size in sizes
        ]
        for name, load in (("download", False), ("sync", True))
    }
    growth = {name: grown(measured) for name, measured in found.items()}
    if options.json:
        print(json.dumps({**found, "growth": growth, "limit_mb": LIMIT_MB}))
    else:
        for name, measured in found.items():
            for each in measured:
                print(name, " ".join(f"{what} {value}" for what, value in each.items()))
            print(f"{name} growth {growth[name]:.2f}")
    small = all(each["peak_rss_mb"] <= LIMIT_MB for each in found["download"])
    whole = all(each["complete"] for measured in found.values() for each in measured)
    return 0 if small and whole and max(growth.values()) <= LARGEST_GROWTH else 1


if __name__ == "__main__":
    raise SystemExit(main())
