"""Reference parameters: `id`, `Type/id` or an absolute URL (FHIR R4 3.1.1.4.12)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from practicefusion_connector.sandbox.search.escaping import unescape
from practicefusion_connector.sandbox.search.matching import Resolve
from practicefusion_connector.sandbox.search.parameters import SearchParameter


class IndexedReference(NamedTuple):
    """A reference as it is written, and what it points at where that can be told."""

    literal: str
    type: str
    id: str


class WantedReference(NamedTuple):
    """`type` empty means any type; a URL of another server only matches as it is written."""

    literal: str
    type: str
    id: str


class ReferenceMatcher:
    """A bare id means any of the parameter's target types."""

    def extract(
        self, element: Any, parameter: SearchParameter, resolve: Resolve
    ) -> Iterable[IndexedReference]:
        """The reference of a Reference element, unless it points at another type of resource."""
        literal = element.get("reference") if isinstance(element, dict) else None
        if isinstance(literal, str):
            resource_type, resource_id = resolve(literal) or ("", "")
            if not resource_type or not parameter.targets or resource_type in parameter.targets:
                yield IndexedReference(literal, resource_type, resource_id)

    def parse(self, text: str, parameter: SearchParameter, resolve: Resolve) -> WantedReference:
        """An id, a relative reference or a URL."""
        literal = unescape(text)
        key = resolve(literal)
        if key is None:
            return WantedReference(literal, "", "" if "/" in literal else literal)
        return WantedReference(literal, *key)

    def matches(self, value: IndexedReference, wanted: WantedReference) -> bool:
        """By type and id, or by the literal text of a reference to elsewhere."""
        if wanted.id and value.id == wanted.id:
            return wanted.type in ("", value.type)
        return not value.id and value.literal == wanted.literal

    def sort_key(self, value: IndexedReference) -> str:
        """By the literal text."""
        return value.literal
