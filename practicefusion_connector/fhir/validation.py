"""Validation of resources against FHIR R4, at about the speed of parsing them.

The schemas are data, derived from HL7's JSON Schema by `scripts/derive_r4_schema.py`: elements and
their types, the forms of primitives, required elements (of complex types, as HL7's schema has
them), codes of required bindings, and choice elements. jsonschema-rs (extra `validate`) compiles
them. Profiles, terminology beyond required codes, invariants and contained resources are not
looked at. Pure: a resource in, findings out; a finding never carries a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.resources import folder

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

# A resource that is wrong throughout says no more after this many findings.
MAX_FINDINGS = 100

_ELEMENT_NAME = re.compile(r"^_?[A-Za-z][A-Za-z0-9]{0,63}$")

_FORMS = {
    "base64Binary": "base64 text",
    "boolean": "true or false",
    "canonical": "a URI without spaces",
    "code": "a code: text without spaces at its ends and without double spaces",
    "date": "a date: YYYY, YYYY-MM or YYYY-MM-DD",
    "dateTime": "a date, or a date and time with seconds and time zone",
    "decimal": "a number",
    "id": "an id: up to 64 letters, digits, hyphens and points",
    "instant": "a date and time with seconds and time zone",
    "integer": "a whole number",
    "markdown": "text that is not empty",
    "positiveInt": "a whole number of 1 or more",
    "string": "text that is not empty",
    "time": "a time: hh:mm:ss",
    "unsignedInt": "a whole number of 0 or more",
    "uri": "a URI without spaces",
    "url": "a URL without spaces",
    "xhtml": "XHTML text",
}
_JSON_TYPES = {"array": "a list", "object": "an object", "boolean": "true or false"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a resource; every part is safe to show.

    Attributes:
        path: Where, such as `Observation.component[0].valueQuantity.value`.
        rule: `type`, `format`, `required_code`, `required_element`, `unknown_element` or `choice`.
        message: What is expected there, and the shape of what was found, never the value.
    """

    path: str
    rule: str
    message: str


Validate = Callable[[Mapping[str, Any]], list[Finding]]


@cache
def validated() -> tuple[str, ...]:
    """Return the resource types that can be validated, in alphabetical order."""
    return tuple(
        sorted(
            name
            for name, definition in _data("definitions.json").items()
            if "resourceType" in definition.get("properties", {})
        )
    )


@cache
def validator_for(resource: str) -> Validate:
    """Return the validator of a resource type; the first call for any type compiles them all.

    Raises:
        InvalidConfig: jsonschema-rs is not installed; the text says which extra to install.
        ValueError: there is no schema for that type.
    """
    if resource not in validated():
        known = ", ".join(validated())
        raise ValueError(f"there is no R4 schema of {resource!r}; there is one of: {known}")
    compiled = _compiled()

    def validate(data: Mapping[str, Any]) -> list[Finding]:
        wrapped = {resource: data}
        if compiled.is_valid(wrapped):
            return []
        found = (finding for error in compiled.iter_errors(wrapped) for finding in _read(error))
        return list(islice(found, MAX_FINDINGS))

    return validate


@cache
def _compiled() -> Validator:
    """Return the validator of an object that holds a resource by the name of its type.

    All types are compiled into one: what they share, nearly everything, is in memory once.
    """
    try:
        import jsonschema_rs
    except ImportError as error:
        raise InvalidConfig(
            "Validating answers needs a library that is not installed: "
            "pip install 'practicefusion-connector[validate]'"
        ) from error
    types = {name: {"$ref": f"#/definitions/{name}"} for name in validated()}
    return jsonschema_rs.Draft6Validator({"definitions": _definitions(), "properties": types})


def _data(name: str) -> dict[str, Any]:
    text = (folder("schemas") / "r4" / name).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


@cache
def _choices() -> dict[str, dict[str, list[str]]]:
    return _data("choices.json")


def _definitions() -> dict[str, Any]:
    """Return the definitions, with the choice elements as rules of theirs."""
    definitions = _data("definitions.json")
    for name, groups in _choices().items():
        required = len(definitions[name].get("required", ()))
        definitions[name]["allOf"] = [_at_most_one(fields, required) for fields in groups.values()]
    return definitions


def _at_most_one(fields: list[str], required: int) -> dict[str, Any]:
    """Return the rule that at most one of the fields is present.

    An object with one property beside the required ones cannot break it. Most extensions are such,
    and a count is quicker than a look for each of their fifty fields.
    """
    present = [{"required": [field]} for field in fields]
    one_or_none = {"oneOf": [{"not": {"anyOf": present}}, *present]}
    return {"anyOf": [{"maxProperties": required + 1}, one_or_none]}


# --- from an error of jsonschema-rs to findings -------------------------------------------------
# Its texts carry values, so they are never used; its structure is.


def _read(error: ValidationError) -> Iterator[Finding]:
    kind = error.kind.as_dict()
    resource, *steps = error.instance_path
    path = str(resource) + "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps
    )
    keyword = error.kind.name
    if keyword == "anyOf" and error.schema_path[-3] == "allOf":
        if isinstance(error.instance, dict):
            yield _choice(error, path, error.instance)
    elif keyword == "anyOf":
        # An item of a list of primitives, which may also be null: the first branch is its type.
        for inner in kind["context"][0]:
            yield from _read(inner)
    elif keyword == "additionalProperties":
        for name in kind["unexpected"]:
            shown = f"{path}.{name}" if _ELEMENT_NAME.match(name) else path
            yield Finding(shown, "unknown_element", "FHIR R4 has no such element here")
    elif keyword == "required":
        missing = f"{path}.{kind['property']}"
        yield Finding(missing, "required_element", "is required and absent")
    else:
        yield _wrong_value(error, keyword, kind, path)


def _choice(error: ValidationError, path: str, instance: Mapping[str, object]) -> Finding:
    # …/definitions/{definition}/allOf/{number of the group}/anyOf
    *_, definition, _all_of, number, _any_of = error.schema_path
    name, fields = list(_choices()[str(definition)].items())[int(number)]
    given = " and ".join(field for field in fields if field in instance)
    return Finding(
        f"{path}.{name}[x]", "choice", f"may be given in one form only; it is given as {given}"
    )


def _wrong_value(
    error: ValidationError, keyword: str, kind: Mapping[str, Any], path: str
) -> Finding:
    found = f"found {_shape(error.instance)}"
    if keyword == "enum":
        codes = ", ".join(map(str, kind["options"]))
        return Finding(path, "required_code", f"expected one of the codes {codes}; {found}")
    if keyword == "const":
        return Finding(path, "type", f"expected a resource of the type asked for; {found}")
    if keyword == "minimum":
        found = "found a smaller one"
    definition = str(error.schema_path[-2])
    expected = _FORMS.get(definition) or _JSON_TYPES.get(str((kind.get("types") or [""])[0]))
    rule = "type" if keyword == "type" else "format"
    return Finding(path, rule, f"expected {expected or 'another form'}; {found}")


def _shape(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return f"a text of {len(value)} character{'' if len(value) == 1 else 's'}"
    if isinstance(value, int):
        return "a whole number"
    if isinstance(value, float | Decimal):
        return "a number"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "null"
