"""The command over stdio and HTTP, spoken to by the official client in both protocol eras."""

from __future__ import annotations

import asyncio
import os
import subprocess
from typing import Any

import httpx2
import pytest
import requests
from click.testing import CliRunner
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from pydantic import SecretStr

from practicefusion_connector import PracticeFusion
from practicefusion_connector.cli.mcp import mcp as command
from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.mcp import http_app, serve_http, server
from practicefusion_connector.registry import shipped
from tests.mcp.conftest import COMMAND, TOKEN

DISCOVER = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


def post(url: str, **headers: str) -> requests.Response:
    return requests.post(url, json=DISCOVER, headers=ACCEPT | headers, timeout=30)


async def look_around(client: Client) -> None:
    assert client.server_info is not None
    assert client.server_info.name == "practicefusion"
    tools = (await client.list_tools()).tools
    assert [tool.name for tool in tools] == [action.key for action in shipped()]
    found = await client.call_tool("search_patients", {"max_items": 1})
    (row,) = found.structured_content["rows"]
    again = await client.call_tool("get_patient", {"id": row["id"]})
    assert again.structured_content["rows"] == [row]
    refused = await client.call_tool("get_patient", {"id": "no such"})
    assert refused.is_error


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_stdio(mode: str) -> None:
    async def use() -> None:
        parameters = StdioServerParameters(
            command=COMMAND[0], args=[*COMMAND[1:], "--sandbox"], env=dict(os.environ)
        )
        async with Client(parameters, mode=mode) as client:
            await look_around(client)

    asyncio.run(asyncio.wait_for(use(), 60))


def test_stdio_ends_with_its_input() -> None:
    ended = subprocess.run(
        [*COMMAND, "--sandbox"], input="", capture_output=True, text=True, timeout=60, check=False
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_http(url: str, mode: str) -> None:
    async def use() -> None:
        async with Client(url, mode=mode) as client:
            await look_around(client)

    asyncio.run(asyncio.wait_for(use(), 60))


def test_http_with_a_token(guarded_url: str) -> None:
    async def use() -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(guarded_url, http_client=http)) as client,
        ):
            await look_around(client)

    asyncio.run(asyncio.wait_for(use(), 60))


def test_http_refuses_who_names_another_host(url: str) -> None:
    port = url.split(":")[2].partition("/")[0]

    assert post(url).status_code == 200
    assert post(url, Host=f"localhost:{port}").status_code == 200
    assert post(url, Host="evil.example").status_code == 421
    assert post(url, Host=f"127.0.0.1.evil.example:{port}").status_code == 421
    assert post(url, Origin="https://evil.example").status_code == 403
    assert post(url, Origin=f"http://localhost:{port}").status_code == 200


def test_http_wants_the_token_it_was_given(guarded_url: str) -> None:
    right = {"Authorization": f"Bearer {TOKEN}"}
    refused = post(guarded_url)

    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer ")
    assert post(guarded_url, Authorization="Bearer another").status_code == 401
    assert post(guarded_url, Authorization=f"Basic {TOKEN}").status_code == 401
    assert post(guarded_url, **right).status_code == 200
    assert post(guarded_url, Host="mcp.example.com", **right).status_code == 200
    assert post(guarded_url, Host="other.example.com", **right).status_code == 421


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "mcp.example.com", ""])
def test_beyond_loopback_there_is_a_token(pf: PracticeFusion, host: str) -> None:
    with pytest.raises(InvalidConfig, match="bearer token"):
        http_app(server(pf), host, 80)


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1"])
def test_an_empty_token_is_no_token(pf: PracticeFusion, host: str) -> None:
    with pytest.raises(InvalidConfig, match="must not be empty"):
        http_app(server(pf), host, 80, token=SecretStr(""))


def test_on_every_address_the_hosts_are_named(pf: PracticeFusion) -> None:
    token = SecretStr("x")
    with pytest.raises(InvalidConfig, match="name the hosts"):
        http_app(server(pf), "0.0.0.0", 80, token=token)
    assert http_app(server(pf), "0.0.0.0", 80, token=token, allowed_hosts=["mcp.example.com"])


def test_a_taken_port_is_told(pf: PracticeFusion, url: str) -> None:
    port = int(url.split(":")[2].partition("/")[0])
    with pytest.raises(InvalidConfig, match="cannot be listened on"):
        serve_http(server(pf), "127.0.0.1", port)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--connection", "a", "--sandbox"], "one of --connection and --sandbox"),
        (["--sandbox", "--http", "8765"], "HOST:PORT"),
        (["--sandbox", "--http", "127.0.0.1:99999"], "HOST:PORT"),
        (["--sandbox", "--token-env", "X"], "go with --http"),
    ],
)
def test_wrong_options_are_told(options: list[str], told: str) -> None:
    ended = CliRunner().invoke(command, options)

    assert ended.exit_code == 2
    assert told in ended.output


def test_the_connection_is_the_one_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("PRACTICEFUSION_STORE", "memory:")
    ended = CliRunner().invoke(command, ["--connection", "clinic"])

    assert 'There is no connection "clinic"' in str(ended.exception)
