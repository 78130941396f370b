"""The folder of an export: who may read it, who writes to it, and what lies where.

Files hold protected health information, so only their owner may read them. One export at a time
writes to a folder, and a folder holds one export: files of an older one would pass for this one's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.files import replace_file

QUARANTINE = "quarantine"
_REPORT = "export.json"
# What a check writes beside a file, and what a crash may leave of it.
_LEFT_OVER = (".clean", ".original")


class Folder:
    """One export's folder; it is made where it is missing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def held(self, job_id: str) -> Iterator[None]:
        """Hold the folder for a job while the context lasts; the lock dies with its process.

        Raises:
            InvalidInput: another process writes to it, or it holds another export.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(self.path / ".lock", mode=0o600)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise _refused("another export is writing to it") from None
        try:
            if self.job not in (None, job_id):
                raise _refused("it holds another export")
            yield
        finally:
            lock.release()

    def report(self, job_id: str, content: dict[str, Any]) -> None:
        """Write what the folder holds; it names files and no patient."""
        replace_file(self.path / _REPORT, json.dumps({"job": job_id, **content}, indent=2))

    @property
    def job(self) -> str | None:
        """The job whose export the folder says it holds."""
        return self._report().get("job")

    @property
    def transaction_time(self) -> str | None:
        """What the export is of that the folder says it holds, once it is done."""
        return self._report().get("transaction_time")

    def disown(self, job_id: str) -> None:
        """Let the folder be used by another job; its files stay."""
        if self.job == job_id:
            (self.path / _REPORT).unlink(missing_ok=True)

    def file(self, name: str) -> Path:
        """Return where a file lies once it is checked."""
        return self.path / name

    def part(self, name: str) -> Path:
        """Return where a file lies while it comes."""
        return self.path / f"{name}.part"

    def quarantine(self, name: str) -> Path:
        """Return where the lines of a file lie that were put aside."""
        return self.path / QUARANTINE / name

    def remove(self, names: Iterable[str]) -> None:
        """Remove the files of these names, whole or begun, and what the folder says it holds."""
        for name in names:
            for path in (self.file(name), self.part(name), self.quarantine(name)):
                for left in (path, *(path.with_name(path.name + end) for end in _LEFT_OVER)):
                    left.unlink(missing_ok=True)
        with suppress(OSError):
            (self.path / QUARANTINE).rmdir()
        (self.path / _REPORT).unlink(missing_ok=True)

    def _report(self) -> dict[str, Any]:
        try:
            found = json.loads((self.path / _REPORT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _refused(why: str) -> InvalidInput:
    return InvalidInput(
        f"The export's folder cannot be used: {why}. Give each export a folder of its own.",
        problems=[{"path": "folder", "message": why}],
    )
