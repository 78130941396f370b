"""What the documentation shows runs, against the sandbox."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.transport import Transport
from tests.bulk.conftest import backend, managed

TEXT = (Path(__file__).parents[2] / "docs" / "bulk.md").read_text(encoding="utf-8")
EXPORTING, TRYING = re.findall(r"```python\n(.*?)```", TEXT, re.S)


def test_the_export_runs(
    sandbox: Sandbox, wire: Transport, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = backend(sandbox)
    names = {
        "connection": connection,
        "tokens": managed(connection, wire),
        "folder": tmp_path,
    }
    exec(EXPORTING, names)
    assert "Patient 5 Patient.000.ndjson" in capsys.readouterr().out
    outcome = names["outcome"]
    assert names["next_time"].since == outcome.transaction_time  # type: ignore[attr-defined]


def test_the_sandbox_can_be_told_to_misbehave(sandbox: Sandbox) -> None:
    before = len(sandbox.resources["Patient"])
    exec(TRYING, {"sandbox": sandbox})
    assert len(sandbox.resources["Patient"]) == before - 1
