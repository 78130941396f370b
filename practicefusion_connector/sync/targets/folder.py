"""NDJSON files as they were exported: a folder for each run, complete with its `complete.json`.

Nothing is merged: what changed between two runs is for the reader of the folders to say.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.files import open_private, replace_file
from practicefusion_connector.sync.items import Applied, Item, Key
from practicefusion_connector.sync.targets.base import Finished, Memory, new_mark

_MARK = ".sync"
_COMPLETE = "complete.json"


class FolderTarget:
    """A folder to sync into."""

    whole_files = True
    keeps_versions = True
    batch = (1000, 8 * 1024 * 1024)
    workers = 1

    def __init__(self, folder: Path) -> None:
        self.name = "ndjson"
        self._folder = folder

    def open(self, memory: Memory) -> str | None:
        """See `Target`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        mark = self._folder / _MARK
        if not mark.exists():
            replace_file(mark, new_mark())
        return mark.read_text("utf-8")

    def apply(self, resource_type: str, items: Sequence[Item]) -> list[Applied]:
        """See `Target`; files are taken whole."""
        raise InvalidConfig("A folder takes files, not resources.")

    def take(self, run: int, path: Path, name: str) -> None:
        """See `Target`."""
        kept = self._of(run) / name
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_name(f".{kept.name}.part")
        with path.open("rb") as given, open_private(part, "wb") as copy:
            shutil.copyfileobj(given, copy, 1024 * 1024)
            copy.flush()
            os.fsync(copy.fileno())
        os.replace(part, kept)

    def delete(self, keys: Sequence[tuple[Key, str | None]]) -> list[Applied]:
        """See `Target`; the files of deletions are taken whole, too."""
        raise InvalidConfig("A folder takes files, not deletions.")

    def finish(self, run: int, progress: Callable[[int], None]) -> Finished:
        """Say that the run's folder is complete."""
        folder = self._of(run)
        if folder.is_dir():
            found = sorted(file.relative_to(folder) for file in folder.rglob("*.ndjson"))
            names = [str(name) for name in found]
            replace_file(folder / _COMPLETE, json.dumps({"files": names}) + "\n")
        return Finished()

    def close(self) -> None:
        """See `Target`."""

    def _of(self, run: int) -> Path:
        return self._folder / f"{run:06d}"
