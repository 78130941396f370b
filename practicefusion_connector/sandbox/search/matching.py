"""What the rooms for the single parameter types have in common.

A `Matcher` reads the values out of a resource's element once, when the index is built, and reads
the searched value once per request; matching is then a comparison of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from practicefusion_connector.sandbox.search.parameters import SearchParameter

Resolve = Callable[[str], tuple[str, str] | None]
"""Turns a literal reference into the type and id it points at (see `ResourceStore.resolve`)."""


class Matcher(Protocol):
    """The rules of one search parameter type."""

    def extract(self, element: Any, parameter: SearchParameter, resolve: Resolve) -> Iterable[Any]:
        """The indexed values in one element that the FHIRPath expression gave."""

    def parse(self, text: str, parameter: SearchParameter, resolve: Resolve) -> Any:
        """The searched value, one alternative of a comma-OR. Raises SearchError."""

    def matches(self, value: Any, wanted: Any) -> bool:
        """Whether an indexed value satisfies the searched one."""

    def sort_key(self, value: Any) -> Any:
        """What `_sort` compares."""


class Prefixed(NamedTuple):
    """A searched value and the comparison it asks for."""

    prefix: str
    value: Any


PREFIXES = ("eq", "ne", "gt", "ge", "lt", "le", "sa", "eb", "ap")


def split_prefix(text: str) -> tuple[str, str]:
    """`ge2026` becomes `("ge", "2026")`; a value without a prefix means `eq`."""
    if text[:2] in PREFIXES:
        return text[:2], text[2:]
    return "eq", text
