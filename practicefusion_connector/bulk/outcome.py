"""What an export gives back: files on disk, counts, findings, and what to remember for the next.

Plain data. No repr here shows content: files hold records, this room holds their names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from practicefusion_connector.bulk.sections import Deletion, read_deletions, read_issues
from practicefusion_connector.errors import ActionWarning

Stage = Literal["kicked_off", "polling", "downloading", "checked", "crawling", "done"]


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One file as it lies in the folder: NDJSON, one resource on a line.

    Attributes:
        resource_type: what the manifest says it holds.
        count: lines in the file.
        bytes: its size.
        complete: whether it held as many resources as the manifest says; `False` even after a
            second download means that the server's file itself is short or its count is wrong.
    """

    path: Path
    resource_type: str
    count: int
    bytes: int
    complete: bool = True


@dataclass(frozen=True, slots=True)
class FindingCount:
    """How often resources of a type break one rule of FHIR R4 at one place; it holds no value.

    Attributes:
        path: where, without the places in lists: `Patient.name[].use`.
        rule: as in `fhir.validation.Finding`, or `resource_type` for a resource of another type.
        count: in how many places.
        file: the first file it was seen in.
        line: the line there, from 1.
    """

    resource_type: str
    path: str
    rule: str
    count: int
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Progress:
    """What an export is doing; given to the `progress` callback, from one thread at a time.

    Attributes:
        percent: of the server's work, where `X-Progress` says so.
        retry_after: seconds before the next look, where the server asks for them.
        file: the file's name, while files are fetched and checked.
        bytes: of the file so far.
        total_bytes: of the file, where the server says so.
        count: resources of the file, once it is checked; patients done, in a crawl.
        total: files in all; patients in all, in a crawl.
    """

    stage: Stage
    percent: float | None = None
    retry_after: float | None = None
    resource_type: str | None = None
    file: str | None = None
    bytes: int = 0
    total_bytes: int | None = None
    count: int = 0
    total: int = 0


Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class ExportOutcome:
    """An export that is done.

    Attributes:
        transaction_time: what the export is of; the `since` of the next one. It is the server's
            time, never this machine's.
        files: the resources, a file or more for each type.
        deleted: files of transaction Bundles that name deleted resources; see `deletions`.
        errors: files of OperationOutcomes about what the server could not export; see `issues`.
        counts: resources by type, without those in quarantine.
        quarantined: lines that are no FHIR resource and, where asked for, resources that break
            FHIR R4's rules: in `quarantine/` beside the files, with file and line.
        findings: what breaks FHIR R4's rules.
        mode: by which way it was done.
        status_url: the end of the job's status URL with its id masked, for logs: `Export/{id}`.
        resumed: whether it goes on with a job of an earlier run.
        since: from when on changes were asked for, `None` for everything; also where the server
            refused the parameter.
        left_out: resource types that a crawl could not search at all.
        lacking: resource types of which something is known to be missing here: a file holds another
            number than the manifest says, or a crawl was refused some records.
        warnings: what the caller should know that does not spoil the result.
    """

    transaction_time: str
    files: list[ExportedFile]
    deleted: list[ExportedFile]
    errors: list[ExportedFile]
    counts: dict[str, int]
    quarantined: int
    findings: list[FindingCount]
    mode: Literal["export", "crawl"]
    status_url: str | None = None
    resumed: bool = False
    since: str | None = None
    left_out: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    warnings: list[ActionWarning] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether nothing is known to be missing and nothing went to quarantine."""
        every = (*self.files, *self.deleted, *self.errors)
        whole = not (self.left_out or self.lacking) and all(each.complete for each in every)
        return whole and self.quarantined == 0

    def deletions(self) -> Iterator[Deletion]:
        """Yield type and id of each deleted resource."""
        for each in self.deleted:
            yield from read_deletions(each.path)

    def issues(self) -> Counter[tuple[str, str]]:
        """Count severity and code of what the server could not export; never its texts."""
        found: Counter[tuple[str, str]] = Counter()
        for each in self.errors:
            found.update(read_issues(each.path))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as JSON-ready data; it names files and holds no record."""
        plain = asdict(self)
        for name in ("files", "deleted", "errors"):
            plain[name] = [{**each, "path": str(each["path"])} for each in plain[name]]
        plain["warnings"] = [warning._asdict() for warning in self.warnings]
        return plain
