"""Files that grow while a crawl goes on, good up to an offset that is written down.

Several threads add lines. After a kill what lies behind the last offset is cut off, since nobody
can tell whether it is whole, and is searched again. In the end each file is checked like one that
was downloaded.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from practicefusion_connector.bulk.checking import check
from practicefusion_connector.bulk.exchange import Exchange
from practicefusion_connector.bulk.fetching import Handling
from practicefusion_connector.bulk.folder import Folder
from practicefusion_connector.bulk.ledger import FilePart, Ledger
from practicefusion_connector.bulk.outcome import Progress
from practicefusion_connector.files import open_private


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
            file = open_private(self._folder.part(file_name(resource_type)), "ab")
            file.truncate(self._good.get(resource_type, 0))
            file.seek(0, os.SEEK_END)
            self._files[resource_type] = file
        return file


def sound(folder: Folder, offsets: Mapping[str, int]) -> bool:
    """Say whether all that was written down is still on the disk."""
    return all(_has(folder, file_name(kind), size) for kind, size in offsets.items())


def settle(folder: Folder, ledger: Ledger, handling: Handling, exchange: Exchange) -> None:
    """Check every file of a crawl and put it in its place; what an earlier run settled stays."""
    for kind, size in ledger.job.offsets.items():
        name = file_name(kind)
        part, final = folder.part(name), folder.file(name)
        known = ledger.parts.get(name)
        if known is not None and known.state == "checked" and not part.exists():
            continue
        aside, earlier = folder.quarantine(name), 0
        if part.exists():
            os.truncate(part, size)
        else:
            # Killed between the file's move and the ledger: what was put aside is put aside.
            final.replace(part)
            earlier = _keep_earlier(aside)
        done = check(
            part,
            final,
            aside,
            kind,
            validation=handling.validation,
            longest=exchange.transport.policy.max_body_bytes,
            halt=exchange.cancel,
        )
        if earlier:
            _earlier(aside).replace(aside)
            done.aside = earlier
        found = FilePart(section="output", resource_type=kind, fingerprint="crawl")
        ledger.part(name, found.checked(done, complete=True))
        handling.report(
            Progress("checked", resource_type=kind, file=name, bytes=done.bytes, count=done.kept)
        )


def _has(folder: Folder, name: str, size: int) -> bool:
    # A file in its place was cut to what is good before it went there.
    part = folder.part(name)
    return folder.file(name).exists() or (part.exists() and part.stat().st_size >= size)


def _earlier(aside: Path) -> Path:
    return aside.with_name(aside.name + ".earlier")


def _keep_earlier(aside: Path) -> int:
    if not aside.exists():
        return 0
    with aside.open("rb") as lines:
        count = sum(1 for _ in lines)
    aside.replace(_earlier(aside))
    return count
