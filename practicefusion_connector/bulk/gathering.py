"""Files that grow while a crawl goes on, good up to an offset that is written down.

Several threads add lines. After a kill what lies behind the last offset is cut off, since nobody
can tell whether it is whole, and is searched again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import BinaryIO, Self

from practicefusion_connector.bulk.folder import Folder, opened


def file_name(resource_type: str) -> str:
    """Return the name of the one file a crawl makes of a type."""
    return f"{resource_type}.000.ndjson"


class Gathering:
    """One growing file for each resource type; close it by leaving its context."""

    def __init__(self, folder: Folder, offsets: Mapping[str, int]) -> None:
        self._folder = folder
        self._good = dict(offsets)
        self._files: dict[str, BinaryIO] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for file in self._files.values():
            file.close()

    def add(self, resource_type: str, line: bytes) -> None:
        """Add one resource, on a line of its own."""
        with self._lock:
            self._file(resource_type).write(line + b"\n")

    def settled(self) -> dict[str, int]:
        """Bring everything to the disk and return how far each file is good now."""
        with self._lock:
            for resource_type, file in self._files.items():
                file.flush()
                os.fsync(file.fileno())
                self._good[resource_type] = file.tell()
            return dict(self._good)

    def _file(self, resource_type: str) -> BinaryIO:
        file = self._files.get(resource_type)
        if file is None:
            file = opened(self._folder.part(file_name(resource_type)), "ab")
            file.truncate(self._good.get(resource_type, 0))
            file.seek(0, os.SEEK_END)
            self._files[resource_type] = file
        return file
