"""The names of FHIR R4's resource types (R4 resourcelist)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache

from practicefusion_connector.resources import folder


@cache
def resource_types() -> frozenset[str]:
    """Return every resource type of R4."""
    return frozenset(json.loads((folder("schemas") / "resource-types.json").read_text("utf-8")))


def why_unknown(names: Iterable[str]) -> str | None:
    """Return what is wrong with the first name that is none of R4's, as a sentence, or `None`."""
    for name in names:
        if name not in resource_types():
            # Imported where it is needed: an export does not pay for the registry.
            from practicefusion_connector.registry.values import nearest

            # A name this long is no slip of a type's name, and is not repeated.
            told = f'"{name}"' if len(name) <= 40 and name.isalnum() else "One of them"
            return f"{told} is no resource type of FHIR R4.{nearest(name, resource_types())}"
    return None
