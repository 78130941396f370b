"""Files of JSON lines that survive a crash: a line is on disk on return, or not there at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

_BLOCK = 64 * 1024


def append(path: Path, lines: Iterable[bytes]) -> int:
    """Add lines, with their ends, that are on disk on return; return how many bytes they are.

    The file is made where it is missing, for its owner alone.
    """
    data = b"".join(lines)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return len(data)


def whole_lines(path: Path, start: int = 0) -> Iterator[bytes]:
    """Yield the lines from a place on, with their ends; a last one without an end is left out."""
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            if line.endswith(b"\n"):
                yield line


def repair(path: Path) -> None:
    """Take off a last line that a crash cut short: nobody acted upon it yet."""
    with path.open("r+b") as file:
        size = end = file.seek(0, os.SEEK_END)
        while end:
            begin = max(0, end - _BLOCK)
            file.seek(begin)
            found = file.read(end - begin).rfind(b"\n")
            if found >= 0:
                end = begin + found + 1
                break
            end = begin
        if end < size:
            file.truncate(end)
            file.flush()
            os.fsync(file.fileno())
