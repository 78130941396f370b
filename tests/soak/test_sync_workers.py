"""8 Celery workers on 2 hosts, 20 practices, workers and whole hosts killed at random."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.soak

ROOT = Path(__file__).parents[2]
KILLS = 12


def test_every_sync_completes_and_every_practice_is_asked_at_its_pace() -> None:
    command = ["-m", "benchmarks.sync_workers", "--kills", str(KILLS), "--seed", "1", "--json"]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)

    if "MissingService" in done.stderr:
        pytest.skip(done.stderr.splitlines()[-1])
    assert done.stdout, done.stderr
    figures = json.loads(done.stdout)

    assert (figures["practices"], figures["workers"], figures["hosts"]) == (20, 8, 2)
    assert (figures["complete"], figures["duplicates"]) == (20, 0)
    pace = figures["pace"]
    assert pace["highest_per_second"] <= 1.1 * pace["limit_per_second"]
    assert figures["kickoffs"] <= figures["runs"] + KILLS
    assert figures["token_requests"] <= 20 + KILLS
    assert done.returncode == 0
