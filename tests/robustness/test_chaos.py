"""Chaos: thousands of actions where a part of all requests goes wrong; the benchmark is the test.

The whole of it is `pytest -m soak`; every test run has a short one, and checks that the benchmark
would notice what it is there to notice.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from benchmarks import chaos
from practicefusion_connector import PracticeFusion, Result
from practicefusion_connector.sandbox.faults.kinds import KINDS

CLEAN = {"wrong": 0, "untyped": 0, "duplicates": 0, "leaks": 0}


def faults_of(tally: chaos.Tally) -> dict[str, int]:
    return {name: count for name, count in asdict(tally).items() if name in CLEAN}


def test_every_action_ends_right_or_in_an_error_that_a_fault_explains() -> None:
    tally, kinds = chaos.run(actions=300, threads=8, faults=0.2, seed=1)
    assert faults_of(tally) == CLEAN
    assert tally.right + tally.typed_errors == tally.actions == 300
    assert tally.right > 200
    assert tally.typed_errors > 5
    assert len(kinds) > 20


@pytest.mark.soak
def test_ten_thousand_actions() -> None:
    tally, kinds = chaos.run(actions=10_000, threads=8, faults=0.2, seed=1)
    assert faults_of(tally) == CLEAN
    assert tally.right + tally.typed_errors == tally.actions == 10_000
    assert set(kinds) == set(KINDS)


def test_without_faults_everything_is_right() -> None:
    tally, kinds = chaos.run(actions=60, threads=4, faults=0.0, seed=3)
    assert asdict(tally) == {"actions": 60, "right": 60, "typed_errors": 0, **CLEAN}
    assert not kinds


def test_the_same_seed_meets_the_same_faults() -> None:
    first = chaos.run(actions=30, threads=1, faults=0.3, seed=5)
    second = chaos.run(actions=30, threads=1, faults=0.3, seed=5)
    assert first == second
    assert first[1] != chaos.run(actions=30, threads=1, faults=0.3, seed=6)[1]


def test_every_kind_of_fault_is_known_to_the_benchmark() -> None:
    known = {kind for kinds in chaos.LEADS_TO.values() for kind in kinds} | set(chaos.HARMLESS)
    assert known == set(KINDS)


def spoilt(monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Result], Any]) -> chaos.Tally:
    """Run a short chaos with a connector that has a defect."""
    real = PracticeFusion.run

    def run(self: PracticeFusion, key: str, inputs: Any) -> Any:
        return spoil(real(self, key, inputs))

    chaos.fault_free()  # without the defect; it is kept
    monkeypatch.setattr(PracticeFusion, "run", run)
    return chaos.run(actions=20, threads=2, faults=0.0, seed=1)[0]


def test_it_notices_lost_and_doubled_data(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = spoilt(monkeypatch, lambda r: replace(r, resources=r.resources[1:]))
    assert lost.wrong == 20


def test_it_notices_doubled_data(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = spoilt(monkeypatch, lambda r: replace(r, resources=r.resources * 2))
    assert twice.duplicates >= 20


def test_it_notices_exceptions_outside_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    assert spoilt(monkeypatch, lambda r: 1 // 0).untyped == 20


def test_it_notices_what_a_log_tells_of_a_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    def tell(result: Result) -> Result:
        logging.getLogger("some.library").debug("received %s", json.dumps(result.resources))
        return result

    assert spoilt(monkeypatch, tell).leaks > 0


def test_it_notices_an_error_that_no_fault_explains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chaos, "LEADS_TO", {"internal": tuple(KINDS)})
    tally, _ = chaos.run(actions=60, threads=4, faults=0.5, seed=1)
    assert tally.typed_errors > 0
    assert tally.wrong == tally.typed_errors


def test_it_notices_sockets_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([0, 1])
    monkeypatch.setattr(chaos, "sockets", lambda: next(counts, 1))
    monkeypatch.setattr(chaos, "settled", lambda count, at_most: count() <= at_most)
    assert chaos.run(actions=5, threads=2, faults=0.0, seed=1)[0].leaks == 1


def test_the_command_prints_one_json_object() -> None:
    command = [sys.executable, "-m", "benchmarks.chaos", "--actions", "20", "--threads", "2"]
    done = subprocess.run(
        [*command, "--faults", "0.2", "--seed", "4", "--json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert list(json.loads(done.stdout)) == [
        *("actions", "right", "typed_errors", "wrong", "untyped", "duplicates", "leaks")
    ]
    assert done.stderr == ""
