"""The input schema of an action: what a host draws a form from and checks a mapping with.

JSON Schema 2020-12 in a profile that every consumer takes: an object without combinators at its
root, no unknown properties, references within the document only, nothing that draft-07 lacks but
the name of `$defs`. Where a value has several forms, the property's `anyOf` lists them, the plain
text first (see `forms`).
"""

from __future__ import annotations

from typing import Any, get_args

from practicefusion_connector.catalog.forms import (
    DEFINITIONS,
    ID,
    Schema,
    forms,
    referred,
    sort_keys,
)
from practicefusion_connector.registry import Action, Parameter
from practicefusion_connector.registry.inputs import (
    LEAST_OUTPUT_BYTES,
    MAX_OUTPUT_BYTES,
    Validation,
    View,
    controls,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_CONTROLS: dict[str, Schema] = {
    "cursor": {"type": "string", "minLength": 1},
    "max_items": {"type": "integer", "minimum": 1, "examples": [100]},
    "max_output_bytes": {
        "type": "integer",
        "minimum": LEAST_OUTPUT_BYTES,
        "default": MAX_OUTPUT_BYTES,
    },
    "view": {"type": "string", "enum": list(get_args(View)), "default": "full"},
    "validation": {"type": "string", "enum": list(get_args(Validation)), "default": "warn"},
}
_DECLARED = ("targets", "comparators", "codes", "system", "components")


def input_schema(action: Action) -> Schema:
    """Return the JSON Schema of what `registry.check` takes for `action`."""
    own = {"id": _id(action)} if action.operation == "get" else _parameters(action)
    told = controls(action.operation)
    properties = own | {name: _CONTROLS[name] | {"description": told[name]} for name in told}
    schema: Schema = {
        "$schema": DIALECT,
        "title": action.title,
        "type": "object",
        "properties": {
            name: _with_ui(action, name, field, order)
            for order, (name, field) in enumerate(properties.items(), start=1)
        },
        "required": ["id"] if action.operation == "get" else [],
        "additionalProperties": False,
    }
    used = set(referred(schema))
    definitions = {name: DEFINITIONS[name] for name in DEFINITIONS if name in used}
    return schema | ({"$defs": definitions} if definitions else {})


def title_of(name: str) -> str:
    """Return an input's or a field's name as a label: `clinical_status`, `Clinical status`."""
    words = name.replace("_", " ")
    return "ID" if words == "id" else words[:1].upper() + words[1:]


def _id(action: Action) -> Schema:
    return {
        "type": "string",
        "description": f"The id of the {action.noun}.",
        "pattern": f"^{ID}$",
        "examples": [action.sample["id"]],
        "x-fhir-param": {"name": "id", "type": "id"},
    }


def _parameters(action: Action) -> dict[str, Schema]:
    return {parameter.input: _parameter(action, parameter) for parameter in action.parameters}


def _parameter(action: Action, parameter: Parameter) -> Schema:
    found = forms(action, parameter)
    return {
        **(found[0] if len(found) == 1 else {"anyOf": [{"title": "Text"} | found[0], *found[1:]]}),
        "description": parameter.says,
        "examples": _examples(action, parameter),
        "x-fhir-param": _fhir_parameter(action, parameter),
    }


def _examples(action: Action, parameter: Parameter) -> list[Any]:
    if parameter.form == "sort":
        by_date = [key.input for key in sort_keys(action) if key.type == "date"]
        return [f"-{name}" for name in by_date[:1]]
    if parameter.type == "number":
        return [int(example) for example in parameter.examples]
    return list(parameter.examples)


def _fhir_parameter(action: Action, parameter: Parameter) -> Schema:
    declared = {name: getattr(parameter, name) for name in _DECLARED}
    flags = {"or": parameter.or_, "repeat": parameter.repeat, "closed": parameter.closed}
    sorts = [p.name for p in sort_keys(action)] if parameter.form == "sort" else []
    return {
        "name": parameter.name,
        "type": parameter.type,
        "support": parameter.support,
        **{name: True for name, flag in flags.items() if flag},
        **{name: _plain(value) for name, value in declared.items() if value},
        **({"sorts": sorts} if sorts else {}),
    }


def _plain(value: Any) -> Any:
    """Return tuples as lists, as JSON has them."""
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _with_ui(action: Action, name: str, field: Schema, order: int) -> Schema:
    parameter = action.named(name)
    if name == "id" or (parameter and not parameter.form and parameter.type != "number"):
        group = "criteria"
    else:
        group = "paging" if name in ("cursor", "max_items", "page_size") else "result"
    known = {part for together in action.combinations for part in together.parameters}
    important = name in ("id", "view") or (parameter is not None and parameter.name in known)
    ui: Schema = {
        "order": order,
        "group": group,
        "visibility": "important" if important else "advanced",
    }
    if field.get("examples"):
        ui["placeholder"] = str(field["examples"][0])
    return {"title": title_of(name)} | field | {"x-ui": ui}
