"""The search parameters of every resource type, as search_parameters.json declares them.

`"*"` in that file holds the parameters every type has. Knows no values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Component:
    """One part of a composite parameter: whose rules it follows, and where it lies."""

    parameter: str
    expression: str


@dataclass(frozen=True)
class SearchParameter:
    """One search parameter of one resource type."""

    name: str
    type: str
    expression: str
    declared: bool
    targets: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()


@cache
def _all_parameters() -> dict[str, dict[str, SearchParameter]]:
    text = files("practicefusion_connector.sandbox").joinpath("search_parameters.json").read_text()
    return {
        resource_type: {
            name: SearchParameter(
                name=name,
                type=row["type"],
                expression=row["expression"],
                declared=row["support"] == "declared",
                targets=tuple(row.get("targets", ())),
                components=tuple(Component(**part) for part in row.get("components", ())),
            )
            for name, row in rows.items()
        }
        for resource_type, rows in json.loads(text).items()
    }


def server_wide_parameters() -> Mapping[str, SearchParameter]:
    """The parameters that every resource type has."""
    return _all_parameters()["*"]


def parameters_of(resource_type: str) -> Mapping[str, SearchParameter]:
    """The parameters of one type, the server-wide ones among them."""
    return {**server_wide_parameters(), **_all_parameters().get(resource_type, {})}


def searchable_types() -> tuple[str, ...]:
    """The resource types with search parameters of their own."""
    return tuple(name for name in _all_parameters() if name != "*")
