"""A sync whose process is killed goes on with the next one: from file and line, nothing twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from practicefusion_connector.sync import State
from tests.sync.data import Resource, write
from tests.sync.fhir_server import Held
from tests.sync.tables import in_duckdb, in_parquet
from tests.sync.test_fhir_target import check_equal


def killed(export: Path, folder: Path, to: str, kills: int, latest: float) -> int:
    """Kill so many processes of a sync, then let one finish; return how many were killed."""
    chance = random.Random(kills)
    done = 0
    for turn in range(kills + 1):
        command = [sys.executable, "-m", "tests.sync.killable", str(export), str(folder), to]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == "ready"
            try:
                process.wait(chance.uniform(0.02, latest) if turn < kills else 120)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                done += 1
                continue
            assert process.stdout.readline().strip() == "done"
    return done


def state_in(folder: Path) -> State:
    return State(f"sqlite:///{folder}/state.db", "test")


@pytest.mark.parametrize("kind", ["duckdb", pytest.param("parquet", marks=pytest.mark.soak)])
def test_tables(kind: str, people: list[Resource], tmp_path: Path) -> None:
    folder = tmp_path / "sync"
    assert (
        killed(write(tmp_path / "export", people), folder, kind, 1 if kind == "duckdb" else 8, 0.5)
        >= 1
    )
    rows = in_duckdb(folder / "t.duckdb") if kind == "duckdb" else in_parquet(folder)
    assert len(rows) == len(people)
    assert dict(rows) == {(each["resourceType"], each["id"]): each for each in people}


def check_server(people: list[Resource], held: Held, folder: Path) -> None:
    check_equal(people, held)
    state = state_in(folder)
    try:
        runs = [*state.ledger.last(50)]
        assert state.ledger.current() is None
        assert state.memory.waiting() == runs[0].document.report["references_open"]
    finally:
        state.close()


@pytest.mark.soak
def test_a_fhir_server_killed_often(
    people: list[Resource], fhir_url: str, held: Held, tmp_path: Path
) -> None:
    folder = tmp_path / "sync"
    assert killed(write(tmp_path / "export", people), folder, fhir_url, 12, 0.5) >= 4
    check_server(people, held, folder)
