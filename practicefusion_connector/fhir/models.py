"""Typed models on request: plain resources to `fhir.resources` R4B objects.

fhir.resources is imported only here and only when asked for; each type's module on first use. One
resource that does not fit never hides the others: it is reported by its position.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any, NamedTuple


class ModelProblem(NamedTuple):
    """A resource that does not fit its model: its position, and which elements are wrong."""

    position: int
    resource_type: str
    paths: tuple[str, ...]


class Models(NamedTuple):
    """The typed resources in their order, and those that did not fit."""

    models: list[Any]
    problems: list[ModelProblem]


def typed(resources: Iterable[dict[str, Any]]) -> Models:
    """Return `fhir.resources.R4B` models of plain resources (FHIR R4's superset R4B)."""
    result = Models([], [])
    for index, resource in enumerate(resources):
        kind = str(resource.get("resourceType"))
        try:
            model = getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
            result.models.append(model.model_validate(resource))
        except (ImportError, AttributeError):
            result.problems.append(ModelProblem(index, kind, ("resourceType",)))
        except ValueError as error:
            result.problems.append(ModelProblem(index, kind, _paths(error)))
    return result


def _paths(error: ValueError) -> tuple[str, ...]:
    listed = getattr(error, "errors", None)
    found = listed(include_input=False, include_url=False) if callable(listed) else []
    return tuple(".".join(map(str, item["loc"])) for item in found)
