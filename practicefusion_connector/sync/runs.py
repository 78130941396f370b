"""What is written down of runs, watermarks and the quarantine. Plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

# What `Cancelled` says of a run.
STOPPED = "The sync was stopped; it goes on from here next time."

Phase = Literal["exporting", "applying", "done", "failed"]


class PartFile(BaseModel):
    """A file of an export, as it lies on disk.

    Attributes:
        count: its resources, where known.
        modified: in nanoseconds, by its disk's clock; with `bytes` it tells the file from another
            of the same name.
    """

    path: str
    type: str
    count: int | None = None
    bytes: int = 0
    modified: int | None = None

    @classmethod
    def of(cls, path: Path, kind: str, count: int | None = None) -> PartFile:
        """Return a file as it is now."""
        now = path.stat()
        return cls(
            path=str(path), type=kind, count=count, bytes=now.st_size, modified=now.st_mtime_ns
        )

    def unchanged(self) -> bool:
        """Say whether it is still there, and the same."""
        try:
            now = Path(self.path).stat()
        except OSError:
            return False
        return (now.st_size, now.st_mtime_ns) == (self.bytes, self.modified)


class Part(BaseModel):
    """One export of a run: some types of one scope since one moment.

    Attributes:
        asked_since: the moment asked for.
        since: the moment the export is of; `None` where the server gave everything.
        errors: what the server could not export, or named as deleted in a way nobody can read.
        left_out: types that could not be exported at all; they are as if not asked for.
        lacking: types of which something is known to be missing.
        warnings: code and sentence of what else was odd.
    """

    scope: str
    types: tuple[str, ...]
    asked_since: str | None = None
    since: str | None = None
    mode: str = ""
    transaction_time: str | None = None
    files: list[PartFile] = Field(default_factory=list)
    deleted: list[str] = Field(default_factory=list)
    errors: int = 0
    left_out: list[str] = Field(default_factory=list)
    lacking: list[str] = Field(default_factory=list)
    warnings: list[tuple[str, str]] = Field(default_factory=list)

    @property
    def exported(self) -> list[str]:
        """The types that were exported."""
        return [kind for kind in self.types if kind not in self.left_out]

    def sound(self, kind: str) -> bool:
        """Say whether nothing of a type is known to be missing."""
        return not self.errors and kind not in self.lacking


class RunDocument(BaseModel):
    """What a run is about and how far it is.

    Attributes:
        members: the patients of each scope that is a group, as they were when it began.
        filters: what narrows its types, see `Source.filters`.
        chain: which chain of tasks works on it, where a queue does (`tasks`).
    """

    model_config = ConfigDict(extra="forbid")

    started: str
    finished: str | None = None
    parts: list[Part] = Field(default_factory=list)
    members: dict[str, list[str]] = Field(default_factory=dict)
    filters: dict[str, str] = Field(default_factory=dict)
    seconds: dict[str, float] = Field(default_factory=dict)
    report: dict[str, Any] = Field(default_factory=dict)
    reason: str | None = None
    chain: str | None = None


class Run(NamedTuple):
    """A run as it was read, with the version to name when writing it again."""

    id: int
    phase: Phase
    document: RunDocument
    version: int


class Watermark(NamedTuple):
    """How far a type of a scope is synced, and the moment that waits for consent."""

    scope: str
    type: str
    instant: str | None
    held: str | None


class Refused(NamedTuple):
    """Something in quarantine."""

    id: int
    scope: str
    type: str
    source_id: str | None
    file: str
    line: int
    code: str
    http_status: int | None
    body: bytes | None
