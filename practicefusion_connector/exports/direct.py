"""What the definitions share that ask the FHIR server directly, without the connector between.

The plain form of every input is FHIR's own text, so a host can put it into the query as it stands.
What only the connector does (cursors, views, validation, its own checks) is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Action = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Input:
    """One input of an action as a form draws it.

    Attributes:
        key: the input's name in the catalog.
        wire: FHIR's name for it, as the query has it.
        choices: value and label of each choice, where there are only these.
        several: whether more than one value may be given.
        repeats: several values repeat the parameter (all must match), else commas join them.
    """

    key: str
    wire: str
    title: str
    says: str
    type: str
    required: bool
    choices: dict[str, str]
    several: bool
    repeats: bool
    placeholder: str


@dataclass(frozen=True, slots=True)
class Output:
    """One value in a resource: its path, `[]` behind each list, its label and JSON type."""

    path: tuple[str, ...]
    title: str
    type: str


def inputs(action: Action) -> list[Input]:
    """Return the inputs that go to the FHIR server, in the order of the form."""
    schema = action["input_schema"]
    return [
        _input(name, field, name in schema["required"])
        for name, field in schema["properties"].items()
        if "x-fhir-param" in field
    ]


def _input(name: str, field: Mapping[str, Any], required: bool) -> Input:
    form, fhir, ui = field.get("anyOf", [field])[0], field["x-fhir-param"], field["x-ui"]
    choices = {choice: choice for choice in form.get("enum", ())} | _sorts(fhir)
    repeats = bool(fhir.get("repeat") and fhir.get("comparators"))
    return Input(
        key=name,
        wire=fhir["name"],
        title=field["title"],
        says=field["description"],
        type=form["type"],
        required=required,
        choices=choices,
        several=repeats or bool(fhir.get("or")),
        repeats=repeats,
        placeholder=ui.get("placeholder", ""),
    )


def _sorts(fhir: Mapping[str, Any]) -> dict[str, str]:
    names = fhir.get("sorts", ())
    upwards = {name: f"{name}, ascending" for name in names}
    return upwards | {f"-{name}": f"{name}, descending" for name in names}


def sample(action: Action) -> dict[str, Any]:
    """Return a synthetic resource, as the FHIR server gives it."""
    found: dict[str, Any] = action["sample_output"]["resources"][0]
    return found


def outputs(action: Action) -> list[Output]:
    """Return the values of the resource that people map, those within datatypes included."""
    schema = action["output_schema"]
    return list(_leaves(schema, schema["$defs"][action["resource"]], (), ()))


def _leaves(
    root: Mapping[str, Any],
    node: Mapping[str, Any],
    path: tuple[str, ...],
    seen: tuple[str, ...],
) -> Iterator[Output]:
    for name, field in node["properties"].items():
        listed = "items" in field
        inner = field["items"] if listed else field
        place = (*path, f"{name}[]" if listed else name)
        kind = inner.get("$ref", "").rpartition("/")[2]
        if kind in seen or len(place) > _DEEPEST:
            continue
        below = root["$defs"][kind] if kind else inner
        if "properties" in below:
            yield from _leaves(root, below, place, (*seen, kind) if kind else seen)
        elif (kind := _json_type(below)) != "object":
            yield Output(place, " ".join(_label(part) for part in place), kind)


_DEEPEST = 3


def _label(name: str) -> str:
    words = "".join(f" {sign.lower()}" if sign.isupper() else sign for sign in name.rstrip("[]"))
    return words[:1].upper() + words[1:]


def _json_type(node: Mapping[str, Any]) -> str:
    declared = node.get("type", "string")
    return declared if isinstance(declared, str) else declared[0]


def practice_urls(catalog: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return title and description of the two URLs a practice's connection needs."""
    fields = catalog["connection_schema"]["properties"]
    about = {name: fields[name]["description"] for name in ("fhir_base_url", "auth_base_url")}
    # The connector discovers the endpoints; these hosts take them as they are given.
    about["auth_base_url"] = (
        "Where the practice's /authorize and /token live; for providers it is the FHIR base URL."
    )
    return {
        name: {"title": fields[name]["title"], "description": description}
        for name, description in about.items()
    }


def scopes(catalog: Mapping[str, Any]) -> list[str]:
    """Return the scopes of a person's connection that every action of the catalog needs."""
    resources = dict.fromkeys(action["resource"] for action in catalog["actions"])
    return ["openid", "fhirUser", "offline_access", *(f"user/{name}.read" for name in resources)]
