"""What is known of one job at any moment, written down before it is acted on.

A job goes `kicked_off`, `polling`, `downloading` (or `crawling`), `done`; it may end `failed`,
`expired` or `cancelled` on the way, and then a new one begins in its place. Where a process dies,
the next one reads here how far it came. It holds no record, no token, and no URL of a file.
"""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from practicefusion_connector.bulk.checking import Checked
from practicefusion_connector.bulk.jobs import JobStore
from practicefusion_connector.bulk.manifest import Item, Section
from practicefusion_connector.errors import ActionWarning, InvalidConfig

State = Literal[
    "new",
    "kicked_off",
    "polling",
    "downloading",
    "crawling",
    "done",
    "failed",
    "expired",
    "cancelled",
]
# In these a job at the server may still be good, or what it gave is here.
UNDER_WAY = frozenset({"kicked_off", "polling", "downloading", "crawling", "done"})


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Job(_Kept):
    """One export.

    Attributes:
        status_url: where the server tells of the job; without its query where that cannot be kept
            safely, and then `status_cut` says so.
        since: what the server was asked for, without a parameter it refused.
        kickoffs: how many jobs were started in this one's name.
        cleared: whether the server was told that the job may go.
        crawled: how many patients a crawl is done with.
        offsets: how far each file of a crawl is good, in bytes, by resource type.
        refused: resource types a crawl could not search.
        lacking: resource types a crawl did not find everything of.
    """

    state: State = "new"
    scope: str = ""
    mode: Literal["export", "crawl"] = "export"
    status_url: str | None = None
    status_cut: bool = False
    transaction_time: str | None = None
    since: str | None = None
    warnings: list[tuple[str, str]] = Field(default_factory=list)
    reason: str | None = None
    kickoffs: int = 0
    cleared: bool = False
    crawled: int = 0
    offsets: dict[str, int] = Field(default_factory=dict)
    refused: list[str] = Field(default_factory=list)
    lacking: list[str] = Field(default_factory=list)


class FilePart(_Kept):
    """One file of a job: how far it came, and what it held."""

    section: Section
    resource_type: str
    fingerprint: str
    state: Literal["coming", "fetched", "checked"] = "coming"
    marks: dict[str, Any] | None = None
    count: int = 0
    bytes: int = 0
    complete: bool = True
    aside: int = 0
    counts: dict[str, int] = Field(default_factory=dict)
    findings: list[tuple[str, str, str, int, int]] = Field(default_factory=list)
    unchecked: list[str] = Field(default_factory=list)

    @classmethod
    def of(cls, item: Item) -> FilePart:
        """Return the part of a file that is about to come."""
        return cls(
            section=item.section, resource_type=item.resource_type, fingerprint=item.fingerprint
        )

    def checked(self, done: Checked, *, complete: bool) -> FilePart:
        """Return the part with what its check found."""
        found = [(*place, *seen) for place, seen in done.findings.items()]
        return self.model_copy(
            update={
                "state": "checked",
                "count": done.kept,
                "bytes": done.bytes,
                "complete": complete,
                "aside": done.aside,
                "counts": done.counts,
                "findings": found,
                "unchecked": sorted(done.unchecked),
            }
        )


class Ledger:
    """A job and its parts as they are in the store; parts may be written from several threads."""

    def __init__(self, store: JobStore, job_id: str) -> None:
        self._store = store
        self.job_id = job_id
        stored = store.load(job_id)
        self._version = stored.version if stored else None
        try:
            self.job = Job.model_validate(stored.document) if stored else Job()
            self.parts = {
                name: FilePart.model_validate(document)
                for name, document in store.parts(job_id).items()
            }
        except ValidationError:
            raise InvalidConfig(
                "A stored export cannot be read: another version of practicefusion-connector wrote "
                "it. Upgrade this worker, or release the export and run it anew."
            ) from None
        # Known to this process only, where the store may not hold it.
        self._whole_status_url: str | None = None

    def update(self, **changes: Any) -> None:
        """Write the job down with changes.

        Raises:
            StaleJob: another process has it now.
        """
        job = self.job.model_copy(update=changes)
        document = job.model_dump(mode="json")
        self._version = self._store.save(
            self.job_id, document, state=job.state, expected=self._version
        )
        self.job = job

    def take(self) -> None:
        """Make the job this process's own: from here on any other's writes are refused."""
        self.update()

    def started(self, status_url: str, since: str | None, warnings: list[ActionWarning]) -> None:
        """Write down that the server has begun."""
        self._whole_status_url = status_url
        bare, _, query = status_url.partition("?")
        cut = bool(query) and not self._store.encrypts
        self.update(
            state="kicked_off",
            mode="export",
            status_url=bare if cut else status_url,
            status_cut=cut,
            since=since,
            warnings=[tuple(warning) for warning in warnings],
            kickoffs=self.job.kickoffs + 1,
            transaction_time=None,
            refused=[],
            lacking=[],
            cleared=False,
            reason=None,
        )

    @property
    def status_url(self) -> str | None:
        """The status URL with its query, or `None` where it is not known any more."""
        known = None if self.job.status_cut else self.job.status_url
        return self._whole_status_url or known

    def part(self, name: str, part: FilePart) -> None:
        """Write one part down."""
        if self._version is not None:
            self._store.save_part(
                self.job_id, name, part.model_dump(mode="json"), version=self._version
            )
        self.parts[name] = part

    def forget_parts(self) -> list[str]:
        """Forget every part; return their names, so that the files go too."""
        names = list(self.parts)
        if self._version is not None:
            self._store.forget_parts(self.job_id, version=self._version)
        self.parts = {}
        return names

    def warn(self, *warnings: ActionWarning) -> None:
        """Add warnings to the job, each once."""
        known = [tuple(each) for each in self.job.warnings]
        new = [tuple(each) for each in warnings if tuple(each) not in known]
        if new:
            self.update(warnings=[*known, *new])


def template_of(status_url: str | None) -> str | None:
    """Return the end of a status URL's path with the job's id masked: `Export/{id}`."""
    if status_url is None:
        return None
    *_, before, _ = ["", *urlsplit(status_url).path.split("/")]
    return f"{before}/{{id}}"
