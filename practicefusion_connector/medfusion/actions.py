"""The portal's actions as data, and their inputs checked before anything is sent.

`actions/medfusion/patient.toml` declares them. Pure after loading: values in, checked values or
`InvalidInput` out, with every wrong field named at once.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.medfusion.cursors import Since, since
from practicefusion_connector.medfusion.invitation import invitation
from practicefusion_connector.medfusion.models import Patient
from practicefusion_connector.registry.values import Refused, nearest, shape
from practicefusion_connector.resources import folder

InputType = Literal["patient", "patients", "boolean", "url", "urls", "since", "choice", "number"]


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Input(_Declared):
    """One input of an action."""

    type: InputType
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    says: str


class MedfusionAction(_Declared):
    """One action; `idempotent` says whether running it twice is the same as once."""

    key: str
    title: str
    description: str
    idempotent: bool
    sensitivity: Literal["phi"] = "phi"
    inputs: dict[str, Input]
    sample: dict[str, Any]


@cache
def actions() -> dict[str, MedfusionAction]:
    """Return the portal's actions by key, loaded once."""
    file = folder("actions") / "medfusion" / "patient.toml"
    declared = tomllib.loads(file.read_text("utf-8"))["actions"]
    return {key: MedfusionAction(key=key, **fields) for key, fields in declared.items()}


def action(key: str) -> MedfusionAction:
    """Return the action with this key, or raise `InvalidInput` with the nearest one."""
    found = actions().get(key)
    if found is None:
        raise InvalidInput(
            f"There is no Medfusion action with this key.{nearest(key, actions())} "
            f"There are {', '.join(actions())}.",
            problems=[{"path": "action", "message": "unknown action key"}],
        )
    return found


def check(action: MedfusionAction, inputs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return every input's checked value, its default where it is left out.

    Raises:
        InvalidInput: naming every field refused, why, and what it takes.
    """
    if inputs is not None and not isinstance(inputs, Mapping):
        raise InvalidInput(f"{action.key} takes an object of inputs, not {shape(inputs)}.")
    given = {name: value for name, value in (inputs or {}).items() if value not in (None, "", [])}
    problems = list(_unknown(action, given))
    checked: dict[str, Any] = {}
    for name, declared in action.inputs.items():
        if name not in given:
            checked[name] = declared.default
            if declared.required:
                problems.append((name, f"is required: {declared.says.rstrip('.')}"))
            continue
        try:
            checked[name] = _CHECKS[declared.type](declared, given[name])
        except Refused as refusal:
            problems.append((name, str(refusal)))
        except InvalidInput as refusal:
            problems += [
                (name + problem["path"], problem["message"]) for problem in refusal.problems
            ]
    if problems:
        told = "; ".join(f"{path} {message}" for path, message in problems)
        raise InvalidInput(
            f"{action.key}: {told.rstrip('.?')}.",
            problems=[{"path": path, "message": message} for path, message in problems],
        )
    return checked


def _unknown(action: MedfusionAction, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in given:
        if name not in action.inputs:
            takes = ", ".join(action.inputs)
            known = name if isinstance(name, str) and name.isidentifier() else "input"
            near = nearest(known, action.inputs)
            yield known, f"is no input of {action.key}.{near} It takes {takes}"


def _patient(declared: Input, value: Any) -> Patient:
    return _invited(value, "")


def _invited(value: Any, place: str) -> Patient:
    try:
        return invitation(value)
    except InvalidInput as error:
        problems = [
            {"path": f"{place}.{problem['path']}", "message": problem["message"]}
            for problem in error.problems
        ]
    raise InvalidInput("A patient cannot be invited.", problems=problems)


def _patients(declared: Input, value: Any) -> list[Patient]:
    if not isinstance(value, list | tuple):
        raise Refused(f"is {shape(value)}; it must be a list of patients")
    found: list[Patient] = []
    problems: list[Mapping[str, str]] = []
    places: dict[str | None, int] = {}
    for place, one in enumerate(value):
        try:
            patient = _invited(one, f"[{place}]")
        except InvalidInput as error:
            problems += error.problems
            continue
        first = places.setdefault(patient.practice_patient_id, place)
        if first != place:
            told = f"is the same as [{first}]'s; one invitation for each patient"
            problems.append({"path": f"[{place}].practice_patient_id", "message": told})
        found.append(patient)
    if problems:
        raise InvalidInput("Some patients cannot be invited.", problems=problems)
    return found


def _boolean(declared: Input, value: Any) -> bool:
    words = {"true": True, "false": False}
    found = words.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise Refused(f"is {shape(value)}; it must be true or false")
    return found


def _url(declared: Input, value: Any) -> str:
    if not isinstance(value, str) or not value.strip().startswith(("http://", "https://")):
        raise Refused(f"is {shape(value)}; it must be the status_url of an invitation's result")
    return value.strip()


def _urls(declared: Input, value: Any) -> list[str]:
    several = value if isinstance(value, list | tuple) else [value]
    return list(dict.fromkeys(_url(declared, one) for one in several))


def _since(declared: Input, value: Any) -> Since:
    return since(value)


def _choice(declared: Input, value: Any) -> str:
    if value not in declared.choices:
        raise Refused(f"takes one of {', '.join(declared.choices)}")
    return str(value)


def _number(declared: Input, value: Any) -> float:
    try:
        number = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = float("nan")
    least = declared.minimum or 0
    if not least <= number < 1e9:
        raise Refused(f"is {shape(value)}; it must be a number of seconds, {least:g} or more")
    return number


_CHECKS: dict[InputType, Callable[[Input, Any], Any]] = {
    "patient": _patient,
    "patients": _patients,
    "boolean": _boolean,
    "url": _url,
    "urls": _urls,
    "since": _since,
    "choice": _choice,
    "number": _number,
}
