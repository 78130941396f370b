"""What a new catalog breaks for hosts that were built against an older one.

Pure. A catalog's contract is the part of it that hosts build on, as flat facts; a release keeps it
in `schemas/released/`. Only what takes something away breaks: a removed action, input, form, choice
or output, and anything newly required. Additions break nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Facts = dict[str, Any]


def breaking_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return each breaking change between two catalogs, or their contracts, as a sentence."""
    before, after = contract(old), contract(new)
    return [
        *_gone("The authorization method", before["auth_methods"], after["auth_methods"]),
        *_gone("The error code", before["errors"], after["errors"]),
        *_retold(before["errors"], after["errors"]),
        *_inputs("The connection", before["connection"], after["connection"]),
        *_gone("The action", before["actions"], after["actions"]),
        *_actions(before["actions"], after["actions"]),
    ]


def contract(catalog: Mapping[str, Any]) -> Facts:
    """Return what hosts build on in a catalog; a contract is returned as it is."""
    if "connection" in catalog:
        return dict(catalog)
    return {
        "version": catalog["connector"]["version"],
        "auth_methods": {method["key"]: {} for method in catalog["auth_methods"]},
        "errors": {
            error["code"]: {"retryable": error["retryable"], "remedy": error["remedy"]}
            for error in catalog["errors"]
        },
        "connection": _taken(catalog["connection_schema"]),
        "actions": {
            action["key"]: {
                **_taken(action["input_schema"]),
                "outputs": dict(_given(action["output_schema"])),
            }
            for action in catalog["actions"]
        },
    }


def _taken(schema: Mapping[str, Any]) -> Facts:
    inputs = {
        name: {"types": _types(field), "choices": _choices(field)}
        for name, field in schema["properties"].items()
    }
    return {"required": list(schema.get("required", ())), "inputs": inputs}


def _forms(field: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(field.get("anyOf", [field]))


def _types(field: Mapping[str, Any]) -> list[str]:
    """Return the JSON types that an input takes, over all its forms."""
    declared = [form.get("type", []) for form in _forms(field)]
    return [kind for form in declared for kind in ([form] if isinstance(form, str) else form)]


def _choices(field: Mapping[str, Any]) -> list[str] | None:
    """Return the choices of an input's text, or `None` where any text will do."""
    texts = [form for form in _forms(field) if form.get("type") == "string"]
    if not texts or any("enum" not in form for form in texts):
        return None
    return [str(choice) for form in texts for choice in form["enum"]]


def _given(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each output path with its type; datatypes count by name and are not walked into."""
    items = {name: field.get("items", {}) for name, field in schema["properties"].items()}
    for name, field in schema["properties"].items():
        yield name, _kind(field)
        target = items[name].get("$ref", "").rpartition("/")[2]
        if target:
            yield from _below(schema["$defs"][target], f"{name}.")


def _below(node: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, field in node.get("properties", {}).items():
        yield path + name, _kind(field)
        yield from _below(field.get("items", field), f"{path}{name}.")


def _kind(field: Mapping[str, Any]) -> str:
    if "items" in field:
        return f"a list of {_kind(field['items'])}"
    if "$ref" in field:
        return str(field["$ref"].rpartition("/")[2])
    declared = field.get("type", "anything")
    return declared if isinstance(declared, str) else " or ".join(declared)


def _gone(what: str, old: Facts, new: Facts) -> Iterator[str]:
    yield from (f"{what} {name} was removed." for name in old if name not in new)


def _retold(old: Facts, new: Facts) -> Iterator[str]:
    for code in (code for code in old if code in new):
        for name, before in old[code].items():
            if new[code][name] != before:
                yield f"The error code {code} has another {name}."


def _actions(old: Facts, new: Facts) -> Iterator[str]:
    for key, before in old.items():
        if key not in new:
            continue
        yield from _inputs(key, before, new[key])
        for path, kind in before["outputs"].items():
            now = new[key]["outputs"].get(path)
            if now is None:
                yield f"{key} lost the output {path}."
            elif now != kind:
                yield f"{key} gives {path} as {now}, not as {kind}."


def _inputs(owner: str, old: Facts, new: Facts) -> Iterator[str]:
    newly = [name for name in new["required"] if name not in old["required"]]
    yield from (f"{owner} newly requires {name}." for name in newly)
    for name, before in old["inputs"].items():
        now = new["inputs"].get(name)
        if now is None:
            yield f"{owner} lost the input {name}."
            continue
        for kind in before["types"]:
            if kind not in now["types"]:
                yield f"{owner} no longer takes {name} as {kind}."
        yield from _fewer_choices(owner, name, before["choices"], now["choices"])


def _fewer_choices(
    owner: str, name: str, old: list[str] | None, new: list[str] | None
) -> Iterator[str]:
    if new is None:
        return
    if old is None:
        yield f"{owner} now limits {name} to choices."
    for choice in old or ():
        if choice not in new:
            yield f"{owner} lost the choice {choice} of {name}."
