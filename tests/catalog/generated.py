"""Values that a JSON Schema accepts, for the parts of JSON Schema that inputs use."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

_LETTERS = st.characters(codec="utf-8")


def values(schema: dict[str, Any], root: dict[str, Any] | None = None) -> st.SearchStrategy[Any]:
    """Return a strategy of values that satisfy `schema`; `$ref` is looked up in `root`."""
    root = root or schema
    if "$ref" in schema:
        return values(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return st.one_of([values(form, root) for form in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([_OF[kind](schema, root) for kind in kinds])


def _string(schema: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True, alphabet=_LETTERS)
    return st.text(_LETTERS, min_size=schema.get("minLength", 0))


def _number(schema: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[float]:
    least, most = schema.get("minimum"), schema.get("maximum")
    return st.floats(least, most, allow_nan=False, allow_infinity=False)


def _integer(schema: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[int]:
    return st.integers(schema.get("minimum"), schema.get("maximum"))


def _array(schema: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values(schema["items"], root), min_size=schema.get("minItems", 0), max_size=3)


def _object(schema: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    fields = {name: values(field, root) for name, field in schema["properties"].items()}
    required = {name: fields[name] for name in schema.get("required", ())}
    optional = {name: field for name, field in fields.items() if name not in required}
    least = schema.get("minProperties", 0)
    most = schema.get("maxProperties", len(fields))
    made = st.fixed_dictionaries(required, optional=optional)
    return made.filter(lambda value: least <= len(value) <= most)


_OF = {
    "string": _string,
    "number": _number,
    "integer": _integer,
    "boolean": lambda schema, root: st.booleans(),
    "array": _array,
    "object": _object,
}
