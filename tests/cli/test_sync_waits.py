"""A sync waits as long as a server asks, where an action at a screen would give up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from werkzeug import Request, Response

from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.transport.run import Run
from tests.cli.conftest import Commands


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(Run, "sleep", lambda self, seconds, reason: waited.append(seconds))
    return waited


def test_a_server_that_asks_for_minutes_gets_them(
    commands: Commands, practice: Sandbox, tmp_path: Path, waits: list[float]
) -> None:
    asked = iter([Response(status=429, headers={"Retry-After": "300"})])

    def limit(request: Request) -> Response | None:
        return next(asked, None) if "Goal" in request.path else None

    practice.behaviour.before_request = limit
    settings: dict[str, Any] = {
        "PF_FHIR_BASE_URL": practice.fhir_base_url,
        "PF_CLIENT_ID": practice.backend_client_id,
        "PF_CLIENT_SECRET": practice.backend_client_secret,
    }
    commands.environment |= settings
    config = tmp_path / "sync.toml"
    config.write_text('[source]\nmode = "crawl"\n')
    ran = commands(
        *("sync", "run", "--config", str(config), "--type", "Goal", "--json"),
        *("--to", f"ndjson:{tmp_path}/out", "--folder", str(tmp_path / "sync")),
    )
    assert ran.code == 0, ran
    assert ran.json["status"] == "done"
    assert any(300 <= seconds < 301 for seconds in waits)
