"""What every source promises: it fetches a part of a run onto disk and says what moment it is of.

A part is some types of one scope since one moment. A source knows no target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any, Protocol

from practicefusion_connector.sync.items import Key, Refusal
from practicefusion_connector.sync.runs import Part


class Source(Protocol):
    """Where resources come from.

    Attributes:
        name: of the source, the same for the same source; no secret.
        base_url: of its FHIR server, where there is one.
    """

    name: str
    base_url: str | None

    def types(self) -> tuple[str, ...]:
        """Return the types there are, for a plan that names none."""
        ...

    def filters(self) -> dict[str, str]:
        """Return what narrows types, by type, as digests: a search may name a patient.

        A type that is not narrowed is left out.
        """
        ...

    def members(
        self, scope: str, cancel: Event, progress: Callable[[Any], None]
    ) -> list[str] | None:
        """Return the patients of a scope that is a group, where the source can tell."""
        ...

    def fetch(self, part: Part, cancel: Event, progress: Callable[[Any], None]) -> Part:
        """Fetch a part onto disk and return it complete; called again, it goes on.

        Raises:
            Cancelled: `cancel` was set; the next call goes on.
        """
        ...

    def put_aside(self, part: Part) -> Iterator[Refusal]:
        """Yield what the fetching of a part found to be no resource, or to break the rules."""
        ...

    def deletions(self, path: Path) -> Iterator[Key]:
        """Yield what a file of deletions names."""
        ...

    def clear(self) -> None:
        """Remove the files of all parts, and give up what is not fetched whole; no run needs them.

        Called again, it goes on.
        """
        ...


def deletions_in(path: Path) -> Iterator[Key]:
    """Yield what a file of transaction Bundles with DELETE entries names."""
    from practicefusion_connector.bulk.sections import read_deletions

    return (Key(*pair) for pair in read_deletions(path))
