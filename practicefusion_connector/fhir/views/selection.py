"""A compiled `select`: the rows it makes of one item, as SQL on FHIR v2's functional model says.

`column` gives one partial row; `forEach`, `forEachOrNull` and `repeat` give one for each element;
nested selects are cross joined; the branches of `unionAll` follow one another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from practicefusion_connector.fhir.views.definition import ColumnDefinition, SelectDefinition
from practicefusion_connector.fhir.views.errors import ViewError
from practicefusion_connector.fhir.views.expression import Expression, Scope
from practicefusion_connector.fhir.views.fhirpath import Item

Row = dict[str, object]
OnError = Callable[[ViewError], None]

# `repeat` follows elements as deep as they nest; deeper than this is an expression that circles.
_MAX_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the rows: its name, FHIR type, description, and whether it holds a list."""

    name: str
    type: str = "string"
    description: str = ""
    collection: bool = False


class Cell:
    """A column with the expression that fills it."""

    __slots__ = ("_expression", "column")

    def __init__(self, column: Column, expression: Expression) -> None:
        self.column = column
        self._expression = expression

    def value(self, item: Item, scope: Scope, on_error: OnError | None) -> object:
        """Return the cell's value; a failure goes to `on_error`, if given, and leaves it null."""
        try:
            return self._read(self._expression.values(item, scope))
        except ViewError as error:
            named = ViewError(f'column "{self.column.name}" {error}')
            if on_error is None:
                raise named from None
            on_error(named)
            return None

    def _read(self, values: list[object]) -> object:
        if self.column.collection:
            self._refuse_elements(values)
            return values
        if len(values) > 1:
            raise ViewError(
                f"gives {len(values)} values where one belongs; choose one, "
                "for example with first(), or set collection to true"
            )
        self._refuse_elements(values)
        return values[0] if values else None

    def _refuse_elements(self, values: list[object]) -> None:
        for value in values:
            if isinstance(value, dict | list) and self._is_primitive():
                raise ViewError(
                    "gives an element where a single value belongs; choose a part of it, "
                    "or give the column the element's type"
                )

    def _is_primitive(self) -> bool:
        return self.column.type.rpartition("/")[2][:1].islower()


class Selection:
    """One `select`, with everything below it compiled."""

    def __init__(
        self,
        definition: SelectDefinition,
        context: str | None,
        constants: Mapping[str, object],
    ) -> None:
        self._or_null = definition.for_each_or_null is not None
        each = definition.for_each or definition.for_each_or_null
        self._each = compiled("forEach", each, context, constants) if each else None
        self._repeat = [compiled("repeat", path, None, constants) for path in definition.repeat]
        inner = self._each.type if self._each else None if self._repeat else context
        self._cells = [_cell(column, inner, constants) for column in definition.column]
        self._nested = [Selection(part, inner, constants) for part in definition.select]
        self._union = [Selection(part, inner, constants) for part in definition.union_all]
        self.columns = self._columns()

    def _columns(self) -> list[Column]:
        """Return the columns in the order of the rows: own, nested, then those of the union."""
        columns = [cell.column for cell in self._cells]
        for part in self._nested:
            columns += part.columns
        if self._union:
            first, *others = self._union
            for other in others:
                _same_columns(first.columns, other.columns)
            columns += first.columns
        return columns

    def rows(self, item: Item, scope: Scope, on_error: OnError | None) -> list[Row]:
        """Return the rows of one item; the order of keys is that of `columns`."""
        return [
            row
            for each, inner in self._elements(item, scope)
            for row in self._rows_of(each, inner, on_error)
        ]

    def _elements(self, item: Item, scope: Scope) -> list[tuple[Item, Scope]]:
        if self._each:
            elements = self._each.items(item, scope)
            if not elements and self._or_null:
                elements = [Item({}, self._each.type)]
        elif self._repeat:
            elements = list(self._descend(item, scope))
        else:
            return [(item, scope)]
        return [(each, Scope(scope.resource, index)) for index, each in enumerate(elements)]

    def _descend(self, item: Item, scope: Scope, depth: int = 1) -> Iterator[Item]:
        if depth > _MAX_DEPTH:
            raise ViewError(f"repeat goes deeper than {_MAX_DEPTH} levels; does it circle?")
        for expression in self._repeat:
            for child in expression.items(item, scope):
                yield child
                yield from self._descend(child, scope, depth + 1)

    def _rows_of(self, item: Item, scope: Scope, on_error: OnError | None) -> list[Row]:
        rows: list[Row] = [
            {cell.column.name: cell.value(item, scope, on_error) for cell in self._cells}
        ]
        for part in self._nested:
            rows = _joined(rows, part.rows(item, scope, on_error))
        if self._union:
            branches = [row for part in self._union for row in part.rows(item, scope, on_error)]
            rows = _joined(rows, branches)
        return rows


def compiled(
    place: str, path: str, context: str | None, constants: Mapping[str, object]
) -> Expression:
    """Compile an expression of a view; an error names the place it stands in."""
    try:
        return Expression(path, context, constants)
    except ViewError as error:
        raise ViewError(f'view definition, {place}: "{path}" {error}') from None


def _cell(
    definition: ColumnDefinition, context: str | None, constants: Mapping[str, object]
) -> Cell:
    column = Column(
        definition.name,
        definition.type or "string",
        definition.description or "",
        definition.collection,
    )
    place = f'column "{definition.name}"'
    return Cell(column, compiled(place, definition.path, context, constants))


def _same_columns(first: list[Column], other: list[Column]) -> None:
    if [(column.name, column.type) for column in first] != [
        (column.name, column.type) for column in other
    ]:
        names = ", ".join(column.name for column in first)
        raise ViewError(
            "view definition, unionAll: every branch needs the same columns, in the same order and "
            f"of the same types, as the first: {names}"
        )


def _joined(rows: list[Row], others: list[Row]) -> list[Row]:
    return [{**row, **other} for row in rows for other in others]
