"""The catalog with its schemas in JSON Schema draft-07, for consumers that know no newer one.

The portable profile makes this mechanical: another `$schema`, `definitions` for `$defs`, and a
`$ref` with words beside it moved into an `allOf`, since draft-07 reads nothing beside a `$ref`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DIALECT = "http://json-schema.org/draft-07/schema#"
_SCHEMAS = ("input_schema", "output_schema", "connection_schema", "error_schema")


def render(catalog: Mapping[str, Any]) -> dict[str, Any]:
    """Return the catalog with every schema in draft-07."""
    converted = {
        name: downgrade(value) if name in _SCHEMAS else value for name, value in catalog.items()
    }
    actions = [
        {name: downgrade(value) if name in _SCHEMAS else value for name, value in action.items()}
        for action in catalog["actions"]
    ]
    return converted | {"actions": actions}


def downgrade(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a 2020-12 schema of the portable profile as draft-07."""
    return {**_converted(schema), "$schema": DIALECT}


def _converted(node: Any) -> Any:
    if isinstance(node, list):
        return [_converted(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    found = {_WORDS.get(name, name): _value(name, value) for name, value in node.items()}
    if "$ref" in found and len(found) > 1:
        return {name: value for name, value in found.items() if name != "$ref"} | {
            "allOf": [{"$ref": found["$ref"]}]
        }
    return found


_WORDS = {"$defs": "definitions"}


def _value(name: str, value: Any) -> Any:
    if name == "$ref":
        return value.replace("#/$defs/", "#/definitions/")
    if name in ("properties", "$defs"):
        return {key: _converted(schema) for key, schema in value.items()}
    return value if name in _DATA else _converted(value)


# What holds data and no schema stays as it is.
_DATA = ("const", "enum", "default", "examples", "x-fhir-param", "x-ui")
