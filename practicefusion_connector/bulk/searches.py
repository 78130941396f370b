"""The searches that stand in for an export: of whom, which for a type, and what they find.

Everything about a type is read from the registry: whether its search names a patient, and which
records come along with it. It sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from practicefusion_connector.bulk.plan import ExportPlan
from practicefusion_connector.registry import Action, shipped

_PAGE = "200"
Query = list[tuple[str, str]]
# The end of a literal reference, relative or absolute, perhaps to a version (R4 §2.3.0.1).
_REFERENCE = re.compile(r"(?:^|/)(?P<type>[A-Z][A-Za-z]*)/(?P<id>[^/]+)(?:/_history/[^/]+)?$")


@dataclass(frozen=True, slots=True)
class TypeSearch:
    """How one resource type is searched.

    Attributes:
        by: the parameter that names a patient: `patient`, for Patient itself `_id`, or `None` for
            types that are about no patient, which are searched once for the whole practice.
        narrowed: the searches of the plan's type filters, or one that asks for nothing more.
        along: values of `_revinclude` whose records are wanted too.
    """

    resource: str
    by: str | None
    narrowed: tuple[tuple[tuple[str, str], ...], ...]
    along: tuple[str, ...]

    @property
    def comes_along(self) -> frozenset[str]:
        """The types whose records come along."""
        return frozenset(value.partition(":")[0] for value in self.along)

    def queries(self, patient: str | None, since: str | None, *, along: bool) -> list[Query]:
        """Return the searches for one patient's records, or for the whole practice."""
        fixed: Query = [(self.by, patient)] if self.by and patient else []
        if since:
            fixed.append(("_lastUpdated", f"ge{since}"))
        fixed += [("_revinclude", value) for value in self.along if along]
        return [[*fixed, *narrow, ("_count", _PAGE)] for narrow in self.narrowed]


def searches_for(plan: ExportPlan) -> tuple[list[TypeSearch], list[str]]:
    """Return how each type of the plan is searched, and the types that cannot be.

    A type that comes along with the others is not searched by itself: its own search would find
    less (R4 has no patient of a Provenance but by its target).
    """
    actions = {action.resource: action for action in shipped() if action.operation == "search"}
    compartments = {action.compartment for action in actions.values()}
    wanted = plan.types or tuple(actions)
    along = {
        value
        for name in wanted
        if name in actions
        for value in _includes(actions[name])
        if value.partition(":")[0] in wanted
    }
    comes_along = {value.partition(":")[0] for value in along}
    found = [
        TypeSearch(
            resource=name,
            by=_by(actions[name], compartments),
            narrowed=_narrowed(name, plan.type_filter),
            along=tuple(sorted(along & set(_includes(actions[name])))),
        )
        for name in wanted
        if name in actions and name not in comes_along
    ]
    return found, [name for name in wanted if name not in actions]


def changed_since(resource: Mapping[str, Any], since: datetime | None) -> bool:
    """Say whether a resource may have changed since then; where it does not say, it may have."""
    meta = resource.get("meta")
    told = meta.get("lastUpdated") if isinstance(meta, dict) else None
    try:
        return since is None or datetime.fromisoformat(told) >= since  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return True


def members_of(group: dict[str, Any]) -> Iterator[str]:
    """Yield the ids of a group's patients; an empty one where nobody can tell who is meant."""
    listed = group.get("member") or []
    if not listed and group.get("quantity") != 0:
        yield ""
    for member in listed if isinstance(listed, list) else [listed]:
        told = member if isinstance(member, dict) else {}
        entity = told.get("entity")
        reference = entity.get("reference") if isinstance(entity, dict) else None
        found = _REFERENCE.search(reference) if isinstance(reference, str) else None
        if not told.get("inactive") and (found is None or found["type"] == "Patient"):
            yield found["id"] if found else ""


def _by(action: Action, compartments: set[str | None]) -> str | None:
    """Return the parameter that names a patient; the patient's own record goes by its id."""
    return "_id" if action.resource.lower() in compartments else action.compartment


def _includes(action: Action) -> Iterable[str]:
    return [
        code
        for parameter in action.parameters
        if parameter.form == "include"
        for code in parameter.codes
    ]


def _narrowed(name: str, filters: tuple[str, ...]) -> tuple[tuple[tuple[str, str], ...], ...]:
    queries = [
        query for kind, _, query in (each.partition("?") for each in filters) if kind == name
    ]
    return tuple(tuple(parse_qsl(query)) for query in queries) or ((),)
