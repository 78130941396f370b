"""The actions as an HTTP service, in OpenAPI 3.1: `POST /actions/{key}` for each action.

For a host that puts the connector behind HTTP, or tells another program how it would: the body is
the action's input, the answer its result, a failure the connector's problem details. OpenAPI 3.1
speaks JSON Schema 2020-12, so the catalog's schemas stand here as they are; only their `$defs` move
to `components`, where its tools look for them.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

_BODY = "application/json"
_PROBLEM = "application/problem+json"


def render(catalog: Mapping[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI document of a catalog."""
    connector = catalog["connector"]
    schemas: dict[str, Any] = {"Error": _plain(catalog["error_schema"], {})}
    paths = {f"/actions/{action['key']}": _path(action, schemas) for action in catalog["actions"]}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{connector['title']} actions",
            "description": connector["description"],
            "version": connector["version"],
        },
        "externalDocs": {"url": connector["docs_url"]},
        "servers": [
            {
                "url": "{base_url}",
                "description": "The host that runs the connector.",
                "variables": {"base_url": {"default": "http://localhost:8000"}},
            }
        ],
        "security": [{"host": []}],
        "tags": [{"name": name} for name in _resources(catalog)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": {"Problem": _problem()},
            "securitySchemes": {
                "host": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The host's own token, which also says whose connection it is.",
                }
            },
        },
    }


def _resources(catalog: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(action["resource"] for action in catalog["actions"]))


def _path(action: Mapping[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    body = {
        "schema": _plain(action["input_schema"], schemas),
        "example": action["sample_input"],
    }
    answer = {
        "schema": _plain(action["output_schema"], schemas, named=action["key"]),
        "example": action["sample_output"],
    }
    return {
        "post": {
            "operationId": action["key"],
            "summary": action["title"],
            "description": action["description"],
            "tags": [action["resource"]],
            "deprecated": action["deprecated"],
            "requestBody": {"required": True, "content": {_BODY: body}},
            "responses": {
                "200": {"description": "The result.", "content": {_BODY: answer}},
                "default": {"$ref": "#/components/responses/Problem"},
            },
            "x-scope-requirements": action["scope_requirements"],
            "x-sensitivity": action["sensitivity"],
            "x-error-codes": action["errors"],
        }
    }


def _problem() -> dict[str, Any]:
    return {
        "description": "Why the action failed; `code` says what to do about it.",
        "headers": {
            "Retry-After": {
                "description": "Seconds to wait, where that helps.",
                "schema": {"type": "integer"},
            }
        },
        "content": {_PROBLEM: {"schema": {"$ref": "#/components/schemas/Error"}}},
    }


def _plain(schema: Mapping[str, Any], schemas: dict[str, Any], named: str = "") -> dict[str, Any]:
    """Return a schema whose `$defs` have moved to the document's own `schemas`.

    A definition means the same in every schema but for the rows of the summary view, which are
    named after their action.
    """
    moved = copy.deepcopy(dict(schema))
    moved.pop("$schema", None)
    definitions = moved.pop("$defs", {})
    names = {name: f"{named}.Row" if name == "Row" else name for name in definitions}
    for name, definition in definitions.items():
        schemas[names[name]] = _pointed(definition, names)
    pointed: dict[str, Any] = _pointed(moved, names)
    return pointed


def _pointed(node: Any, names: Mapping[str, str]) -> Any:
    if isinstance(node, list):
        return [_pointed(item, names) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: f"#/components/schemas/{names[value.rpartition('/')[2]]}"
        if key == "$ref"
        else _pointed(value, names)
        for key, value in node.items()
    }
