"""The output schema of an action: what a host maps from.

Permissive on purpose: real servers send more, and sometimes other things, than a profile says, and
a good answer must not fail its schema. It names and types the elements people map (`[fields]` of
the action file, most of them US Core's must-support elements) and lets everything else pass. Each
schema is self-contained: the datatypes it uses (`schemas/datatypes.json`) stand in its `$defs`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from practicefusion_connector.catalog.forms import Schema, referred
from practicefusion_connector.catalog.inputs import DIALECT, title_of
from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.registry import Action
from practicefusion_connector.registry.definitions import OutputField
from practicefusion_connector.resources import folder

_BACKBONE = "BackboneElement"
_PRIMITIVES = {
    "boolean": "boolean",
    **dict.fromkeys(("integer", "positiveInt", "unsignedInt", "integer64"), "integer"),
    "decimal": "number",
    **dict.fromkeys(("string", "code", "id", "uri", "url", "canonical", "markdown"), "string"),
    **dict.fromkeys(("date", "dateTime", "instant", "time", "base64Binary"), "string"),
}


def output_schema(action: Action) -> Schema:
    """Return the JSON Schema of `Result.to_dict()` for `action`, in the full and summary view."""
    row = summary_schema(action)
    resource = _resource_schema(action)
    definitions = {action.resource: resource, "Row": row}
    return {
        "$schema": DIALECT,
        "title": f"Result of {action.title}",
        "type": "object",
        "properties": _envelope(action),
        "required": ["action", "count", "has_more", "warnings"],
        "additionalProperties": True,
        "$defs": {name: found for name, found in definitions.items() if found}
        | _datatypes_of(resource),
    }


def summary_schema(action: Action) -> Schema:
    """Return the JSON Schema of one row of the summary view; empty where the type has none."""
    file = folder("schemas") / "views" / f"{action.resource}.json"
    if not file.is_file():
        return {}
    view = json.loads(file.read_text("utf-8"))
    columns = {column["name"]: _column(column) for column in _columns(view)}
    return {
        "type": "object",
        "title": view.get("title", f"{action.resource} summary"),
        "description": view.get("description", f"One {action.noun}, flat."),
        "properties": columns,
        "additionalProperties": True,
    }


def sample_output(action: Action) -> dict[str, Any]:
    """Return a synthetic result of `action`, as `Result.to_dict()` gives it."""
    resource = action.sample_resource or {
        "resourceType": action.resource,
        "id": action.sample.get("id", "example"),
    }
    return {
        "action": action.key,
        "count": 1,
        "total": None if action.operation == "get" else 1,
        "has_more": False,
        "next_cursor": None,
        "resources": [resource],
        "included": [],
        "warnings": [],
        "trace": {
            "attempts": 1,
            "pages": 0 if action.operation == "get" else 1,
            "refreshes": 0,
            "waits": [],
            "correlation_ids": [],
            "duration_ms": 120.5,
        },
    }


def _envelope(action: Action) -> dict[str, Schema]:
    whole = {"type": "integer", "minimum": 0}
    noun = action.noun
    return {
        "action": {"const": action.key, "description": "The key of the action that was run."},
        "count": whole | {"description": "How many are in this result."},
        "total": {
            "type": ["integer", "null"],
            "description": "How many match in all, where the server says so.",
        },
        "has_more": {"type": "boolean", "description": "Whether next_cursor leads to more."},
        "next_cursor": {
            "type": ["string", "null"],
            "description": "Give it as the input cursor to go on.",
        },
        "resources": {
            "type": "array",
            "description": f"In the full view: each {noun} as FHIR R4 JSON.",
            "items": {"$ref": f"#/$defs/{action.resource}"},
        },
        "rows": {
            "type": "array",
            "description": f"In the summary view: each {noun} as a flat row.",
            "items": {"$ref": "#/$defs/Row"} if summary_schema(action) else {"type": "object"},
        },
        "included": {
            "type": "array",
            "description": "Resources that came along, such as Provenance.",
            "items": {"type": "object", "required": ["resourceType"]},
        },
        "warnings": {
            "type": "array",
            "description": "What does not spoil the result but should be known.",
            "items": {
                "type": "object",
                "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
                "required": ["code", "message"],
            },
        },
        "trace": {
            "type": "object",
            "description": "What happened: attempts, waits, refreshes, pages, duration.",
        },
    }


def _resource_schema(action: Action) -> Schema:
    properties: dict[str, Schema] = {
        "resourceType": {"const": action.resource},
        "id": {"type": "string", "title": "ID", "description": f"The id of the {action.noun}."},
        "meta": {"$ref": "#/$defs/Meta"},
    }
    places = {"": properties}
    for field in action.fields:
        parent, _, name = field.path.rpartition(".")
        if parent not in places:
            raise InvalidConfig(
                f"{action.resource}: the field {field.path} needs {parent} declared before it "
                f"as a {_BACKBONE}."
            )
        places[parent][name], parts = _field(field, name)
        if parts is not None:
            places[field.path] = parts
    return {
        "type": "object",
        "title": action.resource,
        "properties": properties,
        "required": ["resourceType", "id"],
        "additionalProperties": True,
    }


def _field(field: OutputField, name: str) -> tuple[Schema, dict[str, Schema] | None]:
    """Return a field's schema and, for a backbone element, the properties its parts go into."""
    bare = field.type.removesuffix("[]")
    parts: dict[str, Schema] | None = {} if bare == _BACKBONE else None
    about: Schema = {"title": _words(name), "description": field.says, "x-fhir-type": bare}
    if parts is not None:
        one: Schema = {"type": "object", "properties": parts}
    else:
        one = type_schema(bare)
    if bare == field.type:
        return one | about, parts
    if bare in _PRIMITIVES:
        # A primitive that only has extensions is null in its list (FHIR R4 json §2.6.2.3).
        one = {"type": [one["type"], "null"]}
    return {"type": "array", "items": one} | about, parts


def type_schema(name: str) -> Schema:
    """Return the schema of a FHIR datatype: a JSON type, or a reference into `$defs`."""
    if name in _PRIMITIVES:
        return {"type": _PRIMITIVES[name]}
    if name not in _datatypes():
        raise InvalidConfig(f"There is no FHIR datatype {name} in schemas/datatypes.json.")
    return {"$ref": f"#/$defs/{name}"}


def _words(name: str) -> str:
    """Return an element's name as a label: `birthDate`, `Birth date`."""
    spaced = "".join(f" {sign.lower()}" if sign.isupper() else sign for sign in name)
    return title_of(spaced)


@cache
def _datatypes() -> dict[str, Schema]:
    text = (folder("schemas") / "datatypes.json").read_text("utf-8")
    declared: dict[str, Schema] = json.loads(text)["$defs"]
    return declared


def _datatypes_of(schema: Schema) -> dict[str, Schema]:
    """Return the datatypes that a schema uses, and those they use, in alphabetical order."""
    used: set[str] = set()
    waiting = [schema]
    while waiting:
        for name in referred(waiting.pop()):
            if name not in used:
                used.add(name)
                waiting.append(_datatypes()[name])
    return {name: _datatypes()[name] for name in sorted(used)}


def _columns(select: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the columns of a ViewDefinition in order, those of nested selects included."""
    yield from select.get("column", ())
    for part in (*select.get("select", ()), *select.get("unionAll", ())[:1]):
        yield from _columns(part)


def _column(column: dict[str, Any]) -> Schema:
    kind = _PRIMITIVES.get(column.get("type", "string"), "string")
    about = {"title": title_of(column["name"]), "description": column.get("description", "")}
    if column.get("collection"):
        return {"type": ["array", "null"], "items": {"type": kind}} | about
    return {"type": [kind, "null"]} | about
