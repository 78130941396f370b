"""The functions that views add to FHIRPath, as plain functions of plain values.

`getResourceKey`, `getReferenceKey`, `join`, `extension` and the boundaries are SQL on FHIR v2's;
`readable([separator])` is this project's own: one line a person can read. Both evaluators, the
library's and the compiled one, call these same functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from practicefusion_connector.fhir.views.readable import readable


def resource_key(resource: object) -> str | None:
    """Return the key of a resource's row: its `id`."""
    key = resource.get("id") if isinstance(resource, Mapping) else None
    return key if isinstance(key, str) else None


def reference_key(reference: object, wanted: str | None = None) -> str | None:
    """Return the key of the row a Reference points at, if it is of the wanted resource type.

    Relative (`Patient/1`) and absolute literal references, with or without a version, have one;
    contained, conditional and logical references have none.
    """
    literal = reference.get("reference") if isinstance(reference, Mapping) else None
    if not isinstance(literal, str) or "?" in literal or literal.startswith(("#", "urn:")):
        return None
    parts = literal.split("/_history/", 1)[0].split("/")
    if len(parts) < 2 or not parts[-1] or not parts[-2][:1].isupper():
        return None
    return parts[-1] if wanted in (None, parts[-2]) else None


def extensions(element: object, url: object) -> list[object]:
    """Return an element's extensions of that URL."""
    found = element.get("extension") if isinstance(element, Mapping) else None
    if not isinstance(found, list):
        return []
    return [item for item in found if isinstance(item, Mapping) and item.get("url") == url]


def joined(values: Iterable[object], separator: str = "") -> str:
    """Return the primitive values as one text; that of nothing is the empty text."""
    texts = (readable(value, None) for value in values if isinstance(value, _PRIMITIVES))
    return separator.join(text for text in texts if text)


_PRIMITIVES = (str, int, float, Decimal)


def readable_lines(
    values: Iterable[tuple[object, str | None]], separator: str | None = None
) -> list[str]:
    """Return a readable line for each typed value, or one line of them all with a separator.

    A line that came before is not repeated within one line.
    """
    lines = [line for value, fhir_type in values if (line := readable(value, fhir_type))]
    if separator is None or not lines:
        return lines
    return [separator.join(dict.fromkeys(lines))]
