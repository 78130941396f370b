"""The steps compiled FHIRPath is made of: functions from a collection to a collection.

A collection is a list of plain JSON values. That of a choice element (`value[x]`) is a list of
`Item`, each value with the type its field names, until `ofType()` or `readable()` settles it.
A primitive's sibling (`_birthDate`) is part of the collection, as it is in fhirpathpy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

from practicefusion_connector.fhir.views.fhirpath import R4, Item
from practicefusion_connector.fhir.views.types import Choice, TypeModel

Values = list[object]
Run = Callable[[Values], Values]

MODEL = TypeModel(R4)
BOOLEAN = "System.Boolean"
STRING = "System.String"
ANY = "System.Any"


class NotPlain(Exception):
    """The expression, or a part of it, is left to fhirpathpy."""


class Step(NamedTuple):
    """A compiled expression, and the type of what comes out of it."""

    run: Run
    type: str | Choice


def single_type(step: Step) -> str:
    """Return the step's type; a choice that is not settled has none."""
    if isinstance(step.type, Choice):
        raise NotPlain
    return step.type


def is_primitive(fhir_type: str | Choice) -> bool:
    """Tell whether values of a type are bare JSON values."""
    if isinstance(fhir_type, Choice):
        return False
    return fhir_type.startswith("System.") or fhir_type[0].islower()


def member(left: Step, name: str) -> Step:
    """Return the step to a child element."""
    kind = MODEL.child(single_type(left), name)
    if kind is None:
        raise NotPlain
    if isinstance(kind, Choice):
        return Step(_choice(left.run, kind), kind)
    return Step(_primitive(left.run, name) if is_primitive(kind) else _child(left.run, name), kind)


def _add(values: Values, value: object) -> None:
    if isinstance(value, list):
        values.extend(value)
    elif value is not None:
        values.append(value)


def _child(run: Run, name: str) -> Run:
    def step(values: Values) -> Values:
        found: Values = []
        for item in run(values):
            if isinstance(item, dict):
                _add(found, item.get(name))
        return found

    return step


def _primitive(run: Run, name: str) -> Run:
    sibling = f"_{name}"

    def step(values: Values) -> Values:
        found: Values = []
        for item in run(values):
            if isinstance(item, dict):
                _add(found, item.get(name))
                _add(found, item.get(sibling))
        return found

    return step


def _choice(run: Run, choice: Choice) -> Run:
    fields = [(field, f"_{field}", fhir_type) for field, fhir_type in choice.fields]

    def step(values: Values) -> Values:
        found: Values = []
        for item in run(values):
            if not isinstance(item, dict):
                continue
            for field, sibling, fhir_type in fields:
                value, beside = item.get(field), item.get(sibling)
                if value is not None or beside is not None:
                    here: Values = []
                    _add(here, value)
                    _add(here, beside)
                    found.extend(Item(each, fhir_type) for each in here)
                    break
        return found

    return step


def of_type(left: Step, name: str) -> Step:
    """Return the step that keeps the values of a type."""
    run, kind = left.run, left.type
    if isinstance(kind, Choice):
        types = {each for _, each in kind.fields if MODEL.is_type(each, name)}
        return Step(
            lambda values: [item.data for item in _items(run, values) if item.fhir_type in types],
            next(iter(types)) if len(types) == 1 else name,
        )
    if kind == "Resource" and MODEL.is_resource(name):
        return Step(
            lambda values: [item for item in run(values) if _resource_type(item) == name], name
        )
    if kind.startswith("System.") or not MODEL.is_type(kind, name):
        raise NotPlain
    return left


def _items(run: Run, values: Values) -> list[Item]:
    return cast("list[Item]", run(values))


def _resource_type(item: object) -> object:
    return item.get("resourceType") if isinstance(item, dict) else None


def typed(left: Step) -> Callable[[Values], list[Item]]:
    """Return the step's values each with its type."""
    run, kind = left.run, left.type
    if isinstance(kind, Choice):
        return lambda values: _items(run, values)
    if kind == "Resource":
        raise NotPlain
    return lambda values: [Item(value, kind) for value in run(values)]
