"""What every target promises, and the order in which types are applied.

A target takes batches of changed resources and pairs to delete; what it was given before, how far
a file is applied and what was refused is kept elsewhere (`state`). It knows no file, no source.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from practicefusion_connector.sync.items import Applied, Item, Key

# Who is referred to comes before who refers, as far as R4's types allow; the rest in the alphabet's
# order behind. What still points forward or in circles is mended by `finish`.
_FIRST = (
    "Organization",
    "Location",
    "Endpoint",
    "HealthcareService",
    "Practitioner",
    "PractitionerRole",
    "Patient",
    "Person",
    "RelatedPerson",
    "Group",
    "Binary",
    "Substance",
    "Medication",
    "Device",
    "Coverage",
    "Account",
    "EpisodeOfCare",
    "Appointment",
    "Encounter",
    "Condition",
    "Media",
    "Specimen",
    "CareTeam",
    "Goal",
    "CarePlan",
    "ServiceRequest",
    "Observation",
    "AllergyIntolerance",
    "Immunization",
    "Procedure",
    "MedicationRequest",
)
_LAST = ("DiagnosticReport", "DocumentReference", "Composition", "Bundle", "Provenance")


def dependency_order(resource_type: str) -> tuple[int, str]:
    """Return a type's place in the order of application, for sorting."""
    if resource_type in _FIRST:
        return _FIRST.index(resource_type), ""
    if resource_type in _LAST:
        return 1000 + _LAST.index(resource_type), ""
    return len(_FIRST), resource_type


class Finished(NamedTuple):
    """What the last pass did: references made literal, and those whose target is not there."""

    mended: int = 0
    open: int = 0


class Memory(Protocol):
    """What a target may ask and note about what it holds; see `state`."""

    def held(self, keys: Iterable[Key]) -> Mapping[Key, str]:
        """Return the target's ids of those of `keys` it holds."""
        ...

    def ready(self, after: Key | None, limit: int) -> Sequence[tuple[Key, str, Mapping[Key, str]]]:
        """Return resources that wait for a reference whose target is there now, after `after`.

        Each with its key, the target's id of it, and the target's ids of what it waited for.
        """
        ...

    def settled(self, key: Key, wanted: Iterable[Key]) -> None:
        """Note that a resource waits for these no longer."""
        ...

    def waiting(self) -> int:
        """Return how many references wait for their target."""
        ...

    def intend(self, keys: Iterable[Key]) -> None:
        """Note, for good, that these are about to be created without a way to find them again."""
        ...

    def in_doubt(self, keys: Iterable[Key]) -> frozenset[Key]:
        """Return those of `keys` that were about to be created when the process ended."""
        ...


def new_mark() -> str:
    """Return a mark for a target that has none."""
    return secrets.token_hex(16)


class Target(Protocol):
    """Where resources go.

    Attributes:
        name: what it is, for reports; no secret.
        whole_files: takes files as they are (`take`) in place of batches.
        keeps_versions: keeps the source's `meta.versionId` and `meta.lastUpdated`; a resource in
            which they alone differ is a changed one then.
    """

    name: str
    whole_files: bool
    keeps_versions: bool

    @property
    def batch(self) -> tuple[int, int]:
        """How many lines, and how many bytes, the next batch should hold at most."""
        ...

    @property
    def workers(self) -> int:
        """How many batches may be applied at once."""
        ...

    def open(self, memory: Memory) -> str | None:
        """Begin or go on, and return the mark of this very target, if it carries one.

        A mark that differs from the last run's means that the target was emptied or replaced, and
        that what is remembered of it is void.
        """
        ...

    def apply(self, resource_type: str, items: Sequence[Item]) -> Sequence[Applied]:
        """Create or update resources of one type, each once; what is refused is said, not raised.

        Doing it again changes nothing. Raises `ConnectorError` where the target as a whole fails.
        """
        ...

    def take(self, run: int, path: Path, name: str) -> None:
        """Keep a file of a run as it is, under a relative name; called only where `whole_files`."""
        ...

    def delete(self, keys: Sequence[tuple[Key, str | None]]) -> Sequence[Applied]:
        """Delete resources, each given with the target's id; one that is not there is deleted."""
        ...

    def finish(self, run: int, progress: Callable[[int], None]) -> Finished:
        """Do what can be done once everything of a run is applied; called again after a failure.

        `progress` is told how much is done and raises where it is to stop.
        """
        ...

    def close(self) -> None:
        """Give up files and connections."""
        ...
