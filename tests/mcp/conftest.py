"""A practice with a connector, and servers reached as hosts reach them: stdio and HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from practicefusion_connector import PracticeFusion
from practicefusion_connector.sandbox import Sandbox
from tests.client.practice import authorized

pytest.importorskip("mcp", reason="service missing: mcp is not installed")

COMMAND = [
    *(sys.executable, "-c"),
    "from practicefusion_connector.cli.mcp import mcp; mcp(prog_name='practicefusion mcp')",
]
TOKEN = "a-token-of-the-test"


@pytest.fixture(scope="session")
def opened() -> Iterator[tuple[Sandbox, PracticeFusion]]:
    with authorized() as opened:
        yield opened


@pytest.fixture
def pf(opened: tuple[Sandbox, PracticeFusion]) -> PracticeFusion:
    return opened[1]


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """Run the command with `--http` on a free port and give the server's URL."""
    command = [*COMMAND, "--sandbox", "--http", "127.0.0.1:0", *options]
    server = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=os.environ | {"MCP_TOKEN": TOKEN}
    )
    assert server.stderr is not None
    try:
        told = server.stderr.readline()
        assert told.startswith("Serving http://127.0.0.1:"), told + server.stderr.read()
        yield told.removeprefix("Serving ").strip()
    finally:
        server.send_signal(signal.SIGTERM)
        rest = server.communicate(timeout=30)[1]
    assert "Traceback" not in rest, rest


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture(scope="session")
def guarded_url() -> Iterator[str]:
    """A server that wants the token."""
    with serving("--token-env", "MCP_TOKEN", "--allowed-host", "mcp.example.com") as url:
        yield url
