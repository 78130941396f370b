"""A folder of NDJSON files as a source: an export made by somebody else.

It knows no server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.sync.items import Key, Refusal
from practicefusion_connector.sync.runs import Part, PartFile
from practicefusion_connector.sync.sources.base import deletions_in

_DELETED_FOLDER = "deleted"


class FolderSource:
    """A folder of NDJSON files, named by type: `Patient.ndjson`, `Patient.000.ndjson`.

    Each sync is a full one, as files do not say what changed. Files under `deleted/` hold
    transaction Bundles of DELETE entries, as an export's do.
    """

    base_url: str | None = None

    def __init__(self, folder: Path, *, name: str | None = None) -> None:
        self._folder = folder
        digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
        self.name = name or f"folder-{digest}"

    def types(self) -> tuple[str, ...]:
        """See `Source`.

        Raises:
            InvalidInput: there is no file.
        """
        found = tuple(sorted({kind for kind, _ in self._files()}))
        if not found:
            raise InvalidInput(
                "The folder holds no NDJSON files named by a resource type, such as Patient.ndjson."
            )
        return found

    def filters(self) -> dict[str, str]:
        """See `Source`; files are taken as they are."""
        return {}

    def members(self, scope: str, cancel: Event, progress: Callable[[Any], None]) -> None:
        """See `Source`."""

    def fetch(self, part: Part, cancel: Event, progress: Callable[[Any], None]) -> Part:
        """See `Source`."""
        files = [(kind, path) for kind, path in self._files() if kind in part.types]
        if not files:
            raise InvalidInput("The folder holds no NDJSON files of the types asked for.")
        newest = max(path.stat().st_mtime for _, path in files)
        moment = datetime.fromtimestamp(newest, UTC).isoformat(timespec="milliseconds")
        deleted = sorted((self._folder / _DELETED_FOLDER).glob("*.ndjson"))
        return part.model_copy(
            update={
                "since": None,
                "mode": "folder",
                "transaction_time": moment.replace("+00:00", "Z"),
                "files": [PartFile.of(path, kind) for kind, path in files],
                "deleted": [str(path) for path in deleted],
            }
        )

    def put_aside(self, part: Part) -> Iterator[Refusal]:
        """See `Source`; lines are looked at when they are applied."""
        return iter(())

    def deletions(self, path: Path) -> Iterator[Key]:
        """See `Source`."""
        return deletions_in(path)

    def clear(self) -> None:
        """See `Source`; the files are their owner's."""

    def _files(self) -> list[tuple[str, Path]]:
        found = sorted(self._folder.glob("*.ndjson"))
        named = [(path.name.split(".")[0], path) for path in found]
        return [(kind, path) for kind, path in named if kind[:1].isupper()]
