"""What one export holds: which resources, of which patients, as they were when it began.

Knows the records and the rules of Bulk Data Access; knows no HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from practicefusion_connector.sandbox.bulk.lines import Lines, template
from practicefusion_connector.sandbox.oauth.scopes import RESOURCE_TYPES
from practicefusion_connector.sandbox.store import Resource, ResourceStore

# Types an app may read and no export holds.
_LEFT_OUT = frozenset({"Binary", "Group"})
_ENTRIES = 100


@dataclass(frozen=True)
class Deleted:
    """A resource that was there: which, whose, and when it went."""

    resource_type: str
    resource_id: str
    patients: frozenset[str]
    when: datetime


@dataclass(frozen=True)
class Asked:
    """What a kick-off asks for. `patients` None is every patient; `types` are those granted."""

    types: frozenset[str]
    patients: frozenset[str] | None = None
    since: datetime | None = None
    everything: bool = False


@dataclass
class Extras:
    """What tests put into exports: lines by type, and outcomes for the error files."""

    lines: dict[str, list[bytes]] = field(default_factory=dict)
    outcomes: list[dict[str, Any]] = field(default_factory=list)


def exportable(granted: Iterable[str]) -> frozenset[str]:
    """The types an export may hold for these granted types."""
    return frozenset(granted) & RESOURCE_TYPES - _LEFT_OUT


def snapshot(
    store: ResourceStore, asked: Asked, extras: Extras, patients: int | None
) -> dict[str, Lines]:
    """The lines of every type that has any; `patients` is how many the practice seems to have."""
    order = {patient["id"]: number for number, patient in enumerate(store.of_type("Patient"))}
    wanted = order.keys() if asked.patients is None else asked.patients
    found: dict[str, Lines] = {}
    owners = {
        (resource["resourceType"], resource["id"]): store.patients_of(resource)
        for kind in asked.types
        for resource in store.of_type(kind)
    }
    own = frozenset(key[1].encode() for key, whose in owners.items() if whose)
    multiplied = max(len(order), patients or 0) if asked.patients is None else len(order)
    for kind in sorted(asked.types):
        shared = list(extras.lines.get(kind, ()))
        owned: list[tuple[int, Resource]] = []
        for resource in store.of_type(kind):
            if asked.since is not None and not _changed(resource, asked.since):
                continue
            whose = owners[kind, resource["id"]] & wanted
            if whose:
                owned.append((min(order.get(name, 0) for name in whose), resource))
            elif asked.everything or store.is_shared(resource):
                shared.append(template(resource, frozenset())[0])
        owned.sort(key=lambda pair: pair[0])
        lines = Lines(
            shared,
            [template(resource, own) for _, resource in owned],
            [owner for owner, _ in owned],
            len(order),
            multiplied,
        )
        if lines.count:
            found[kind] = lines
    return found


def deletions(deleted: Iterable[Deleted], asked: Asked) -> Lines | None:
    """Transaction Bundles of what was deleted since then; none where `_since` was not given."""
    if asked.since is None:
        return None
    entries = [
        {"request": {"method": "DELETE", "url": f"{gone.resource_type}/{gone.resource_id}"}}
        for gone in deleted
        if gone.when >= asked.since
        and gone.resource_type in asked.types
        and (asked.patients is None or not gone.patients or gone.patients & asked.patients)
    ]
    bundles = [
        {"resourceType": "Bundle", "type": "transaction", "entry": entries[at : at + _ENTRIES]}
        for at in range(0, len(entries), _ENTRIES)
    ]
    return plain_lines(bundles)


def plain_lines(documents: list[dict[str, Any]]) -> Lines | None:
    """Documents as lines that are in no patient's record; None for none."""
    lines = [json.dumps(each, separators=(",", ":")).encode() + b"\n" for each in documents]
    return Lines(lines, [], [], 0, 0) if lines else None


def _changed(resource: Resource, since: datetime) -> bool:
    updated = resource.get("meta", {}).get("lastUpdated")
    return updated is None or datetime.fromisoformat(updated) >= since
