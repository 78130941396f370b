"""The forms in which a search parameter's value may be given, as JSON Schema.

The first form is always one line of text as FHIR itself writes it: a host that draws plain fields
needs no other. The forms after it are for hosts that draw lists and ranges. A form accepts nothing
that the registry's check refuses, but for what no schema can know (that a month has 30 days); the
check takes some values besides: FHIR's own names for parameters, URLs of the same server, objects
of `system` and `code`, and `system|code` where a form lists the codes. Patterns keep to what every
dialect of regular expressions has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from practicefusion_connector.registry import Action, Parameter

Schema = dict[str, Any]

ID = "[A-Za-z0-9-][A-Za-z0-9.-]{0,63}"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
_ZONE = "(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
_DATE = "[12][0-9]{3}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])" + f"(T{_TIME}{_ZONE})?)?)?"
_NUMBER = r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?"
_CONTROL = r"\u0000-\u001f\u007f"
_TEXT = f"[^{_CONTROL}]*[^\\s{_CONTROL}][^{_CONTROL}]*"
_TYPE = "[A-Z][A-Za-z]{0,63}"
_BOOLEANS = ("true", "false")
_SANE = {"minimum": -1e17, "maximum": 1e17}

# What stands behind a `$ref` in the forms; each means the same in every schema.
DEFINITIONS: dict[str, Schema] = {
    "date": {
        "type": "string",
        "description": "A year, month, day, or moment with a time zone.",
        "pattern": f"^{_DATE}$",
    },
    "quantity": {
        "type": ["string", "number"],
        "description": "A number, or number|system|unit.",
        **_SANE,
        "pattern": rf"^{_NUMBER}(\|[^|,\\{_CONTROL}]*\|[^|,\\{_CONTROL}]*)?$",
    },
}


def forms(action: Action, parameter: Parameter) -> list[Schema]:
    """Return the forms of a parameter's value, the plain one first."""
    if parameter.form == "sort":
        return _sort(action)
    if parameter.codes and parameter.closed:
        return _closed(parameter)
    return _FORMS[parameter.type](parameter)


def sort_keys(action: Action) -> list[Parameter]:
    """Return the parameters a search may be sorted by."""
    return [p for p in action.parameters if not p.form and p.type != "number"]


def referred(node: Any) -> Iterator[str]:
    """Yield the names in `$defs` that a schema refers to."""
    if isinstance(node, dict):
        if isinstance(ref := node.get("$ref"), str):
            yield ref.rpartition("/")[2]
        for value in node.values():
            yield from referred(value)
    elif isinstance(node, list):
        for item in node:
            yield from referred(item)


def _sort(action: Action) -> list[Schema]:
    one = f"-?({'|'.join(parameter.input for parameter in sort_keys(action))})"
    return [_text(_several(one)), _list(_text(one), "One after another")]


def _closed(parameter: Parameter) -> list[Schema]:
    one: Schema = {"type": "string", "enum": list(parameter.codes)}
    found = [one]
    if parameter.or_:
        found.append(_list(one, "Any of these"))
    if parameter.codes == _BOOLEANS:
        found.append({"title": "Yes or no", "type": "boolean"})
    return found


def _token(parameter: Parameter) -> list[Schema]:
    return _alternatives(parameter, _token_text(""))


def _token_text(separators: str) -> str:
    # A code, or system|code: something must be there beside bars and blanks.
    rest = f",{separators}{_CONTROL}"
    return rf"[ |]*[^\s|{rest}][^{rest}]*"


def _reference(parameter: Parameter) -> list[Schema]:
    return _alternatives(parameter, _reference_text(parameter.targets))


def _reference_text(targets: tuple[str, ...]) -> str:
    return f"(({'|'.join(targets) or _TYPE})/)?{ID}"


def _string(parameter: Parameter) -> list[Schema]:
    one = _text(_TEXT)
    return [one, _list(one, "Any of these")] if parameter.or_ else [one]


def _uri(parameter: Parameter) -> list[Schema]:
    one = _text(rf"[^\s{_CONTROL}]+")
    return [one, _list(one, "Any of these")] if parameter.or_ else [one]


def _date(parameter: Parameter) -> list[Schema]:
    return _ordered(parameter, _DATE, "date", {})


def _quantity(parameter: Parameter) -> list[Schema]:
    text = DEFINITIONS["quantity"]["pattern"][1:-1]
    number = {"type": "number", **_SANE}
    found = _ordered(parameter, text, "quantity", {"type": ["string", "number"], **_SANE})
    return [*found, {"title": "A number", **number}]


def _composite(parameter: Parameter) -> list[Schema]:
    one = {"token": _token_text("$"), "reference": _reference_text(()), "date": _DATE}
    return [
        _text(r"\$".join(one.get(kind, f"[^,${_CONTROL}]+") for _, kind in parameter.components))
    ]


def _number(parameter: Parameter) -> list[Schema]:
    return [{"type": "integer", "minimum": 1, "maximum": 10**17}]


def _ordered(parameter: Parameter, one: str, definition: str, listed: Schema) -> list[Schema]:
    """Return the forms of a value that can be compared: text, values that all hold, bounds.

    `listed` says what the values of a list may be besides text.
    """
    prefixed = f"({'|'.join(parameter.comparators)})?{one}" if parameter.comparators else one
    found = [_text(_several(prefixed) if parameter.or_ else prefixed)]
    if parameter.repeat:
        found.append(_list(_text(prefixed) | listed, "All of these"))
    if parameter.comparators:
        bound = {"$ref": f"#/$defs/{definition}"}
        found.append(
            {
                "title": "Bounds",
                "type": "object",
                "properties": dict.fromkeys(parameter.comparators, bound),
                "additionalProperties": False,
                "minProperties": 1,
            }
            | ({} if parameter.repeat else {"maxProperties": 1})
        )
    return found


def _alternatives(parameter: Parameter, one: str) -> list[Schema]:
    if not parameter.or_:
        return [_text(one)]
    return [_text(_several(one)), _list(_text(one), "Any of these")]


def _several(one: str) -> str:
    return f"{one}(,{one})*"


def _text(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^{pattern}$"}


def _list(items: Schema, title: str) -> Schema:
    return {"title": title, "type": "array", "items": items, "minItems": 1}


_FORMS: dict[str, Callable[[Parameter], list[Schema]]] = {
    "token": _token,
    "date": _date,
    "reference": _reference,
    "string": _string,
    "quantity": _quantity,
    "uri": _uri,
    "composite": _composite,
    "number": _number,
}
