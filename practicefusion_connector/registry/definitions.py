"""What an action file says, as checked, frozen values.

One file in `actions/` declares one resource; from it come a "get by ID" action and, where the file
has a `[search]` table, a search action. These models hold the declaration and nothing else: how an
input is checked is in `inputs`, what a value looks like on the wire in `values`.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ParameterType = Literal[
    "token", "date", "reference", "string", "quantity", "uri", "composite", "number"
]
Support = Literal["declared", "us-core", "fhir-r4"]
Operation = Literal["get", "search"]
Sensitivity = Literal["phi", "directory"]


def input_name(name: str) -> str:
    """Return the snake_case input name of a FHIR search parameter (`_lastUpdated`, `birthdate`)."""
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", name.lstrip("_"))
    return words.replace("-", "_").lower()


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Parameter(_Declared):
    """One search parameter an action accepts.

    Attributes:
        name: the FHIR spelling, as it goes on the wire.
        input: the snake_case spelling a host maps to.
        support: who says the server answers it: Practice Fusion's CapabilityStatement
            (`declared`), US Core 6.1.0 (`us-core`) or only base FHIR R4 (`fhir-r4`).
        or_: whether several values may be joined with commas (any of them matches).
        repeat: whether it may be given more than once (all must match).
        closed: whether `codes` are the only ones there are (a required binding).
    """

    name: str
    input: str
    type: ParameterType
    support: Support
    or_: bool = Field(default=False, alias="or")
    repeat: bool = False
    comparators: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    closed: bool = False
    system: str | None = None
    components: tuple[tuple[str, str], ...] = ()
    form: Literal["sort", "include"] | None = None
    says: str
    examples: tuple[Any, ...] = ()


class Combination(_Declared):
    """Parameters known to work together, and who says so."""

    parameters: tuple[str, ...]
    support: Literal["us-core", "observed"]
    expectation: Literal["SHALL", "SHOULD"] | None = None


class Scopes(_Declared):
    """The scopes the resource needs, without the level: `Patient.read` and `Patient.rs`."""

    v1: str
    v2: str


class OutputField(_Declared):
    """One element of the resource that people map.

    Attributes:
        path: where it is, as `name` or `component.code`; a parent is declared before its parts.
        type: a FHIR datatype, with `[]` behind it where the element repeats.
    """

    path: str
    type: str
    says: str


class Deprecation(_Declared):
    """Since when an action should not be used any more, and what to use instead."""

    since: str
    message: str
    removed_in: str | None = None
    replacement: str | None = None


class Action(_Declared):
    """One action a host can run: everything a person or a program needs to know about it.

    Attributes:
        fields: the elements of the resource that people map, in the order to show them.
        sample: inputs that work against the sandbox.
        sample_resource: a synthetic resource, as the action returns it.
        sensitivity: whether results are protected health information (`phi`) or tell of
            practitioners and organizations only (`directory`).
        version: changes where the action's own contract does (semantic versioning).
    """

    key: str
    title: str
    description: str
    operation: Operation
    resource: str
    noun: str
    scopes: Scopes
    profiles: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    compartment: str | None = None
    parameters: tuple[Parameter, ...] = ()
    combinations: tuple[Combination, ...] = ()
    fields: tuple[OutputField, ...] = ()
    sample: dict[str, Any]
    sample_resource: dict[str, Any] | None = None
    sensitivity: Sensitivity = "phi"
    extension: bool = False
    version: str = "1.0.0"
    deprecation: Deprecation | None = None

    def named(self, name: str) -> Parameter | None:
        """Return the parameter with this input name or FHIR spelling, or `None`."""
        return next((p for p in self.parameters if name in (p.input, p.name)), None)
