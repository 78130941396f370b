"""Definitions for hosts, each a translation of the catalog into one host's own format.

    mcp           tools for the Model Context Protocol
    openapi       the actions as an HTTP service, OpenAPI 3.1
    draft07       the catalog with JSON Schema draft-07, for consumers of older schemas
    zapier        an app definition that asks the FHIR server directly
    activepieces  a piece, as a JavaScript module, that asks the FHIR server directly
    n8n           a declarative node and its credential that ask the FHIR server directly

A face: it reads a catalog and decides nothing. What each format checks, retries or follows is the
host's own business; only `mcp` and `openapi` describe calls that run through the connector.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

FORMATS = ("mcp", "openapi", "zapier", "activepieces", "n8n", "draft07")


def export(catalog: Mapping[str, Any], format_name: str) -> str:
    """Return the catalog in a host's format, as the text of a file.

    Raises:
        KeyError: there is no such format; `FORMATS` names them.
    """
    if format_name not in FORMATS:
        raise KeyError(format_name)
    render: Callable[[Mapping[str, Any]], Any] = import_module(f"{__name__}.{format_name}").render
    rendered = render(catalog)
    if isinstance(rendered, str):
        return rendered
    return json.dumps(rendered, indent=2, ensure_ascii=False) + "\n"
