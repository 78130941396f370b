"""The Model Context Protocol server: every action as a tool, over stdio or streamable HTTP.

    catalog ─► exports.mcp ─► tools ─► service (stdio, HTTP) ─► a model's host

A face: it translates and decides nothing. The practice comes from the connector it is given, never
from a model. Needs the extra `mcp`.
"""

from practicefusion_connector.mcp.service import http_app, serve_http, serve_stdio
from practicefusion_connector.mcp.tools import server

__all__ = ["http_app", "serve_http", "serve_stdio", "server"]
