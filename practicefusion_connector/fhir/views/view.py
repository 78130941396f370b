"""A view: a ViewDefinition compiled once, that makes rows of resources.

Implements SQL on FHIR v2's ViewDefinition: select, column, forEach, forEachOrNull, repeat,
unionAll, where, constant, collection and %rowIndex. Pure: resources in, rows out; it knows no
server, no file and no action.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from practicefusion_connector.fhir.views.definition import (
    ConstantDefinition,
    SelectDefinition,
    ViewDefinition,
    read_definition,
)
from practicefusion_connector.fhir.views.errors import ViewError
from practicefusion_connector.fhir.views.expression import Expression, Scope
from practicefusion_connector.fhir.views.fhirpath import MOMENTS, Item, moment
from practicefusion_connector.fhir.views.selection import (
    Column,
    OnError,
    Row,
    Selection,
    compiled,
)


class View:
    """Rows of one resource type. Holds no state between rows: one view serves many threads."""

    def __init__(self, definition: ViewDefinition) -> None:
        """Compile a checked definition; `View.from_definition` takes a plain one."""
        self.resource = definition.resource
        self.name = definition.name or definition.resource
        constants = {each.name: _constant(each) for each in definition.constant}
        self._where = [
            compiled("where", each.path, self.resource, constants) for each in definition.where
        ]
        whole = SelectDefinition(select=definition.select)
        self._selection = Selection(whole, self.resource, constants)
        self.columns: tuple[Column, ...] = tuple(self._selection.columns)
        self._refuse_duplicates()

    @classmethod
    def from_definition(cls, definition: Mapping[str, Any]) -> View:
        """Compile a ViewDefinition given as plain JSON data.

        Raises:
            ViewError: the definition is wrong or unsupported; the text names the column.
        """
        return cls(read_definition(definition))

    def _refuse_duplicates(self) -> None:
        seen: set[str] = set()
        for column in self.columns:
            if column.name in seen:
                raise ViewError(f'view definition: two columns are named "{column.name}"')
            seen.add(column.name)

    def rows(
        self, resources: Iterable[Mapping[str, Any]], on_error: OnError | None = None
    ) -> Iterator[Row]:
        """Yield the rows of the resources, in order; those of other types are passed over.

        Args:
            resources: FHIR resources as plain dictionaries; they are not changed.
            on_error: Called with the error of a cell that cannot be filled, which is then null.

        Raises:
            ViewError: a resource does not fit the view, and no `on_error` was given.
        """
        for resource in resources:
            if resource.get("resourceType") != self.resource:
                continue
            item = Item(resource, self.resource)
            scope = Scope(item)
            if all(_holds(condition, item, scope) for condition in self._where):
                yield from self._selection.rows(item, scope, on_error)


def _holds(condition: Expression, item: Item, scope: Scope) -> bool:
    values = condition.values(item, scope)
    if not values:
        return False
    if len(values) > 1 or not isinstance(values[0], bool):
        raise ViewError(f'where "{condition.text}" gives something other than true or false')
    return values[0]


def _constant(definition: ConstantDefinition) -> object:
    """Return the value expressions see; moments become FHIRPath's, so that they compare as such."""
    if definition.type not in MOMENTS:
        return definition.value
    value = moment(definition.value, definition.type)
    if value is None:
        raise ViewError(
            f'view definition, constant "{definition.name}": '
            f"is not of the form of a {definition.type}"
        )
    return value
