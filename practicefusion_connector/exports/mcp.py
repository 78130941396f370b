"""Tools for the Model Context Protocol: small definitions that a model reads in full.

Every tool costs every conversation its tokens, so a definition is about a kilobyte: the first
sentences of the description, and each parameter with one plain JSON type. The words of single
parameters are left out; their names are FHIR's, which models know. The check is the same as
everywhere and tells a model what it got wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from practicefusion_connector.smart.scopes import not_granted

META = "practicefusion/"
# What a tool call means where it leaves an input out, other than the action's own default.
DEFAULTS = {"view": "summary"}
_ENOUGH_TEXT = 180
_MOST_CHOICES = 100
_HOW_TO_DATE = 'Dates: ["2026-05"], or a range ["ge2026-01-01", "lt2026-02-01"].'


def render(catalog: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `tools/list` answers where every action is allowed."""
    return {"tools": tools(catalog)}


def tools(
    catalog: Mapping[str, Any], granted_scopes: Iterable[str] | None = None
) -> list[dict[str, Any]]:
    """Return the tools of a catalog, in its order.

    Args:
        catalog: what `practicefusion_connector.catalog.catalog` returns.
        granted_scopes: the scopes of the grant; actions they do not cover are left out. `None`
            leaves none out.
    """
    granted = None if granted_scopes is None else tuple(granted_scopes)
    return [
        _tool(action)
        for action in catalog["actions"]
        if granted is None or permitted(action["scope_requirements"], granted)
    ]


def permitted(requirements: Mapping[str, Any], granted: Iterable[str]) -> bool:
    """Say whether granted scopes meet an action's `scope_requirements`, in either spelling."""
    have = tuple(granted)
    return all(
        any(not not_granted([scope], have) for scope in requirement["any_of"])
        for requirement in requirements["all_of"]
    )


def _tool(action: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": action["key"],
        "title": action["title"],
        "description": _description(action),
        "inputSchema": _input_schema(action["input_schema"]),
        "outputSchema": _output_schema(),
        "annotations": dict(action["annotations"]),
        "_meta": {
            META + "version": action["version"],
            META + "sensitivity": action["sensitivity"],
            META + "scope_requirements": action["scope_requirements"],
        },
    }


def _description(action: Mapping[str, Any]) -> str:
    text = _first_sentences(action["description"])
    dated = any(_is_date(field) for field in action["input_schema"]["properties"].values())
    return f"{text} {_HOW_TO_DATE}" if dated else text


def _first_sentences(text: str) -> str:
    """Return whole sentences from the beginning, as many as it takes to say enough."""
    told = ""
    for sentence in text.split(". "):
        if len(told) >= _ENOUGH_TEXT:
            break
        told += sentence.rstrip(".") + ". "
    return told.strip()


def _input_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    required = {"required": schema["required"]} if schema["required"] else {}
    properties = {name: _property(field) for name, field in schema["properties"].items()}
    for name, default in DEFAULTS.items():
        properties[name]["default"] = default
    return {"type": "object", "properties": properties, **required, "additionalProperties": False}


def _property(field: Mapping[str, Any]) -> dict[str, Any]:
    if _is_date(field):
        # One type only, as some models' APIs take no unions: a list holds one bound or two.
        return {"type": "array", "items": {"type": "string"}}
    form = field.get("anyOf", [field])[0]
    choices = form.get("enum", ())
    short = 0 < sum(len(choice) + 3 for choice in choices) <= _MOST_CHOICES
    return {"type": form["type"], **({"enum": list(choices)} if short else {})}


def _is_date(field: Mapping[str, Any]) -> bool:
    return bool(field.get("x-fhir-param", {}).get("type") == "date")


def _output_schema() -> dict[str, Any]:
    """Return the envelope alone: clients raise on a mismatch, and what servers send varies."""
    objects = {"type": "array", "items": {"type": "object"}}
    return {
        "type": "object",
        "properties": {
            "action": {"type": "string"},
            "count": {"type": "integer"},
            "total": {"type": ["integer", "null"]},
            "has_more": {"type": "boolean"},
            "next_cursor": {"type": ["string", "null"]},
            "resources": objects,
            "rows": objects,
            "included": objects,
            "warnings": objects,
        },
        "required": ["action", "count", "has_more"],
    }
