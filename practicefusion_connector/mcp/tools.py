"""The tools: what `tools/list` and `tools/call` answer, from the catalog and the connector.

It knows the protocol's messages and not how they travel.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from mcp.server import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)
from pydantic_core import to_json

from practicefusion_connector.aio import AsyncPracticeFusion
from practicefusion_connector.catalog import catalog
from practicefusion_connector.connector import PracticeFusion
from practicefusion_connector.errors import ConnectorError, InternalError
from practicefusion_connector.exports.mcp import DEFAULTS, tools
from practicefusion_connector.registry.values import nearest

# Hosts let a tool answer with about 25,000 tokens.
OUTPUT_BYTES = 64_000
_TOOLS_FRESH_MS = 300_000
_INSTRUCTIONS = (
    "Reads one practice's health records from Practice Fusion; nothing is changed. Find a "
    "patient's id with search_patients, then search that patient's records with it. Results are "
    'rows in plain words; view "full" gives FHIR R4 instead. Where has_more is true, call again '
    "with next_cursor as cursor."
)
_log = logging.getLogger(__name__)


def server(connector: PracticeFusion, *, output_bytes: int = OUTPUT_BYTES) -> Server[Any]:
    """Return an MCP server whose tools are the connector's actions.

    Args:
        connector: runs the actions; closing it is the caller's business.
        output_bytes: how large a result may be where the model asks for no other size.
    """
    handlers = _Handlers(connector, output_bytes)
    return Server(
        "practicefusion",
        title="Practice Fusion",
        version=version("practicefusion-connector"),
        instructions=_INSTRUCTIONS,
        get_tool_input_schema=handlers.schemas.get,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
    )


class _Handlers:
    def __init__(self, connector: PracticeFusion, output_bytes: int) -> None:
        declared = catalog(connector.registry)
        self._connector = AsyncPracticeFusion(connector)
        self._defaults = {**DEFAULTS, "max_output_bytes": output_bytes}
        # Lists are the same for the same grant, and a grant seldom changes.
        self._tools = lru_cache(maxsize=4)(
            lambda granted: [Tool.model_validate(each) for each in tools(declared, granted)]
        )
        self.schemas: dict[str, Mapping[str, Any]] = {
            tool.name: tool.input_schema for tool in self._tools(None)
        }

    async def list_tools(
        self, context: ServerRequestContext[Any], params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        try:
            granted = await self._connector.granted_scopes()
        except Exception as error:
            # A store's own error may hold its address, so only its kind is told.
            kind = type(error).__name__
            raise MCPError(INTERNAL_ERROR, f"The grant cannot be read ({kind}).") from None
        return ListToolsResult(
            tools=self._tools(granted or None), ttl_ms=_TOOLS_FRESH_MS, cache_scope="private"
        )

    async def call_tool(
        self, context: ServerRequestContext[Any], params: CallToolRequestParams
    ) -> CallToolResult:
        if params.name not in self.schemas:
            near = nearest(params.name, self.schemas)
            raise MCPError(INVALID_PARAMS, f"There is no tool of this name.{near}")
        try:
            inputs = {**self._defaults, **(params.arguments or {})}
            result = await self._connector.run(params.name, inputs)
            return _answer(result.to_dict())
        except ConnectorError as error:
            return _problem(error)
        except Exception as error:
            # What went wrong may hold a patient's data, so only its kind is told.
            _log.error("%s failed with %s.", params.name, type(error).__name__)
            return _problem(InternalError(f"The connector failed with {type(error).__name__}."))


def _answer(result: dict[str, Any]) -> CallToolResult:
    text = TextContent(text=to_json(result).decode())
    return CallToolResult(content=[text], structured_content=result)


def _problem(error: ConnectorError) -> CallToolResult:
    text = TextContent(text=to_json(error.to_dict()).decode())
    return CallToolResult(content=[text], is_error=True)
