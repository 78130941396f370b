"""The demo: every action over real HTTP, judged against the data the practice holds."""

from __future__ import annotations

import functools
import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from practicefusion_connector import sandbox
from practicefusion_connector.registry import shipped
from practicefusion_connector.sandbox import Behaviour, Sandbox
from tests.cli.conftest import Commands

US_CORE = Path(__file__).parents[3] / "shared" / "data" / "us-core-6.1.0"
CORE = [action.key for action in shipped().core()]


def test_json_is_one_object_and_all_33_find_something() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(
        [sys.executable, "-m", "practicefusion_connector.cli", "demo", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Of the processor's time: what else the machine does is not the demo's.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 10
    assert ended.stderr == ""
    told = json.loads(ended.stdout)
    assert told.keys() == {"actions"}
    assert sorted(entry["key"] for entry in told["actions"]) == sorted(CORE)
    for entry in told["actions"]:
        assert entry.keys() == {"key", "ok", "count", "ms"}
        assert entry["ok"] is True
        assert entry["count"] >= 1
        assert entry["ms"] > 0


def test_a_person_sees_a_table_a_patient_and_what_to_try_next(commands: Commands) -> None:
    ended = commands("demo")
    assert ended.code == 0
    assert ended.err == ""
    for key in CORE:
        assert f"  {key} " in ended.out
    assert "33 of 33 actions ok" in ended.out
    assert "Birth date" in ended.out
    assert "Condition " in ended.out
    assert "practicefusion connect --help" in ended.out


@pytest.mark.skipif(not US_CORE.is_dir(), reason="the US Core examples are not here")
def test_real_data_of_every_type(commands: Commands) -> None:
    ended = commands("demo", "--data", str(US_CORE), "--json")
    assert ended.code == 0
    found = ended.json["actions"]
    assert len(found) == 33
    assert all(entry["ok"] and entry["count"] >= 1 for entry in found)


def test_a_type_the_data_lacks_is_ok_with_count_0(commands: Commands, tmp_path: Path) -> None:
    patient = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Only"}]}
    (tmp_path / "patient.json").write_text(json.dumps(patient))
    (tmp_path / "broken.json").write_text("{")
    ended = commands("demo", "--data", str(tmp_path), "--json")
    assert ended.code == 0
    counts = {entry["key"]: entry["count"] for entry in ended.json["actions"]}
    assert counts == {key: int("patient" in key) for key in CORE}
    shown = commands("demo", "--data", str(tmp_path))
    assert "none in this data" in shown.out
    assert shown.err == "Parts of the data left out: 1.\n"


def test_an_action_that_fails_is_told_and_ends_in_exit_code_1(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    behaviour = Behaviour(granted_scopes_filter=lambda scope: "Goal" not in scope)
    limited = functools.partial(Sandbox, behaviour=behaviour, patients=4)
    monkeypatch.setattr(sandbox, "Sandbox", limited)
    ended = commands("demo", "--json")
    assert ended.code == 1
    failed = {entry["key"] for entry in ended.json["actions"] if not entry["ok"]}
    assert failed == {"get_goal", "search_goals"}
    assert {line.partition(":")[0] for line in ended.err.splitlines()} == failed


def test_data_that_a_search_does_not_find_is_a_failure(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Forgetful(Sandbox):
        """Says it holds a goal that it does not serve."""

        @property
        def resources(self) -> dict[str, dict[str, dict[str, object]]]:
            return {**super().resources, "Goal": {"g1": {"resourceType": "Goal", "id": "g1"}}}

    patient = {"resourceType": "Patient", "id": "p1"}
    monkeypatch.setattr(
        "practicefusion_connector.sandbox.server.load_directory", lambda _: ([patient], [])
    )
    monkeypatch.setattr(sandbox, "Sandbox", Forgetful)
    ended = commands("demo", "--data", ".", "--json")
    assert ended.code == 1
    failed = {entry["key"] for entry in ended.json["actions"] if not entry["ok"]}
    assert failed == {"get_goal", "search_goals"}


def test_one_thing_is_shown_at_a_time(commands: Commands) -> None:
    said = commands("demo", "--sync", "--medfusion")
    said.failed_in_one_line(2, "invalid_input: Give one of --medfusion and --sync.")
