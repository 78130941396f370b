"""LangChain's own MCP adapters against the server at a URL; prints what it saw as JSON.

Runs in an environment of its own, as the adapters need version 1 of the MCP SDK.
"""

from __future__ import annotations

import asyncio
import json
import sys

from langchain_mcp_adapters.client import MultiServerMCPClient


async def main(url: str) -> None:
    client = MultiServerMCPClient({"practice": {"transport": "streamable_http", "url": url}})
    tools = {tool.name: tool for tool in await client.get_tools()}
    call = {"name": "search_patients", "id": "1", "type": "tool_call"}
    found = await tools["search_patients"].ainvoke({**call, "args": {"max_items": 1}})
    refused = await tools["search_patients"].ainvoke({**call, "args": {"familly": "Shaw"}})
    seen = {
        "tools": list(tools),
        "meta": tools["search_patients"].metadata["_meta"],
        "content": found.content,
        "artifact": found.artifact,
        "refused": [refused.status, refused.content],
    }
    sys.stdout.write(json.dumps(seen, default=str))


asyncio.run(main(sys.argv[1]))
