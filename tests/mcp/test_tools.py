"""What the tools are and answer, seen by the official client in the same process."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from threading import Event
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, CallToolResult, TextContent
from pydantic_core import to_json

from practicefusion_connector import PracticeFusion
from practicefusion_connector.catalog import catalog
from practicefusion_connector.exports import mcp as exported
from practicefusion_connector.mcp import server
from practicefusion_connector.registry import shipped
from practicefusion_connector.transport import Run
from tests.client.practice import authorized

KEYS = [action.key for action in shipped()]
WAIT = 30.0
Use = Callable[[Client], Awaitable[None]]


def use(pf: PracticeFusion, body: Use, mode: str = "auto", **options: Any) -> None:
    async def connected() -> None:
        async with Client(server(pf, **options), mode=mode) as client:
            await body(client)

    asyncio.run(asyncio.wait_for(connected(), WAIT))


def text(answer: CallToolResult) -> Any:
    (content,) = answer.content
    assert isinstance(content, TextContent)
    return json.loads(content.text)


def problem(answer: CallToolResult) -> Any:
    assert answer.is_error
    assert answer.structured_content is None
    return text(answer)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_list_is_the_export_of_the_catalog(pf: PracticeFusion, mode: str) -> None:
    async def body(client: Client) -> None:
        listed = await client.list_tools()
        tools = [
            tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed.tools
        ]
        assert tools == exported.tools(catalog(pf.registry))
        if mode == "auto":
            assert (listed.cache_scope, listed.ttl_ms) == ("private", 300_000)

    use(pf, body, mode)


def test_a_tool_says_what_a_host_needs(pf: PracticeFusion) -> None:
    async def body(client: Client) -> None:
        tools = (await client.list_tools()).tools
        sizes = [len(to_json([tool.name, tool.description, tool.input_schema])) for tool in tools]
        assert [tool.name for tool in tools] == KEYS
        assert sum(sizes) / len(sizes) <= 1024
        for tool in tools:
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint is True
            assert tool.annotations.destructive_hint is False
            assert tool.meta is not None
            assert tool.meta["practicefusion/scope_requirements"]["all_of"]
            assert tool.meta["practicefusion/sensitivity"] in ("phi", "directory")
            assert tool.meta["practicefusion/version"]
            assert "connection" not in tool.input_schema["properties"]

    use(pf, body)


def test_the_list_holds_what_the_grant_covers() -> None:
    async def body(client: Client) -> None:
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert names == ["get_patient", "search_patients"]
        refused = problem(await client.call_tool("search_conditions", {"patient": "1"}))
        assert refused["remedy"] in ("reconnect_with_scopes", "ask_admin")

    with authorized(scopes="openid fhirUser offline_access user/Patient.read") as (_, pf):
        use(pf, body)


@pytest.mark.parametrize("action", list(shipped()), ids=lambda action: action.key)
def test_every_tool_answers_its_sample(pf: PracticeFusion, action: Any) -> None:
    async def body(client: Client) -> None:
        await client.list_tools()  # so that the client checks answers against their schemas
        answer = await client.call_tool(action.key, action.sample)
        assert not answer.is_error, text(answer)
        content = answer.structured_content
        assert content["action"] == action.key
        assert content["rows"]
        assert "resources" not in content
        assert text(answer) == content

    use(pf, body)


def test_the_full_view_is_there_for_the_asking(pf: PracticeFusion) -> None:
    async def body(client: Client) -> None:
        answer = await client.call_tool("search_patients", {"view": "full", "max_items": 2})
        content = answer.structured_content
        assert [each["resourceType"] for each in content["resources"]] == ["Patient", "Patient"]

    use(pf, body)


def test_answers_are_bounded_and_go_on(pf: PracticeFusion) -> None:
    expected = [each["id"] for each in pf.iterate("search_observations", {"page_size": 200})]

    async def body(client: Client) -> None:
        found: list[str] = []
        inputs: dict[str, Any] = {"page_size": 200}
        calls = 0
        while inputs:
            answer = await client.call_tool("search_observations", inputs)
            content = answer.structured_content
            assert len(to_json(content)) <= 64_000
            found += [row["id"] for row in content["rows"]]
            inputs = {"cursor": content["next_cursor"]} if content["has_more"] else {}
            calls += 1
        assert found == expected
        assert calls > len(expected) / 200

    use(pf, body)


def test_the_server_s_own_bound(pf: PracticeFusion) -> None:
    async def body(client: Client) -> None:
        small = await client.call_tool("search_patients", {})
        large = await client.call_tool("search_patients", {"max_output_bytes": 50_000})
        assert len(to_json(small.structured_content)) <= 4000
        assert small.structured_content["has_more"]
        assert large.structured_content["count"] == 20

    use(pf, body, output_bytes=4000)


@pytest.mark.parametrize(
    ("name", "arguments", "code", "path"),
    [
        ("search_patients", {"familly": "Shaw"}, "invalid_input", "familly"),
        ("get_patient", {}, "invalid_input", "id"),
        ("get_patient", {"id": 1}, "invalid_input", "id"),
        ("get_patient", {"id": "1", "connection": "other"}, "invalid_input", "connection"),
        ("search_patients", {"cursor": "forged"}, "invalid_input", "cursor"),
        ("get_patient", {"id": "nobody"}, "not_found", None),
        ("get_patient", None, "invalid_input", "id"),
    ],
)
def test_an_error_is_something_a_model_can_act_on(
    pf: PracticeFusion, name: str, arguments: Any, code: str, path: str | None
) -> None:
    async def body(client: Client) -> None:
        told = problem(await client.call_tool(name, arguments))
        assert told["code"] == code
        assert told["advice"]
        assert told["action"] == name
        assert told["retryable"] is False
        assert [each["path"] for each in told.get("problems", ())] == ([path] if path else [])

    use(pf, body)


def test_an_unknown_tool_is_a_protocol_error(pf: PracticeFusion) -> None:
    async def body(client: Client) -> None:
        with pytest.raises(MCPError, match='Did you mean "search_patients"') as caught:
            await client.call_tool("search_patient", {})
        assert caught.value.code == INVALID_PARAMS

    use(pf, body)


def test_a_defect_tells_nothing_of_the_data(
    pf: PracticeFusion, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any, **options: Any) -> None:
        raise ValueError("Shaw, 1980-01-01")

    async def body(client: Client) -> None:
        told = problem(await client.call_tool("search_patients", {"family": "Shaw"}))
        assert told["code"] == "internal"
        assert "ValueError" in told["detail"]
        assert "Shaw" not in json.dumps(told)

    monkeypatch.setattr(pf, "run", broken)
    with caplog.at_level(logging.DEBUG):
        use(pf, body)
    assert "ValueError" in caplog.text
    assert "1980-01-01" not in caplog.text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_store_that_fails_is_told_without_its_address(
    pf: PracticeFusion, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    def broken() -> tuple[str, ...]:
        raise OSError("postgresql://user:password@db.example/tokens")

    async def body(client: Client) -> None:
        with pytest.raises(MCPError, match="OSError") as caught:
            await client.list_tools()
        assert caught.value.code == INTERNAL_ERROR
        assert "password" not in str(caught.value)

    monkeypatch.setattr(pf, "granted_scopes", broken)
    use(pf, body, mode)


class Gate:
    """Hands out a token once it is open, and notices a run that was stopped before."""

    def __init__(self) -> None:
        self.waiting, self.stopped = Event(), Event()

    def access_token(self, run: Run, *, rejected: str | None = None) -> str:
        self.waiting.set()
        assert run.cancel is not None
        run.cancel.wait(WAIT)
        self.stopped.set()
        run.check()
        raise AssertionError("the run was not stopped")


def test_a_call_neither_blocks_others_nor_outlives_its_cancellation(pf: PracticeFusion) -> None:
    gate = Gate()

    async def body(client: Client) -> None:
        async with anyio.create_task_group() as calls:
            calls.start_soon(client.call_tool, "search_patients", {})
            await asyncio.to_thread(gate.waiting.wait, WAIT)
            assert len((await client.list_tools()).tools) == len(KEYS)
            assert problem(await client.call_tool("get_patient", {}))["code"] == "invalid_input"
            calls.cancel_scope.cancel()
        assert await asyncio.to_thread(gate.stopped.wait, WAIT)

    with PracticeFusion(pf.connection, gate) as waiting:
        use(waiting, body)
