"""Derive the schemas that validation ships from HL7's JSON Schema of FHIR R4 (CC0).

    python scripts/derive_r4_schema.py SOURCE [FOLDER]

SOURCE is HL7's `fhir.schema.json` (or a cut of it), FOLDER is `schemas/r4` unless another is given.
What comes out is the same for the same source: sorted, one definition to a line. What changes on
the way, and why:

- only what the connector's resource types reach; `contained` stays open to any resource;
- descriptions go; an inline primitive becomes a reference to its type, which a finding can name;
- an extension must have its url, which R4 requires and HL7's schema leaves open;
- an element must be an object, an integer a whole number within its bounds: HL7 leaves both open;
- an item of a list of primitives, and of its sibling, may be null, as FHIR's JSON form has it;
- choice elements (`value[x]`) become a table of their fields, of which one may be present.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

RESOURCES = (
    "AllergyIntolerance",
    "CarePlan",
    "CareTeam",
    "Condition",
    "Device",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "Goal",
    "Immunization",
    "MedicationRequest",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "Procedure",
    "Provenance",
)
OPEN = {"ResourceList": {"type": "object"}, "xhtml": {"type": "string"}}
WHOLE_NUMBERS: dict[str, Schema] = {
    "integer": {"type": "integer"},
    "positiveInt": {"type": "integer", "minimum": 1},
    "unsignedInt": {"type": "integer", "minimum": 0},
}
# Where several types share a pattern, an inline primitive is taken for the first of these.
USUAL_PRIMITIVES = ("string", "uri", "boolean", "dateTime", "date", "time", "instant")
REQUIRED = {"Extension": ("url",)}
# Types that HL7's schema knows only inline, as a field of a choice element.
ALWAYS_INLINE = ("code", "markdown", "oid", "uuid")
REF = "#/definitions/"


def derive(source: Schema) -> dict[str, Schema]:
    """Return the files' contents by name: the definitions and the table of choice elements."""
    primitives = _primitives(source["definitions"])
    definitions = {
        name: _definition(name, source["definitions"][name], primitives)
        for name in _reached(source["definitions"])
    }
    choices = {
        name: groups
        for name, definition in definitions.items()
        if (groups := _choices(definition, definitions))
    }
    return {"definitions.json": definitions, "choices.json": choices}


def _reached(definitions: Schema) -> list[str]:
    """Return the names of the definitions the resources reach, sorted."""
    reached: set[str] = set()
    waiting = list(RESOURCES)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [] if name in OPEN else list(_references(definitions[name]))
    # A primitive may be written inline everywhere; it is needed all the same.
    return sorted(reached | {name for name in USUAL_PRIMITIVES if name in definitions})


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            yield str(schema["$ref"]).removeprefix(REF)
        for part in schema.values():
            yield from _references(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def _primitives(definitions: Schema) -> dict[tuple[str, str], str]:
    """Return the name of the primitive type by its JSON type and pattern."""
    names = [*USUAL_PRIMITIVES, *sorted(name for name in definitions if name[0].islower())]
    return {
        (schema["type"], schema["pattern"]): name
        for name in reversed(names)
        if "pattern" in (schema := definitions.get(name, {}))
    }


def _definition(name: str, schema: Schema, primitives: Mapping[tuple[str, str], str]) -> Schema:
    if name in OPEN or name in WHOLE_NUMBERS:
        return {**OPEN, **WHOLE_NUMBERS}[name]
    if "properties" not in schema:
        # A pattern says something of texts only.
        kept = {"type", "pattern"} if schema.get("type") == "string" else {"type"}
        return {key: schema[key] for key in sorted(kept & set(schema))}
    properties = {
        key: _element(key, part, primitives) for key, part in sorted(schema["properties"].items())
    }
    derived: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required := sorted({*schema.get("required", ()), *REQUIRED.get(name, ())}):
        derived["required"] = required
    return derived


def _element(key: str, schema: Schema, primitives: Mapping[tuple[str, str], str]) -> Schema:
    if "items" in schema:
        item = _element(key, schema["items"], primitives)
        if key.startswith("_") or _is_primitive(item):
            item = {"anyOf": [item, {"type": "null"}]}
        return {"type": "array", "items": item}
    if "enum" in schema:
        return {"enum": sorted(schema["enum"])}
    if name := primitives.get((schema.get("type", ""), schema.get("pattern", ""))):
        return {"$ref": f"{REF}{name}"}
    return {name: value for name, value in sorted(schema.items()) if name != "description"}


def _is_primitive(schema: Schema) -> bool:
    return "enum" in schema or schema.get("$ref", REF + "X").removeprefix(REF)[0].islower()


def _choices(definition: Schema, definitions: Mapping[str, Schema]) -> dict[str, list[str]]:
    """Return the fields of each choice element of a definition, by the element's name.

    They are told by their names: one stem with the names of several types, none of them a list.
    """
    names = [*(name for name in definitions if "_" not in name), *ALWAYS_INLINE]
    types = sorted({name[0].upper() + name[1:] for name in names}, key=len, reverse=True)
    ending = re.compile(rf"^(?P<stem>[a-z]\w*?)(?:{'|'.join(types)})$")
    groups: dict[str, list[str]] = {}
    for field, schema in definition.get("properties", {}).items():
        found = ending.match(field)
        if found and schema.get("type") != "array":
            groups.setdefault(found["stem"], []).append(field)
    taken = definition.get("properties", {})
    return {
        stem: fields for stem, fields in groups.items() if len(fields) > 1 and stem not in taken
    }


def lines(content: Schema) -> str:
    """Return the content as JSON text with one entry to a line."""
    entries = (
        f" {json.dumps(key)}: {json.dumps(value, separators=(',', ':'), ensure_ascii=True)}"
        for key, value in content.items()
    )
    return "{\n" + ",\n".join(entries) + "\n}\n"


def main(arguments: list[str]) -> None:
    """Write the derived files into the folder."""
    if not 1 <= len(arguments) <= 2:
        sys.exit("usage: derive_r4_schema.py SOURCE [FOLDER]")
    default = Path(__file__).parents[1] / "schemas" / "r4"
    folder = Path(arguments[1]) if len(arguments) == 2 else default
    folder.mkdir(parents=True, exist_ok=True)
    source = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    for name, content in derive(source).items():
        (folder / name).write_text(lines(content), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
