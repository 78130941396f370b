"""The actions as LangChain tools. Needs the extra `langchain`.

    from practicefusion_connector.langchain import tools

    agent = create_agent(model, tools(pf))

A face: a tool's schema is for the model, every check is the connector's. The content of a tool's
message is the result as JSON, its artifact the whole `Result`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from langchain_core.tools import StructuredTool, ToolException
from pydantic_core import to_json

from practicefusion_connector.aio import AsyncPracticeFusion
from practicefusion_connector.catalog import catalog
from practicefusion_connector.connector import PracticeFusion
from practicefusion_connector.errors import ConnectorError
from practicefusion_connector.exports import mcp
from practicefusion_connector.result import Result

# Hosts let a tool answer with about 25,000 tokens.
OUTPUT_BYTES = 64_000


class ActionFailed(ToolException):
    """What a model reads where an action fails: the problem as JSON; `error` is the error."""

    def __init__(self, error: ConnectorError) -> None:
        super().__init__(to_json(error.to_dict()).decode())
        self.error = error


def tools(
    connector: PracticeFusion,
    *,
    granted_scopes: Iterable[str] | None = None,
    output_bytes: int = OUTPUT_BYTES,
) -> list[StructuredTool]:
    """Return a tool for each action.

    Args:
        granted_scopes: leaves out actions that these scopes do not cover; left out, the
            connection's own where they are known.
        output_bytes: how large a result may be where the model asks for no other size.
    """
    granted = tuple(granted_scopes or connector.granted_scopes()) or None
    twin = AsyncPracticeFusion(connector)
    defaults = {**mcp.DEFAULTS, "max_output_bytes": output_bytes}
    return [
        _tool(declared, connector, twin, defaults)
        for declared in mcp.tools(catalog(connector.registry), granted)
    ]


def _tool(
    declared: dict[str, Any],
    connector: PracticeFusion,
    twin: AsyncPracticeFusion,
    defaults: dict[str, Any],
) -> StructuredTool:
    key = declared["name"]

    def run(**inputs: Any) -> tuple[str, Result]:
        try:
            return _told(connector.run(key, defaults | inputs))
        except ConnectorError as error:
            raise ActionFailed(error) from error

    async def arun(**inputs: Any) -> tuple[str, Result]:
        try:
            return _told(await twin.run(key, defaults | inputs))
        except ConnectorError as error:
            raise ActionFailed(error) from error

    return StructuredTool(
        name=key,
        description=declared["description"],
        args_schema=declared["inputSchema"],
        func=run,
        coroutine=arun,
        response_format="content_and_artifact",
        handle_tool_error=True,
        tags=["practicefusion"],
        metadata={"annotations": declared["annotations"], **declared["_meta"]},
    )


def _told(result: Result) -> tuple[str, Result]:
    return to_json(result.to_dict()).decode(), result
