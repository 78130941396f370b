"""String parameters: starts-with, without regard to case and accents (FHIR R4 3.1.1.4.8)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from practicefusion_connector.sandbox.search.escaping import unescape
from practicefusion_connector.sandbox.search.matching import Resolve
from practicefusion_connector.sandbox.search.parameters import SearchParameter

_PARTS = (
    *("text", "family", "given", "prefix", "suffix"),
    *("line", "city", "district", "state", "postalCode", "country"),
)


def normalise(text: str) -> str:
    """Case folded, accents removed, white space collapsed."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(plain.split())


class StringMatcher:
    """Any part of a HumanName or Address may match."""

    def extract(self, element: Any, parameter: SearchParameter, resolve: Resolve) -> Iterable[str]:
        """The text itself, or the parts of a name or an address."""
        if isinstance(element, str):
            yield normalise(element)
        elif isinstance(element, dict):
            for name in _PARTS:
                part = element.get(name)
                for text in part if isinstance(part, list) else [part]:
                    if isinstance(text, str):
                        yield normalise(text)

    def parse(self, text: str, parameter: SearchParameter, resolve: Resolve) -> str:
        """Every text is a string."""
        return normalise(unescape(text))

    def matches(self, value: str, wanted: str) -> bool:
        """Whether the indexed text starts with the searched one."""
        return value.startswith(wanted)

    def sort_key(self, value: str) -> str:
        """By the normalised text."""
        return value
