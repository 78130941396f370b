"""The form of a ViewDefinition (SQL on FHIR v2), checked before anything is compiled.

This room knows how a definition is written. It knows neither FHIRPath nor resources.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from practicefusion_connector.fhir.views.errors import ViewError

CONSTANT_TYPES = frozenset(
    {
        "Base64Binary",
        "Boolean",
        "Canonical",
        "Code",
        "Date",
        "DateTime",
        "Decimal",
        "Id",
        "Instant",
        "Integer",
        "Integer64",
        "Oid",
        "PositiveInt",
        "String",
        "Time",
        "UnsignedInt",
        "Uri",
        "Url",
        "Uuid",
    }
)

# Names become column names of tables in many databases (invariant sql-name of the specification).
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Path = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    """A part of a definition; an unknown key is most often a misspelt one, so it is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    element_id: str | None = Field(None, alias="id")
    extension: list[Any] | None = None
    modifierExtension: list[Any] | None = None  # noqa: N815 - FHIR's own name


class ColumnDefinition(_Part):
    """One column: its name, the FHIRPath that fills it, its FHIR type."""

    name: Name
    path: Path
    type: str | None = None
    description: str | None = None
    collection: bool = Field(False, strict=True)
    tag: list[Any] = []


class SelectDefinition(_Part):
    """Columns, nested selects and unions, once or for each element of an expression."""

    column: list[ColumnDefinition] = []
    select: list[SelectDefinition] = []
    union_all: list[SelectDefinition] = Field([], alias="unionAll")
    for_each: Path | None = Field(None, alias="forEach")
    for_each_or_null: Path | None = Field(None, alias="forEachOrNull")
    repeat: list[Path] = []

    @model_validator(mode="after")
    def _one_iteration(self) -> SelectDefinition:
        if sum(map(bool, (self.for_each, self.for_each_or_null, self.repeat))) > 1:
            raise ValueError("takes only one of forEach, forEachOrNull and repeat")
        return self


class WhereDefinition(_Part):
    """A condition a resource must meet to be in the view."""

    path: Path
    description: str | None = None


class ConstantDefinition(_Part):
    """A value the expressions name as `%name`."""

    name: Name
    type: str
    value: str | bool | int | float

    @model_validator(mode="before")
    @classmethod
    def _value_of_choice(cls, data: object) -> object:
        if not isinstance(data, Mapping):
            return data
        values = {key: value for key, value in data.items() if str(key).startswith("value")}
        kinds = [key.removeprefix("value") for key in values]
        if len(kinds) != 1 or kinds[0] not in CONSTANT_TYPES:
            raise ValueError("needs exactly one value, such as valueString or valueCode")
        rest = {key: value for key, value in data.items() if key not in values}
        return {**rest, "type": kinds[0], "value": next(iter(values.values()))}


class ViewDefinition(BaseModel):
    """A whole definition; its publishing metadata (url, publisher and so on) is not looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    resource: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]*$")]
    name: Name | None = None
    title: str | None = None
    description: str | None = None
    constant: list[ConstantDefinition] = []
    where: list[WhereDefinition] = []
    select: Annotated[list[SelectDefinition], Field(min_length=1)]


def read_definition(definition: Mapping[str, Any]) -> ViewDefinition:
    """Return the checked definition.

    Raises:
        ViewError: naming the place, and the column where it is one, of the first mistake.
    """
    try:
        return ViewDefinition.model_validate(definition)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = first["loc"]
        message = re.sub(r"^Value error, ", "", first["msg"])
        raise ViewError(f"view definition, {_spoken(place, definition)}: {message}") from None


def _spoken(place: tuple[int | str, ...], definition: object) -> str:
    """Return a place as a person writes it, with the name of the column it lies in."""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    names = [
        part["name"]
        for part in _along(place, definition)
        if isinstance(part, Mapping) and "path" in part and isinstance(part.get("name"), str)
    ]
    spoken = path.lstrip(".") or "as a whole"
    return f'column "{names[-1]}" ({spoken})' if names else spoken


def _along(place: tuple[int | str, ...], part: object) -> Iterator[object]:
    """Yield the parts of the definition met on the way to a place."""
    for step in place:
        if isinstance(part, Mapping):
            part = part.get(step)
        elif isinstance(part, list) and isinstance(step, int):
            part = part[step]
        else:
            return
        yield part
