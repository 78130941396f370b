"""URI parameters: equal, character for character (FHIR R4 3.1.1.4.13)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from practicefusion_connector.sandbox.search.escaping import unescape
from practicefusion_connector.sandbox.search.matching import Resolve
from practicefusion_connector.sandbox.search.parameters import SearchParameter


class UriMatcher:
    """Compares the whole text."""

    def extract(self, element: Any, parameter: SearchParameter, resolve: Resolve) -> Iterable[str]:
        """The URI itself."""
        if isinstance(element, str):
            yield element

    def parse(self, text: str, parameter: SearchParameter, resolve: Resolve) -> str:
        """Every text is taken as it is."""
        return unescape(text)

    def matches(self, value: str, wanted: str) -> bool:
        """Whether both are equal."""
        return value == wanted

    def sort_key(self, value: str) -> str:
        """By the text."""
        return value
