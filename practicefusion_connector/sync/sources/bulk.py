"""A practice as a source: its bulk export, or the same by search where it has none.

How an export is done is the bulk floor's business; here it is asked for and its outcome told.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import Forbidden, NotFound, Rejected
from practicefusion_connector.fhir.client import FhirClient
from practicefusion_connector.registry import shipped
from practicefusion_connector.smart.provider import TokenProvider
from practicefusion_connector.sync.items import Key, Refusal
from practicefusion_connector.sync.runs import Part, PartFile
from practicefusion_connector.sync.sources import aside
from practicefusion_connector.sync.sources.base import deletions_in
from practicefusion_connector.transport import Run, Transport

if TYPE_CHECKING:
    from practicefusion_connector.bulk import Export, ExportOutcome, ExportPlan, JobStore, Patience


class BulkSource:
    """A practice's bulk export, or the same by search where it has none.

    Args:
        connection: to the practice.
        tokens: hands out its access tokens.
        folder: where exports lie until they are applied.
        jobs: keeps what an export needs to go on after a kill.
        transport: sends the requests.
        mode: `auto`, `export` or `crawl`, see `bulk.ExportPlan`.
        type_filter: FHIR searches that narrow a type.
        validation: `report`, `quarantine` or `none`, see `bulk.Export`.
        concurrency: files fetched at once.
        patience: how to wait for the server, see `bulk.Patience`.
        keep_files: leave an export's files in the folder once they are applied.
    """

    def __init__(
        self,
        connection: Connection,
        tokens: TokenProvider,
        folder: Path,
        jobs: JobStore,
        transport: Transport,
        *,
        mode: str = "auto",
        type_filter: tuple[str, ...] = (),
        validation: str = "report",
        concurrency: int = 4,
        patience: Patience | None = None,
        keep_files: bool = False,
    ) -> None:
        self.name = connection.id
        self.base_url: str | None = connection.fhir_base_url
        self._connection = connection
        self._tokens = tokens
        self._folder = folder
        self._jobs = jobs
        self._transport = transport
        self._wishes: dict[str, Any] = {"mode": mode, "type_filter": type_filter}
        self._ways: dict[str, Any] = {
            "validation": validation,
            "concurrency": concurrency,
            "patience": patience,
        }
        self._keep_files = keep_files

    def types(self) -> tuple[str, ...]:
        """See `Source`: every type the shipped actions read."""
        return tuple(sorted({action.resource for action in shipped().core()}))

    def members(
        self, scope: str, cancel: Event, progress: Callable[[Any], None]
    ) -> list[str] | None:
        """See `Source`: the Group's members, or the patients of an export of it where it is hidden.

        Practice Fusion's documentation names no read of a Group, and the scope may be missing.
        """
        kind, _, group = scope.partition(":")
        if kind != "group":
            return None
        client = FhirClient(self._transport, self._connection.fhir_base_url, self._tokens)
        try:
            found = client.read("Group", group, Run(self._transport.policy.deadline))
        except (Forbidden, NotFound, Rejected):
            return self._exported_patients(scope, cancel, progress)
        entries = [each.get("entity", {}) for each in found.get("member") or ()]
        names = [str(entity.get("reference", "")) for entity in entries]
        return sorted(name.partition("/")[2] for name in names if name.startswith("Patient/"))

    def _exported_patients(
        self, scope: str, cancel: Event, progress: Callable[[Any], None]
    ) -> list[str]:
        part = self.fetch(Part(scope=scope, types=("Patient",)), cancel, progress)
        found: set[str] = set()
        for file in part.files:
            with Path(file.path).open("rb") as lines:
                found.update(str(from_json(line).get("id")) for line in lines)
        self._forget(part)
        return sorted(found)

    def fetch(self, part: Part, cancel: Event, progress: Callable[[Any], None]) -> Part:
        """See `Source`."""
        export = self._export(part, progress)
        return _fetched(part, export.run(self._plan(part), cancel, abandon=False))

    def put_aside(self, part: Part) -> Iterator[Refusal]:
        """See `Source`."""
        for file in part.files:
            yield from aside.put_aside(Path(file.path), file.type)

    def deletions(self, path: Path) -> Iterator[Key]:
        """See `Source`."""
        return deletions_in(path)

    def discard(self, part: Part) -> None:
        """See `Source`; a file with a line too long for the quarantine stays beside the exports."""
        if self._keep_files:
            return
        place = self._place(part)
        for original in aside.originals(place):
            kept = self._folder / aside.QUARANTINE / f"{place.name}-{original.name}"
            kept.parent.mkdir(mode=0o700, exist_ok=True)
            original.replace(kept)
        self._forget(part)

    def _forget(self, part: Part) -> None:
        export, plan = self._export(part, None), self._plan(part)
        if part.transaction_time is None and self._place(part).is_dir():
            export.abandon(plan)
        else:
            export.release(plan, files=True)
        shutil.rmtree(self._place(part), ignore_errors=True)

    def _plan(self, part: Part) -> ExportPlan:
        from practicefusion_connector.bulk import ExportPlan

        asked = part.asked_since
        return ExportPlan(scope=part.scope, types=part.types, since=asked, **self._wishes)

    def _export(self, part: Part, progress: Callable[[Any], None] | None) -> Export:
        from practicefusion_connector.bulk import Export

        return Export(
            self._connection,
            self._tokens,
            self._place(part),
            self._jobs,
            transport=self._transport,
            progress=progress,
            **self._ways,
        )

    def _place(self, part: Part) -> Path:
        about = "|".join((part.scope, ",".join(part.types), part.asked_since or ""))
        return self._folder / hashlib.sha256(about.encode()).hexdigest()[:24]


def _fetched(part: Part, outcome: ExportOutcome) -> Part:
    failed = sum(
        count for (severity, _), count in outcome.issues().items() if severity in ("error", "fatal")
    )
    # A deletion that cannot be read is one that will not be applied.
    failed += sum(aside.count_aside(file.path) + (not file.complete) for file in outcome.deleted)
    return part.model_copy(
        update={
            "since": outcome.since,
            "mode": outcome.mode,
            "transaction_time": outcome.transaction_time,
            "files": [
                PartFile(
                    path=str(file.path),
                    type=file.resource_type,
                    count=file.count,
                    bytes=file.bytes,
                )
                for file in outcome.files
            ],
            "deleted": [str(file.path) for file in outcome.deleted],
            "errors": failed,
            "left_out": outcome.left_out,
            "lacking": outcome.lacking,
            "warnings": [tuple(warning) for warning in outcome.warnings],
        }
    )
