"""An action that is added as a file is a tool, a method and a LangChain tool at once."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector import PracticeFusion, Registry
from practicefusion_connector.aio import AsyncPracticeFusion
from scripts.generate_client import stub
from tests.client.practice import authorized

ACTION = """
resource    = "Location"
noun        = "location"
plural      = "locations"
sensitivity = "directory"

[scopes]
v1 = "Location.read"
v2 = "Location.rs"

[get]
title       = "Get Location by ID"
description = "Returns one place where care is given."
sample      = { id = "main" }

[search]
title       = "Search Locations"
description = "Finds places where care is given."
shared      = ["_id"]
sample      = { id = "main" }

[search.parameters.address-city]
type     = "string"
support  = "fhir-r4"
or       = true
says     = "City the place is in."
examples = ["Tateside"]
"""
MAIN = {"resourceType": "Location", "id": "main", "name": "Main Street Clinic"}


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeFusion]:
    """A practice with a place in it, and a registry with a file for places."""
    actions, data = tmp_path_factory.mktemp("actions"), tmp_path_factory.mktemp("data")
    (actions / "location.toml").write_text(ACTION)
    (data / "main.json").write_text(json.dumps(MAIN))
    with authorized(data=data, registry=Registry.load(actions)) as (_, pf):
        yield pf


def test_it_is_a_method_of_both_clients(practice: PracticeFusion) -> None:
    pf: Any = practice
    result = pf.search_locations(id="main")

    assert result.resources == [MAIN]
    assert pf.get_location("main").resource == MAIN
    assert [page.resources for page in pf.paged.search_locations(id="main")] == [[MAIN]]
    assert "address_city" in inspect.signature(pf.search_locations).parameters
    assert "City the place is in." in pf.search_locations.__doc__
    assert {"get_location", "search_locations"} <= set(dir(pf))
    twin: Any = AsyncPracticeFusion(practice)
    assert asyncio.run(twin.get_location("main")).resource == MAIN


def test_a_type_without_a_summary_view_is_given_in_full(practice: PracticeFusion) -> None:
    result = practice.run("get_location", {"id": "main", "view": "summary"})

    assert result.to_dict()["resources"] == [MAIN]
    assert [warning.code for warning in result.warnings] == ["no_summary_view"]


def test_a_user_s_view_of_the_new_type_is_taken(practice: PracticeFusion, tmp_path: Path) -> None:
    columns = [{"name": name, "path": name, "type": "string"} for name in ("id", "name")]
    view = {"status": "active", "select": [{"column": columns}]}
    (tmp_path / "Location.json").write_text(json.dumps(view))
    with PracticeFusion(
        practice.connection, practice._tokens, registry=practice.registry, views=tmp_path
    ) as pf:
        result = pf.run("get_location", {"id": "main", "view": "summary"})

    assert result.summary() == [{"id": "main", "name": "Main Street Clinic"}]
    assert result.warnings == []


def test_it_is_in_the_stub(practice: PracticeFusion) -> None:
    text = stub(practice.registry)

    assert "    def search_locations(" in text
    assert "        address_city: Text | None = None," in text
    assert "    async def get_location(" in text


def test_it_is_a_tool_of_the_mcp_server(practice: PracticeFusion) -> None:
    mcp = pytest.importorskip("mcp", reason="service missing: mcp is not installed")
    from practicefusion_connector.mcp import server

    async def use() -> None:
        async with mcp.Client(server(practice)) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert "address_city" in tools["search_locations"].input_schema["properties"]
            answer = await client.call_tool("get_location", {"id": "main"})
            assert answer.structured_content["resources"] == [MAIN]

    asyncio.run(use())


def test_it_is_a_langchain_tool(practice: PracticeFusion) -> None:
    pytest.importorskip("langchain_core", reason="service missing: langchain-core is not installed")
    from practicefusion_connector.langchain import tools

    made = {tool.name: tool for tool in tools(practice)}
    call = {"type": "tool_call", "id": "1", "name": "get_location", "args": {"id": "main"}}
    assert made["get_location"].invoke(call).artifact.resource == MAIN
