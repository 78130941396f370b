"""Applies a file to a target, from the line where the last process stopped.

    file ─► batches ─► changed since last time? ─► target ─► memory and checkpoint, one transaction

Several batches are under way at once where the target allows it; their results are written in the
order of the file, so that everything before a checkpoint is done. It knows no export and no
schedule.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import NamedTuple

from practicefusion_connector.errors import Cancelled
from practicefusion_connector.sync.items import (
    Applied,
    Item,
    Key,
    Position,
    Refusal,
    Unusable,
    read_batches,
    read_item,
)
from practicefusion_connector.sync.runs import STOPPED
from practicefusion_connector.sync.state.state import Landing, State
from practicefusion_connector.sync.targets.base import Target

# Threads are made as they are needed; a target's own pace decides how many are.
_THREADS = 16

Report = Callable[[int, Counter[str]], None]


class SyncFile(NamedTuple):
    """A file of a run.

    Attributes:
        number: its place in the run; checkpoints are kept under it.
        scope: the export it came from.
        type: what it should hold.
        lines: how many it has, where known.
        shelf: the folder for it at a target that takes whole files.
    """

    number: int
    path: Path
    scope: str
    type: str
    lines: int | None = None
    shelf: str = ""


class _Sorted(NamedTuple):
    """A batch, sorted into what is sent and what is not."""

    changed: dict[str, list[Item]]
    unchanged: list[Key]
    refusals: list[Refusal]
    counts: Counter[str]


class _Flight(NamedTuple):
    batch: _Sorted
    end: Position
    keys: frozenset[Key]
    answer: Future[list[tuple[Item, Applied]]]


class Loader:
    """Applies files of one run to one target.

    Args:
        state: what is remembered of the target, and how far the files are applied.
        target: where they go; open.
        run: the run's id.
        cancel: stops the loading between two batches.
    """

    def __init__(self, state: State, target: Target, run: int, cancel: Event | None = None) -> None:
        self._state = state
        self._target = target
        self._run = run
        self._cancel = cancel or Event()

    def apply(self, file: SyncFile, report: Report) -> Counter[str]:
        """Apply a file from where it was left, and return the counts of the whole of it.

        Args:
            file: NDJSON.
            report: called with the line and the counts whenever some are applied.

        Raises:
            Cancelled: what is applied until then is noted.
            ConnectorError: the target as a whole fails; likewise.
        """
        at, before = self._state.ledger.position(self._run, file.number)
        counts = Counter(before)
        report(at.line, counts)
        if at.line == 0 and self._target.whole_files:
            return self._taken(file)
        flights: deque[_Flight] = deque()
        with ThreadPoolExecutor(_THREADS) as pool:
            try:
                for batch in read_batches(file.path, at, lambda: self._target.batch):
                    if self._cancel.is_set():
                        break
                    sorted_ = self._sorted(file, batch.lines)
                    keys = frozenset(i.key for items in sorted_.changed.values() for i in items)
                    # A resource is never under way twice, and never more batches than allowed.
                    while flights and (
                        len(flights) >= self._target.workers
                        or any(keys & flight.keys for flight in flights)
                    ):
                        self._land(file, flights.popleft(), counts, report)
                    answer = pool.submit(self._sent, sorted_.changed)
                    flights.append(_Flight(sorted_, batch.end, keys, answer))
                while flights:
                    self._land(file, flights.popleft(), counts, report)
                if self._cancel.is_set():
                    raise Cancelled(STOPPED)
            except BaseException:
                self._remember(flights)
                raise
        return counts

    def _remember(self, flights: Iterable[_Flight]) -> None:
        """Remember what batches did behind one that failed: else it may be done once more."""
        for flight in flights:
            if not flight.answer.cancel() and flight.answer.exception() is None:
                self._state.remember(self._run, flight.answer.result())

    def _sorted(self, file: SyncFile, lines: Sequence[tuple[int, bytes]]) -> _Sorted:
        """Read lines and leave out what is no resource, what comes again, what is unchanged."""
        latest: dict[Key, Item] = {}
        refusals: list[Refusal] = []
        counts: Counter[str] = Counter(read=len(lines))
        for number, raw in lines:
            try:
                item = read_item(number, raw, whole=self._target.keeps_versions)
            except Unusable as unusable:
                refusals.append(
                    Refusal(file.type, None, file.path.name, number, str(unusable), body=raw)
                )
                continue
            counts["duplicate"] += item.key in latest
            latest[item.key] = item
        changed: dict[str, list[Item]] = {}
        unchanged: list[Key] = []
        by_type: dict[str, list[Item]] = {}
        for item in latest.values():
            by_type.setdefault(item.key.type, []).append(item)
        for kind, items in by_type.items():
            known = self._state.memory.known(kind, (item.key.id for item in items))
            for item in items:
                remembered = known.get(item.key.id)
                if remembered is not None and remembered.digest == item.digest:
                    unchanged.append(item.key)
                else:
                    changed.setdefault(kind, []).append(item)
        counts["unchanged"] += len(unchanged)
        return _Sorted(changed, unchanged, refusals, counts)

    def _sent(self, changed: dict[str, list[Item]]) -> list[tuple[Item, Applied]]:
        done: list[tuple[Item, Applied]] = []
        for kind, items in changed.items():
            done.extend(zip(items, self._target.apply(kind, items), strict=True))
        return done

    def _land(self, file: SyncFile, flight: _Flight, counts: Counter[str], report: Report) -> None:
        """Write a batch's results and the checkpoint behind it."""
        applied = flight.answer.result()
        refusals = list(flight.batch.refusals)
        new = Counter(flight.batch.counts)
        for item, what in applied:
            new[what.status] += 1
            if what.status == "failed":
                where = (*item.key, file.path.name, item.line)
                refusals.append(Refusal(*where, what.code, what.http_status, item.raw))
        new["failed"] += len(flight.batch.refusals)
        counts.update(new)
        # What was refused is at the source all the same, so it is not missing there.
        met = [*flight.batch.unchanged, *(each.key for each in refusals if each.key)]
        at = Landing(self._run, file.scope, file.number, flight.end, counts)
        self._state.landed(at, applied, met, refusals)
        report(flight.end.line, counts)

    def _taken(self, file: SyncFile) -> Counter[str]:
        with file.path.open("rb") as given:
            lines = sum(1 for line in given if line.strip())
        self._target.take(self._run, file.path, f"{file.shelf}/{file.path.name}")
        counts = Counter(read=lines, created=lines)
        end = Position(lines, file.path.stat().st_size)
        self._state.landed(Landing(self._run, file.scope, file.number, end, counts), [], [], [])
        return counts
