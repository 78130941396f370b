"""pydantic-ai with its test model, a host without a language model, against the server at a URL.

The model calls the tools it is given; what they answered is printed as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys

from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ToolReturnPart
from pydantic_ai.models.test import TestModel


async def main(url: str) -> None:
    model = TestModel(call_tools=["search_patients", "search_practitioners"])
    agent = Agent(model, toolsets=[MCPToolset(url)])
    async with agent:
        run = await agent.run("Who is there?")
    parts = [part for message in run.all_messages() for part in message.parts]
    answers = {part.tool_name: part.content for part in parts if isinstance(part, ToolReturnPart)}
    offered = model.last_model_request_parameters
    tools = [tool.name for tool in offered.function_tools] if offered else []
    sys.stdout.write(json.dumps({"tools": tools, "answers": answers}, default=str))


asyncio.run(main(sys.argv[1]))
