"""One expression of a view, compiled once: the plain path where it can, fhirpathpy where not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from practicefusion_connector.fhir.views.errors import ViewError
from practicefusion_connector.fhir.views.fhirpath import Item, evaluate, has_value, named, parse
from practicefusion_connector.fhir.views.plain import compile_plain
from practicefusion_connector.fhir.views.steps import single_type

# What every expression may name besides the view's own constants.
STANDARD = frozenset({"context", "resource", "rootResource", "rowIndex", "ucum"})


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression is evaluated: the resource, and the row within the nearest iteration."""

    resource: Item
    row_index: int = 0


class Expression:
    """A FHIRPath expression ready to be evaluated on items of a known or unknown type."""

    __slots__ = ("_constants", "_plain", "_tree", "text", "type")

    def __init__(
        self, text: str, context: str | None = None, constants: Mapping[str, object] | None = None
    ) -> None:
        """Parse and compile; `context` is the FHIR type of the items, where it is known.

        Raises:
            ViewError: the text is not FHIRPath, or names an unknown function or constant.
        """
        self.text = text
        self._constants = constants or {}
        self._tree = parse(text)
        for name in named(self._tree):
            if name not in self._constants and name not in STANDARD:
                raise ViewError(f"uses %{name}, which the view does not define")
        step = compile_plain(text, context, self._constants)
        self._plain = step.run if step else None
        self.type = single_type(step) if step else None

    @property
    def is_plain(self) -> bool:
        """Tell whether the compiled path answers, and not fhirpathpy."""
        return self._plain is not None

    def items(self, item: Item, scope: Scope) -> list[Item]:
        """Return what the expression gives for an item, typed.

        Raises:
            ViewError: it cannot be evaluated on this data; the text names no value.
        """
        if self._plain:
            return [Item(value, self.type) for value in self._run(item, scope)]
        try:
            return evaluate(self._tree, item, self._variables(scope))
        except Exception as error:
            raise _failed(scope, error) from None

    def values(self, item: Item, scope: Scope) -> list[object]:
        """Return what the expression gives as plain JSON values."""
        found = (
            self._run(item, scope)
            if self._plain
            else [each.data for each in self.items(item, scope)]
        )
        return [float(value) if isinstance(value, Decimal) else value for value in found]

    def _run(self, item: Item, scope: Scope) -> list[object]:
        try:
            found = self._plain([item.data]) if self._plain else []
        except Exception as error:
            raise _failed(scope, error) from None
        return [value for value in found if has_value(value)]

    def _variables(self, scope: Scope) -> dict[str, object]:
        resource = scope.resource.data
        return {
            "resource": resource,
            "rootResource": resource,
            "rowIndex": scope.row_index,
            **self._constants,
        }


def _failed(scope: Scope, error: Exception) -> ViewError:
    # The text of an engine's error can carry data, so only its kind is told.
    kind = type(error).__name__
    return ViewError(f"cannot be evaluated on this {scope.resource.fhir_type} ({kind})")
