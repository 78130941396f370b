"""One connection, many workers, a token of two seconds that dies with each refresh."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.soak

ROOT = Path(__file__).parents[2]
SECONDS = 12
PROCESSES = ["--processes", "4", "--threads", "8"]
KILLED = [*PROCESSES, "--kill-every", "2"]


@pytest.mark.parametrize(
    ("store", "workers"),
    [
        ("memory", ["--threads", "100"]),
        ("file", PROCESSES),
        ("sqlite", PROCESSES),
        ("postgresql", PROCESSES),
        ("redis", PROCESSES),
        ("sqlite", KILLED),
        ("postgresql", KILLED),
        ("redis", KILLED),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_no_action_fails_and_hardly_a_refresh_too_many(
    store: str, workers: list[str], request: pytest.FixtureRequest
) -> None:
    url: list[str] = []
    if store in ("postgresql", "redis"):
        url = ["--url", request.getfixturevalue(f"{store}_url")]
    command = ["-m", "benchmarks.refresh", "--store", store, *workers, *url, "--json"]
    done = subprocess.run(
        [sys.executable, *command, "--seconds", str(SECONDS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    figures = json.loads(done.stdout)

    assert figures["actions"] > SECONDS
    assert figures["failed"] == 0, figures["failed_by_code"]
    assert figures["refreshes"] <= 1.25 * figures["token_lifetimes"] + 1
    # A worker that is killed while it refreshes is waited for, longer than this run may last.
    fewest = 1 if workers is KILLED else 0.5 * figures["token_lifetimes"]
    assert figures["refreshes"] >= fewest
