"""Quantity parameters: `[prefix]number|system|code` (FHIR R4 3.1.1.4.11).

A number stands for the range its digits leave open: 100 means 99.5 up to 100.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from practicefusion_connector.sandbox.search.errors import SearchError
from practicefusion_connector.sandbox.search.escaping import split_unescaped, unescape
from practicefusion_connector.sandbox.search.matching import Prefixed, Resolve, split_prefix
from practicefusion_connector.sandbox.search.parameters import SearchParameter


class IndexedQuantity(NamedTuple):
    """A measured value with every name its unit has."""

    value: Decimal
    system: str
    units: frozenset[str]


class WantedQuantity(NamedTuple):
    """The searched number, how far its digits reach, and the unit where one is named."""

    value: Decimal
    reach: Decimal
    system: str
    unit: str


def _within(wanted: WantedQuantity, value: Decimal) -> bool:
    return wanted.value - wanted.reach <= value < wanted.value + wanted.reach


def _approximates(wanted: WantedQuantity, value: Decimal) -> bool:
    return abs(value - wanted.value) <= max(abs(wanted.value) / 10, wanted.reach)


_COMPARISONS: dict[str, Callable[[WantedQuantity, Decimal], bool]] = {
    "eq": _within,
    "ne": lambda wanted, value: not _within(wanted, value),
    "gt": lambda wanted, value: value > wanted.value,
    "ge": lambda wanted, value: value >= wanted.value,
    "lt": lambda wanted, value: value < wanted.value,
    "le": lambda wanted, value: value <= wanted.value,
    "sa": lambda wanted, value: value >= wanted.value + wanted.reach,
    "eb": lambda wanted, value: value < wanted.value - wanted.reach,
    "ap": _approximates,
}


class QuantityMatcher:
    """Compares numbers of the same unit; units are not converted."""

    def extract(
        self, element: Any, parameter: SearchParameter, resolve: Resolve
    ) -> Iterable[IndexedQuantity]:
        """The value of a Quantity or one of its specialisations, such as Duration."""
        if isinstance(element, dict) and isinstance(element.get("value"), (int, float, Decimal)):
            names = (element.get("code"), element.get("unit"))
            yield IndexedQuantity(
                Decimal(str(element["value"])),
                element.get("system", ""),
                frozenset(name for name in names if name),
            )

    def parse(self, text: str, parameter: SearchParameter, resolve: Resolve) -> Prefixed:
        """A number with an optional prefix, system and unit."""
        prefix, rest = split_prefix(text)
        number, *unit = [unescape(part) for part in split_unescaped(rest, "|")]
        try:
            value = Decimal(number)
        except InvalidOperation:
            value = Decimal("NaN")
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int) or len(unit) not in (0, 2):
            raise SearchError(
                "value",
                f"The value of '{parameter.name}' is not a FHIR quantity: give a number, or "
                "number|system|code.",
            )
        # R4 reads 1e2 as 95 up to 105, and 100 as 99.5 up to 100.5.
        digit = exponent - 1 if exponent > 0 else exponent
        system, code = unit or ("", "")
        return Prefixed(prefix, WantedQuantity(value, Decimal(1).scaleb(digit) / 2, system, code))

    def matches(self, value: IndexedQuantity, wanted: Prefixed) -> bool:
        """The unit must fit where one is named, the number by the prefix's comparison."""
        searched: WantedQuantity = wanted.value
        if searched.unit and searched.unit not in value.units:
            return False
        if searched.system and searched.system != value.system:
            return False
        return _COMPARISONS[wanted.prefix](searched, value.value)

    def sort_key(self, value: IndexedQuantity) -> Decimal:
        """By the number."""
        return value.value
