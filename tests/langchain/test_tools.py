"""The actions as LangChain tools: what a model is told, what it gets back, and how errors look."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("langchain_core", reason="service missing: langchain-core is not installed")

from langchain_core.messages import ToolMessage
from langchain_core.tools import StructuredTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from practicefusion_connector import PracticeFusion
from practicefusion_connector.langchain import ActionFailed, tools
from practicefusion_connector.registry import shipped
from tests.client.practice import authorized

Tools = dict[str, StructuredTool]


@pytest.fixture(scope="module")
def pf() -> Iterator[PracticeFusion]:
    with authorized() as (_, pf):
        yield pf


@pytest.fixture(scope="module")
def made(pf: PracticeFusion) -> Tools:
    return {tool.name: tool for tool in tools(pf)}


def call(made: Tools, key: str, **arguments: Any) -> ToolMessage:
    message = made[key].invoke({"type": "tool_call", "id": "1", "name": key, "args": arguments})
    assert isinstance(message, ToolMessage)
    return message


def test_there_is_a_tool_for_every_action(made: Tools) -> None:
    assert list(made) == [action.key for action in shipped()]
    for tool in made.values():
        told = convert_to_openai_tool(tool)["function"]
        assert told["name"] == tool.name
        assert told["description"]
        assert told["parameters"]["type"] == "object"
        assert tool.metadata is not None
        assert tool.metadata["annotations"]["readOnlyHint"] is True


@pytest.mark.parametrize("action", list(shipped()), ids=lambda action: action.key)
def test_every_tool_answers_its_sample(made: Tools, action: Any) -> None:
    message = call(made, action.key, **action.sample)
    content = json.loads(str(message.content))

    assert message.status == "success"
    assert content["rows"]
    assert message.artifact.to_dict()["rows"] == content["rows"]
    assert message.artifact.resources[0]["resourceType"] == action.resource


def test_the_artifact_has_the_resources_that_the_rows_leave_out(made: Tools) -> None:
    message = call(made, "search_patients", max_items=2)

    assert "resourceType" not in str(message.content)
    assert [each["resourceType"] for each in message.artifact.resources] == ["Patient"] * 2


def test_content_is_bounded(made: Tools, pf: PracticeFusion) -> None:
    message = call(made, "search_observations", page_size=200)
    small = {tool.name: tool for tool in tools(pf, output_bytes=4000)}

    assert len(str(message.content).encode()) <= 64_000
    assert message.artifact.has_more
    assert len(str(call(small, "search_patients").content).encode()) <= 4000


def test_an_error_is_something_a_model_can_act_on(made: Tools) -> None:
    message = call(made, "search_patients", familly="Shaw")
    problem = json.loads(str(message.content))

    assert message.status == "error"
    assert problem["code"] == "invalid_input"
    assert 'Did you mean "family"' in problem["detail"]


def test_a_missing_input_is_found_by_the_connector(made: Tools) -> None:
    problem = json.loads(str(call(made, "get_patient").content))

    assert [each["path"] for each in problem["problems"]] == ["id"]


def test_a_host_may_take_the_error_itself(pf: PracticeFusion) -> None:
    tool = next(tool for tool in tools(pf) if tool.name == "get_patient")
    tool.handle_tool_error = False

    with pytest.raises(ActionFailed) as caught:
        tool.invoke({"id": "nobody"})
    assert caught.value.error.code == "not_found"


def test_asyncio_gets_the_same(made: Tools) -> None:
    async def use() -> None:
        tool = made["search_patients"]
        request = {"type": "tool_call", "id": "1", "name": tool.name, "args": {"max_items": 1}}
        message = await tool.ainvoke(request)
        assert message.artifact.resources == call(made, tool.name, max_items=1).artifact.resources
        refused = await tool.ainvoke({**request, "args": {"familly": "Shaw"}})
        assert refused.status == "error"

    asyncio.run(use())


def test_only_actions_that_the_grant_covers(pf: PracticeFusion) -> None:
    names = [tool.name for tool in tools(pf, granted_scopes=["user/Patient.read"])]

    assert names == ["get_patient", "search_patients"]
