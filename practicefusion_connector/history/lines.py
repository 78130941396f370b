"""Records as lines of JSON in a file, for many threads and processes at once.

A line is appended by one write, so lines never mix. A file that is full is put aside under a name
of its own, so that two processes that notice at once lose nothing.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from practicefusion_connector.history.record import RunRecord


class JsonLinesSink:
    """Appends to a file.

    Args:
        path: the file; it and its folder are made where they are missing, the file for this user's
            eyes only.
        max_bytes: a file of this size is put aside and a new one begun.
        keep: how many files put aside are kept.
    """

    def __init__(
        self, path: str | Path, *, max_bytes: int = 10 * 1024 * 1024, keep: int = 5
    ) -> None:
        self.path = Path(path)
        self._max_bytes = max_bytes
        self._keep = keep

    def write(self, record: RunRecord) -> None:
        """See `Sink.write`."""
        line = (json.dumps(record.to_dict(), separators=(",", ":")) + "\n").encode()
        try:
            size = self._append(line)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            size = self._append(line)
        if size >= self._max_bytes:
            self._put_aside()

    def read(self, limit: int | None = None) -> list[RunRecord]:
        """See `Source.read`; a line that is no record, as a crash may leave one, is passed over."""
        found: list[RunRecord] = []
        for path in (self.path, *reversed(self._aside())):
            found = [*_records(path), *found]
            if limit is not None and len(found) >= limit:
                return found[len(found) - limit :]
        return found

    def close(self) -> None:
        """Nothing to close: the file is open only while a line is written."""

    def _append(self, line: bytes) -> int:
        flags = os.O_APPEND | os.O_CREAT | os.O_WRONLY
        descriptor = os.open(self.path, flags, 0o600)
        try:
            os.write(descriptor, line)
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)

    def _put_aside(self) -> None:
        stamp = f"{time.time_ns():020d}-{os.getpid()}"
        try:
            os.rename(self.path, self.path.with_name(f"{self.path.stem}.{stamp}{self.path.suffix}"))
        except FileNotFoundError:
            return  # another process was quicker
        for old in self._aside()[: -self._keep or None]:
            old.unlink(missing_ok=True)

    def _aside(self) -> list[Path]:
        """Return the files put aside, the oldest first."""
        name = re.escape(self.path.stem), re.escape(self.path.suffix)
        ours = re.compile(rf"{name[0]}\.\d{{20}}-\d+{name[1]}")
        folder = self.path.parent
        return sorted(
            p for p in (folder.iterdir() if folder.is_dir() else ()) if ours.fullmatch(p.name)
        )


def _records(path: Path) -> Iterator[RunRecord]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            yield RunRecord.from_dict(json.loads(line))
        except (ValueError, TypeError, AttributeError):
            continue
