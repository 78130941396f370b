"""A practice as a source: its bulk export, or the same by search where it has none.

How an export is done is the bulk floor's business; here it is asked for and its outcome told.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from practicefusion_connector.bulk.searches import members_of
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

_KEPT = "kept"


class BulkSource:
    """A practice's bulk export, or the same by search where it has none.

    Args:
        connection: to the practice.
        tokens: hands out its access tokens.
        folder: where exports lie until they are applied; this sync's alone.
        jobs: keeps what an export needs to go on after a kill.
        transport: sends the requests.
        mode: `auto`, `export` or `crawl`, see `bulk.ExportPlan`.
        type_filter: FHIR searches that narrow a type, see `bulk.ExportPlan`.
        validation: `report`, `quarantine` or `none`, see `bulk.Export`.
        concurrency: files fetched at once.
        patience: how to wait for the server, see `bulk.Patience`.
        keep_files: keep an export's files once they are applied, in `kept/` of the folder.

    Raises:
        InvalidInput: `mode` or `type_filter` cannot be asked for.
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
        self._mode: Any = mode
        self._narrowed = _by_type(type_filter, self._mode)
        self._ways: dict[str, Any] = {
            "validation": validation,
            "concurrency": concurrency,
            "patience": patience,
        }
        self._keep_files = keep_files

    def types(self) -> tuple[str, ...]:
        """See `Source`: every type the shipped actions read."""
        return tuple(sorted({action.resource for action in shipped().core()}))

    def filters(self) -> dict[str, str]:
        """See `Source`."""
        found = {kind: "&".join(sorted(each)) for kind, each in self._narrowed.items()}
        return {kind: hashlib.sha256(text.encode()).hexdigest() for kind, text in found.items()}

    def members(
        self, scope: str, cancel: Event, progress: Callable[[Any], None]
    ) -> list[str] | None:
        """See `Source`: the Group's members, or those of an export of it where it is hidden.

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
        ids = set(members_of(found))
        if "" in ids:
            return self._exported_patients(scope, cancel, progress)
        return sorted(ids)

    def _exported_patients(
        self, scope: str, cancel: Event, progress: Callable[[Any], None]
    ) -> list[str]:
        # Kept until `clear`: where there are several groups, all are known before a run begins.
        part = self.fetch(Part(scope=scope, types=("Patient",)), cancel, progress)
        found: set[str] = set()
        for file in part.files:
            with Path(file.path).open("rb") as lines:
                found.update(str(from_json(line).get("id")) for line in lines)
        return sorted(found)

    def fetch(self, part: Part, cancel: Event, progress: Callable[[Any], None]) -> Part:
        """See `Source`."""
        export = self._export(self._place(part), progress)
        return _fetched(part, export.run(self._plan(part), cancel, abandon=False))

    def put_aside(self, part: Part) -> Iterator[Refusal]:
        """See `Source`."""
        for file in part.files:
            yield from aside.put_aside(Path(file.path), file.type)

    def deletions(self, path: Path) -> Iterator[Key]:
        """See `Source`."""
        return deletions_in(path)

    def clear(self) -> None:
        """See `Source`; a file with a line too long for the quarantine stays beside the exports."""
        found = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
        for place in found:
            if place.name not in (aside.QUARANTINE, _KEPT):
                self._clear(place)

    def _clear(self, place: Path) -> None:
        export = self._export(place, None)
        moment = export.transaction_time
        if self._keep_files and moment is not None:
            export.release()
            self._moved(place, _KEPT, f"{moment.replace(':', '')}-{secrets.token_hex(4)}")
            return
        for original in aside.originals(place):
            self._moved(original, aside.QUARANTINE, f"{place.name}-{original.name}")
        export.abandon()
        shutil.rmtree(place, ignore_errors=True)

    def _moved(self, path: Path, to: str, name: str) -> None:
        (self._folder / to).mkdir(mode=0o700, exist_ok=True)
        path.replace(self._folder / to / name)

    def _plan(self, part: Part) -> ExportPlan:
        from practicefusion_connector.bulk import ExportPlan

        return ExportPlan(
            scope=part.scope,
            types=part.types,
            since=part.asked_since,
            mode=self._mode,
            type_filter=tuple(each for kind in part.types for each in self._narrowed.get(kind, ())),
        )

    def _export(self, place: Path, progress: Callable[[Any], None] | None) -> Export:
        from practicefusion_connector.bulk import Export

        return Export(
            self._connection,
            self._tokens,
            place,
            self._jobs,
            transport=self._transport,
            progress=progress,
            **self._ways,
        )

    def _place(self, part: Part) -> Path:
        # Of another plan, or moved here from elsewhere, an export is another one; `clear` finds it.
        about = self._connection.id, self._connection.fhir_base_url, str(self._folder.resolve())
        return self._folder / self._plan(part).digest(*about)


def _by_type(searches: Iterable[str], mode: Any) -> dict[str, list[str]]:
    """Return FHIR searches by the type they narrow, once they and the mode are checked."""
    from practicefusion_connector.bulk import ExportPlan

    found: dict[str, list[str]] = {}
    for search in ExportPlan(type_filter=tuple(searches), mode=mode).type_filter:
        found.setdefault(search.partition("?")[0], []).append(search)
    return found


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
                PartFile.of(file.path, file.resource_type, file.count) for file in outcome.files
            ],
            "deleted": [str(file.path) for file in outcome.deleted],
            "errors": failed,
            "left_out": outcome.left_out,
            "lacking": outcome.lacking,
            "warnings": [tuple(warning) for warning in outcome.warnings],
        }
    )
