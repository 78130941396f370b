"""A sync: one source into one target, run after run, resumable at any moment.

    begin ─► fetch each part ─► apply file by file ─► delete ─► finish ─► watermarks

Each step notes in the state what it did before the next begins; a run that was cut off goes on
where it was. `Sync.run` does all of them; a queue may do one at a time (`tasks`). It knows neither
schedules nor faces.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

from practicefusion_connector.errors import Cancelled, ConnectorError, InvalidInput
from practicefusion_connector.sync.closing import move_watermarks, report_of, unreadable
from practicefusion_connector.sync.deleting import Deleter
from practicefusion_connector.sync.loading import Loader, SyncFile
from practicefusion_connector.sync.planning import SyncPlan, parts_of, shelves, wholly_exported
from practicefusion_connector.sync.reports.report import SyncReport
from practicefusion_connector.sync.runs import STOPPED, Phase, Run, RunDocument
from practicefusion_connector.sync.sources.base import Source
from practicefusion_connector.sync.state.state import State
from practicefusion_connector.sync.targets.base import Target, dependency_order

_ASIDE_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """What a sync is doing; given to the `progress` callback from one thread.

    Attributes:
        stage: `exporting`, `applying`, `deleting`, `finishing` or `done`.
        type: of the file that is applied.
        file: its name.
        lines: applied of it.
        total: lines it has, where known.
        counts: of the file so far.
        export: the export's own progress, while exporting.
    """

    stage: str
    type: str = ""
    file: str = ""
    lines: int = 0
    total: int | None = None
    counts: dict[str, int] = field(default_factory=dict)
    export: Any = None


class Sync:
    """One source into one target.

    Args:
        source: where resources come from.
        target: where they go.
        state: what is remembered of both.
        plan: what to sync.
        progress: told what happens.
    """

    def __init__(
        self,
        source: Source,
        target: Target,
        state: State,
        plan: SyncPlan | None = None,
        *,
        progress: Callable[[SyncProgress], None] | None = None,
    ) -> None:
        self.source = source
        self.target = target
        self.state = state
        self.plan = plan or SyncPlan()
        self._progress = progress or (lambda _: None)

    def run(self, cancel: Event | None = None) -> SyncReport:
        """Sync once: go on with a run that was cut off, or begin one.

        Args:
            cancel: stops it at the next batch, or between two requests of an export; the next
                run goes on from there.

        Raises:
            SyncBusy: another process runs this sync.
            ConnectorError: the source or the target fails; what is done stays done and noted.
        """
        stop = cancel or Event()
        with self.state.lock(), self.opened():
            run, resumed = self.begin(stop)
            try:
                while run.phase == "exporting":
                    run = self.fetch(run, stop)
                for file in self.files(run):
                    self.apply(run, file, stop)
                return self.complete(run, stop, resumed=resumed)
            except Cancelled:
                raise
            except ConnectorError as error:
                self._fail(run, error)
                raise

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the target open; where it is another than remembered, begin from nothing."""
        try:
            if not self.state.recognize(self.target.open(self.state.memory)):
                current = self.state.ledger.current()
                if current is not None:
                    self._end(current, "failed", "The target was emptied or replaced.")
            yield
        finally:
            self.target.close()

    def begin(self, cancel: Event | None = None) -> tuple[Run, bool]:
        """Return the run to work on, and whether it goes on with one that was cut off.

        Args:
            cancel: stops the look-up of a group's members, where that takes an export.

        Raises:
            InvalidInput: a filter narrows a type that is not synced.
        """
        types, filters = self.plan.types or self.source.types(), self.source.filters()
        if unknown := sorted(set(filters) - set(types)):
            raise InvalidInput(
                f"type_filter narrows {', '.join(unknown)}, which is not among the types to sync.",
                problems=[{"path": "type_filter", "message": "narrows a type that is not synced"}],
            )
        current = self.state.ledger.current()
        if current is not None:
            unfit = self._unfit(current, types, filters)
            if unfit is None:
                return current, True
            self._end(current, "failed", unfit)
        self.state.narrow(filters)
        stop = cancel or Event()
        members, newcomers = {}, {}
        for scope in self.plan.scopes:
            patients = self.source.members(scope, stop, self._exporting)
            if patients is not None:
                members[scope] = patients
                known = self.state.ledger.members(scope)
                newcomers[scope] = not set(patients) <= known
        # What a run left that was given up, or cut off after its end.
        self.source.clear()
        parts = parts_of(self.plan, types, self.state.ledger.watermarks(), newcomers)
        document = RunDocument(started=_now(), parts=parts, members=members, filters=filters)
        return self.state.ledger.begin(document), False

    def fetch(self, run: Run, cancel: Event) -> Run:
        """Fetch the next part of a run that is not there yet; the last one ends the phase."""
        parts = run.document.parts
        for number, part in enumerate(parts):
            if part.transaction_time is None:
                started = time.monotonic()
                fetched = self.source.fetch(part, cancel, self._exporting)
                aside = self.source.put_aside(fetched)
                while refused := list(islice(aside, _ASIDE_AT_ONCE)):
                    self.state.put_aside(run.id, part.scope, refused)
                parts[number] = fetched
                _add(run.document.seconds, "exporting", started)
                break
        more = any(part.transaction_time is None for part in parts)
        return self.state.ledger.write(run, "exporting" if more else "applying")

    def _exporting(self, told: Any) -> None:
        self._progress(SyncProgress("exporting", export=told))

    def files(self, run: Run) -> list[SyncFile]:
        """Return a run's files in the order to apply them."""
        shelved = zip(run.document.parts, shelves(run.document.parts), strict=True)
        numbered = [(part, file, shelf) for part, shelf in shelved for file in part.files]
        found = [
            SyncFile(number, Path(file.path), part.scope, file.type, file.count, shelf)
            for number, (part, file, shelf) in enumerate(numbered, start=1)
        ]
        return sorted(found, key=lambda file: (dependency_order(file.type), file.number))

    def apply(self, run: Run, file: SyncFile, cancel: Event) -> Counter[str]:
        """Apply a file of a run from where it was left."""
        if run.phase != "applying":
            return Counter()

        def report(line: int, counts: Counter[str]) -> None:
            self._progress(
                SyncProgress("applying", file.type, file.path.name, line, file.lines, dict(counts))
            )

        started = time.monotonic()
        try:
            return Loader(self.state, self.target, run.id, cancel).apply(file, report)
        finally:
            _add(run.document.seconds, f"applying {file.type}", started)

    def complete(
        self, run: Run, cancel: Event | None = None, *, resumed: bool = False
    ) -> SyncReport:
        """Delete, finish, move the watermarks and return the report; all files are applied."""
        stop = cancel or Event()
        files = self.files(run)
        report = report_of(run, self.state, self.target.name, files, resumed=resumed)
        deleter = Deleter(self.state, self.target, run.id, stop)
        started = time.monotonic()
        self._progress(SyncProgress("deleting"))
        if self.target.whole_files:
            self._keep_deletions(run)
        else:
            for part in run.document.parts:
                for path in part.deleted:
                    named = self.source.deletions(Path(path))
                    for kind, counts in deleter.named(named, part.scope).items():
                        report.count(kind, counts)
            whole = wholly_exported(run.document.parts) - unreadable(run, self.state)
            elsewhere = self._elsewhere(run) & whole
            if elsewhere and self.plan.delete_missing:
                told = "Earlier runs brought records of other patients or groups"
                report.warn("other_scopes", f"{told}, so none was deleted as missing.")
            # Who refers goes first: a server may keep what is referred to.
            for kind in sorted(whole - elsewhere, key=dependency_order, reverse=True):
                # A type that is gone altogether may be one the server no longer lets us see.
                known = bool(report.types.get(kind, {}).get("read"))
                counts = deleter.missing(kind, apply=self.plan.delete_missing and known)
                report.count(kind, counts)
                if self.plan.delete_missing and counts["missing"]:
                    report.warn("type_absent", f"The export holds no {kind}; none was deleted.")
        _add(run.document.seconds, "deleting", started)
        started = time.monotonic()

        def finishing(done: int) -> None:
            self._progress(SyncProgress("finishing", lines=done))
            if stop.is_set():
                raise Cancelled(STOPPED)

        finished = self.target.finish(run.id, finishing)
        report.references_mended, report.references_open = finished
        _add(run.document.seconds, "finishing", started)
        move_watermarks(run, self.plan, self.state, report)
        report.seconds = {name: round(spent, 3) for name, spent in run.document.seconds.items()}
        report.quarantine = self.state.quarantine.counts()
        report.finished = _now()
        run.document.report = report.to_dict()
        self._end(run, "done")
        self.source.clear()
        self._progress(SyncProgress("done"))
        return report

    def _elsewhere(self, run: Run) -> set[str]:
        """Return the types that came from a scope this run did not export, too."""
        scopes = {part.scope for part in run.document.parts}
        marks = self.state.ledger.watermarks()
        return {mark.type for mark in marks if mark.scope not in scopes}

    def _keep_deletions(self, run: Run) -> None:
        parts = run.document.parts
        for part, shelf in zip(parts, shelves(parts), strict=True):
            for path in map(Path, part.deleted):
                self.target.take(run.id, path, f"{shelf}/deleted/{path.name}")

    def _unfit(self, run: Run, types: Sequence[str], filters: dict[str, str]) -> str | None:
        """Return why a run that was cut off is not gone on with, if so."""
        parts = run.document.parts
        asked = {(part.scope, kind) for part in parts for kind in part.types}
        wanted = {(scope, kind) for scope in self.plan.scopes for kind in types}
        changes_only = any(part.asked_since is not None for part in parts)
        narrowed_anew = run.document.filters != filters
        if asked != wanted or narrowed_anew or (self.plan.full and changes_only):
            return "Something else was asked for before all was applied."
        there = all(file.unchanged() for part in parts for file in part.files)
        if there and all(Path(path).exists() for part in parts for path in part.deleted):
            return None
        return "Files of the export were removed or replaced before all was applied."

    def _fail(self, run: Run, error: ConnectorError) -> None:
        """Note why a run stopped; it goes on with the next one."""
        now = self.state.ledger.run(run.id)
        if now is not None and now.phase not in ("done", "failed"):
            now.document.reason = error.message
            self.state.ledger.write(now)

    def _end(self, run: Run, phase: Phase, reason: str | None = None) -> None:
        now = self.state.ledger.run(run.id) or run
        run.document.finished = _now()
        run.document.reason = reason
        self.state.ledger.write(now._replace(document=run.document), phase)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _add(seconds: dict[str, float], name: str, started: float) -> None:
    seconds[name] = seconds.get(name, 0.0) + time.monotonic() - started
