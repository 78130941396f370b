"""`practicefusion history`: tables and a chart for people, JSON for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from practicefusion_connector.cli.history import history
from practicefusion_connector.history import JsonLinesSink, RunRecord, SqlSink
from practicefusion_connector.sandbox import FaultProfile
from tests.robustness.practice import faulty, without_sleeping


def runs() -> list[RunRecord]:
    common: dict[str, Any] = {
        "connection_id": "clinic",
        "practice": "https://practice.example/fhir",
    }
    return [
        RunRecord(1_700_000_000.0, "get_patient", attempts=3, refreshes=1, results=1, **common),
        RunRecord(1_700_000_060.0, "search_patients", attempts=1, pages=1, results=9, **common),
        RunRecord(
            1_700_000_120.0,
            "search_patients",
            code="rate_limited",
            attempts=5,
            waits=[(7.5, "rate_limited")],
            **common,
        ),
    ]


def shown(*arguments: str) -> str:
    done = CliRunner().invoke(history, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "runs.jsonl"
    for record in runs():
        JsonLinesSink(path).write(record)
    return str(path)


def test_tables_and_a_chart(file: str) -> None:
    text = shown("--source", file)
    for part in ("Runs", "Token refreshes", "Rate-limit waits", "Over time", "7.5 s", "█"):
        assert part in text
    assert text.count("search_patients") == 3
    assert "rate_limited" in text


def test_the_limit_is_of_rows_and_not_of_the_sums(file: str) -> None:
    data = json.loads(shown("--source", file, "--limit", "1", "--json"))
    assert [run["code"] for run in data["runs"]] == ["rate_limited"]
    assert (data["totals"]["runs"], data["totals"]["failures"]) == (3, 1)
    assert data["totals"]["waited"] == {"rate_limited": 7.5}
    assert sum(span["runs"] for span in data["over_time"]) == 3


def test_a_database_is_a_source_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/history.db"
    sink = SqlSink(url, keep_days=None)
    for record in runs():
        sink.write(record)
    sink.close()
    assert len(json.loads(shown("--source", url, "--json"))["runs"]) == 3


def test_the_environment_names_the_history(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRACTICEFUSION_HISTORY", file)
    assert "search_patients" in shown()


def test_an_empty_history_says_so(tmp_path: Path) -> None:
    assert "no runs" in shown("--source", str(tmp_path / "none.jsonl"))
    assert json.loads(shown("--source", str(tmp_path / "none.jsonl"), "--json"))["runs"] == []


def test_what_a_connector_recorded_is_shown(tmp_path: Path) -> None:
    from practicefusion_connector.history import History

    path = tmp_path / "runs.jsonl"
    profile = FaultProfile(rate=1, kinds={"429-seconds": 1}, times=2, retry_after=2)
    with without_sleeping(), faulty(profile, history=History(JsonLinesSink(path))) as (pf, box, _):
        for patient in box.resources["Patient"]:
            pf.run("search_observations", {"patient": patient, "_count": 3, "max_items": 12})
    text = shown("--source", str(path))
    assert "Rate-limit waits" in text
    assert "Token refreshes" in text
