"""An action's inputs, checked and turned into one FHIR request before anything is sent.

Pure: values in, a `Request` or `InvalidInput` out. Every wrong field is named at once, with the
shape of its value and the way out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from practicefusion_connector.errors import ActionWarning, InvalidInput, sentence
from practicefusion_connector.registry.definitions import Action, Operation, Parameter
from practicefusion_connector.registry.values import Refused, encode, is_id, nearest, shape

View = Literal["full", "summary"]
Validation = Literal["none", "warn", "strict"]

CONTROLS = {
    "cursor": "The next_cursor of an earlier result, to go on from there.",
    "max_items": "Follow pages until this many resources are there; left out, one page is read.",
    "max_output_bytes": "Size in bytes that the result as JSON may have at most.",
    "view": "full gives FHIR resources, summary flat rows that need no knowledge of FHIR.",
    "validation": "What a resource that breaks FHIR R4's rules leads to: nothing, a warning, or "
    "an error (strict).",
}
MAX_OUTPUT_BYTES = 2_000_000
LEAST_OUTPUT_BYTES = 1_000
_SEARCH_ONLY = frozenset({"cursor", "max_items"})
# Half a surrogate pair is no character: no URL can carry it.
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_PLAIN_NAME = re.compile(r"[\w:.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Request:
    """What one action asks of the FHIR server.

    Attributes:
        logical_id: which resource, for a get.
        query: names in FHIR's spelling with encoded values, in the order of the declaration.
        cursor: where to go on from, instead of a first page.
        max_items: how many resources the caller wants at most, across pages.
        max_output_bytes: how large the result as JSON may be.
        view: resources as they are, or the flat rows of the summary view.
        validation: what a resource that is not valid FHIR R4 leads to.
    """

    action: Action
    logical_id: str = ""
    query: tuple[tuple[str, str], ...] = ()
    cursor: str | None = None
    max_items: int | None = None
    max_output_bytes: int = MAX_OUTPUT_BYTES
    view: View = "full"
    validation: Validation = "warn"
    warnings: tuple[ActionWarning, ...] = ()


def controls(operation: Operation) -> dict[str, str]:
    """Return the inputs that every action of a kind takes beside its own, with their meaning."""
    left_out = _SEARCH_ONLY if operation == "get" else frozenset()
    return {name: says for name, says in CONTROLS.items() if name not in left_out}


def check(action: Action, inputs: Mapping[str, Any] | None, base_url: str) -> Request:
    """Check `inputs` against `action` and return the request to send.

    Empty and null inputs are dropped. Names may be the input's or FHIR's own.

    Raises:
        InvalidInput: naming every field refused, why, and what it takes.
    """
    if inputs is not None and not isinstance(inputs, Mapping):
        raise InvalidInput(f"{action.key} takes an object of inputs, not {shape(inputs)}.")
    problems = _Problems()
    given = _kept(inputs or {})
    request = (_get if action.operation == "get" else _search)(action, given, base_url, problems)
    if problems:
        told = "; ".join(f"{problem['path']} {problem['message']}" for problem in problems)
        raise InvalidInput(
            sentence(f"{action.key}: {told}"),
            problems=problems,
            action=action.key,
        )
    return request


class _Problems(list[dict[str, str]]):
    def add(self, path: str, message: str) -> None:
        self.append({"path": path, "message": message})


def _kept(given: Mapping[str, Any]) -> dict[str, Any]:
    """Drop null, blank text and empty containers at every depth; false and zero stay."""
    pairs = ((name, _not_empty(value)) for name, value in given.items())
    return {str(name): value for name, value in pairs if value is not None}


def _not_empty(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, Mapping):
        return _kept(value) or None
    if isinstance(value, list | tuple):
        return [kept for item in value if (kept := _not_empty(item)) is not None] or None
    return value


def _get(action: Action, given: dict[str, Any], base_url: str, problems: _Problems) -> Request:
    allowed = ["id", *controls("get")]
    for name in given.keys() - set(allowed):
        problems.add(*_unknown(action, name, allowed))
    logical_id = given.get("id", "")
    if not logical_id:
        problems.add("id", f"is required: the id of the {action.noun}")
    elif not is_id(logical_id):
        wanted = "1 to 64 letters, digits, hyphens and dots, as text"
        problems.add("id", f"is {shape(logical_id)}; it must be {wanted}")
    return Request(action, logical_id=logical_id, **_common(given, problems))


def _search(action: Action, given: dict[str, Any], base_url: str, problems: _Problems) -> Request:
    named = _by_parameter(action, given, problems)
    query: list[tuple[str, str]] = []
    for parameter in action.parameters:
        if parameter.name not in named:
            continue
        try:
            texts = _texts(action, parameter, named[parameter.name], base_url)
        except Refused as refusal:
            problems.add(parameter.input, str(refusal))
        else:
            query += [(parameter.name, text) for text in texts]
    return Request(
        action,
        query=tuple(query),
        cursor=_cursor(given, problems),
        max_items=_whole(given, "max_items", 1, problems),
        **_common(given, problems),
        warnings=tuple(_advice(action, named, given)),
    )


def _by_parameter(action: Action, given: dict[str, Any], problems: _Problems) -> dict[str, Any]:
    """Return the inputs by FHIR name; both spellings of one parameter at once are a mistake."""
    named: dict[str, Any] = {}
    for name, value in given.items():
        parameter = action.named(name)
        if parameter is None:
            if name not in CONTROLS:
                allowed = [parameter.input for parameter in action.parameters]
                problems.add(*_unknown(action, name, [*allowed, *CONTROLS]))
        elif parameter.name in named:
            problems.add(parameter.input, f"is given twice, also as {parameter.name}; give it once")
        else:
            named[parameter.name] = value
    return named


def _unknown(action: Action, name: str, allowed: list[str]) -> tuple[str, str]:
    if not _PLAIN_NAME.fullmatch(name):
        return "input", f"has a name that is {shape(name)}; it takes {', '.join(allowed)}"
    near = nearest(name, allowed)
    return name, f"is no input of {action.key}.{near} It takes {', '.join(allowed)}"


def _texts(action: Action, parameter: Parameter, value: Any, base_url: str) -> list[str]:
    _refuse_control_characters(value)
    if parameter.form == "sort":
        return [_sort(action, value)]
    return encode(parameter, value, base_url)


def _refuse_control_characters(value: Any) -> None:
    if isinstance(value, str) and _CONTROL_CHARACTER.search(value):
        raise Refused("has a line break, tab or other control character in it; take it out")
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            _refuse_control_characters(item)


def _sort(action: Action, value: Any) -> str:
    """Return FHIR's `_sort`: names of the action's own parameters, a minus for newest first."""
    keys = value if isinstance(value, list) else str(value).split(",")
    return ",".join(_sort_key(action, str(key).strip()) for key in keys)


def _sort_key(action: Action, key: str) -> str:
    parameter = action.named(key.removeprefix("-"))
    if parameter is None or parameter.form or parameter.type == "number":
        allowed = [p.input for p in action.parameters if not p.form and p.type != "number"]
        raise Refused(
            f"sorts by parameters of the action, with a minus to turn round: {', '.join(allowed)}"
        )
    return ("-" if key.startswith("-") else "") + parameter.name


def _cursor(given: dict[str, Any], problems: _Problems) -> str | None:
    cursor = given.get("cursor")
    if cursor is not None and not isinstance(cursor, str):
        problems.add("cursor", f"is {shape(cursor)}; it must be the next_cursor of a result")
        return None
    return cursor


def _whole(given: dict[str, Any], name: str, least: int, problems: _Problems) -> int | None:
    """Return the control as a whole number, `None` where it is left out or refused."""
    number = given.get(name)
    if isinstance(number, str) and re.fullmatch(r"[0-9]{1,18}", number.strip()):
        number = int(number)
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        problems.add(name, f"is {shape(number)}; it must be a whole number, {least} or more")
        return None
    return number


def _one_of(given: dict[str, Any], name: str, choices: tuple[str, ...], problems: _Problems) -> Any:
    chosen = given.get(name)
    if chosen is not None and chosen not in choices:
        near = nearest(chosen, choices) if isinstance(chosen, str) else ""
        problems.add(name, f"takes one of {', '.join(choices)}.{near}")
    return chosen


def _common(given: dict[str, Any], problems: _Problems) -> dict[str, Any]:
    """Return the controls that every action takes, without those left out."""
    chosen = {
        "max_output_bytes": _whole(given, "max_output_bytes", LEAST_OUTPUT_BYTES, problems),
        "view": _one_of(given, "view", get_args(View), problems),
        "validation": _one_of(given, "validation", get_args(Validation), problems),
    }
    return {name: value for name, value in chosen.items() if value is not None}


def _advice(
    action: Action, named: dict[str, Any], given: dict[str, Any]
) -> Iterator[ActionWarning]:
    within = {action.compartment, "subject", "_id", "identifier"}
    if action.compartment and "cursor" not in given and not within & named.keys():
        yield ActionWarning(
            "no_patient",
            f"The search names no {action.compartment}: it reads every patient's {action.noun} "
            "records, which only some connections may do.",
        )
    for parameter in action.parameters:
        undeclared = parameter.support == "fhir-r4" and parameter.type != "number"
        if parameter.name in named and undeclared and not parameter.form:
            yield ActionWarning(
                "undeclared_parameter",
                f"Practice Fusion does not declare {parameter.name}; it may be ignored.",
            )
