"""The code in docs/python.md and docs/mcp.md runs as it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector import HostTokens, PracticeFusion

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_python_page(
    pf: PracticeFusion, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for library in ("pandas", "langchain_core"):
        pytest.importorskip(library, reason=f"service missing: {library} is not installed")
    tokens = pf._tokens
    assert isinstance(tokens, HostTokens)
    names: dict[str, Any] = {
        "fhir_base_url": pf.connection.fhir_base_url,
        "client_id": pf.connection.client_id,
        "access_token": tokens._token,
        "views": tmp_path,
    }
    shown = blocks("python.md", "python")
    # The block on asyncio closes the connector, so it comes last.
    for block in sorted(shown, key=lambda block: "asyncio" in block):
        exec(block, names)

    assert names["result"].resources
    assert len(names["vitals"]) > 5
    assert len(names["frame"]) == len(names["vitals"])
    assert names["second"].resources[0] not in names["first"].resources
    assert names["message"].artifact.resources
    assert capsys.readouterr().out.startswith("10 True\n10 False\n")


def test_the_mcp_page(pf: PracticeFusion) -> None:
    pytest.importorskip("mcp", reason="service missing: mcp is not installed")
    from practicefusion_connector.cli.mcp import mcp as command

    names: dict[str, Any] = {"pf": pf}
    for block in blocks("mcp.md", "python"):
        exec(block, names)
    assert names["app"].routes

    (configuration,) = blocks("mcp.md", "json")
    started = json.loads(configuration)["mcpServers"]["practicefusion"]
    shown = [" ".join([started["command"], *started["args"]]), *blocks("mcp.md", "console")]
    lines = "\n".join(shown).replace("\\\n", " ").splitlines()
    calls = [line.partition("practicefusion mcp ")[2] for line in lines]
    assert sum(map(bool, calls)) == 4
    for options in filter(None, calls):
        command.make_context("practicefusion mcp", options.split())
