"""The book of a sync: its runs and how far each got, its watermarks, its groups' members.

A run is a document (`RunDocument`) in a row that is changed by compare and set, so that two
processes that share the state never both begin one. It knows no target and no file's content.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from practicefusion_connector.database import Database
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.sync.items import Position
from practicefusion_connector.sync.runs import Phase, Run, RunDocument, Watermark
from practicefusion_connector.sync.state import schema

_ENDED = ("done", "failed")
# Of runs that ended, the last ones answer every question; their reports lie in the folder, too.
_KEPT_RUNS = 50


class RunTaken(InvalidInput):
    """Another process has changed the run meanwhile."""


class Ledger:
    """The book of one sync; safe to share between threads."""

    def __init__(self, database: Database, sync: int) -> None:
        self._database = database
        self._sync = sync

    def current(self) -> Run | None:
        """Return the run that is not finished, or `None`."""
        return next(self._runs(schema.runs.c.phase.not_in(_ENDED)), None)

    def last(self, limit: int = 1) -> list[Run]:
        """Return the last runs that were finished, the newest first."""
        return list(islice(self._runs(schema.runs.c.phase.in_(_ENDED)), limit))

    def completed(self) -> Iterator[Run]:
        """Yield the runs that went to their end, the newest first."""
        return self._runs(schema.runs.c.phase == "done")

    def run(self, run_id: int) -> Run | None:
        """Return a run by its id."""
        rows = schema.runs.c
        statement = select(schema.runs).where(rows.sync == self._sync, rows.id == run_id)
        with self._database.connect() as connection:
            row = connection.execute(statement).one_or_none()
        return _run(row) if row else None

    def newest(self) -> int:
        """Return the id of the run that was begun last; 0 where none was."""
        own = schema.runs.c.sync == self._sync
        with self._database.connect() as connection:
            return connection.scalar(select(func.max(schema.runs.c.id)).where(own)) or 0

    def begin(self, document: RunDocument) -> Run:
        """Begin a run and return it; of those that ended, the last ones are kept."""
        with self._database.begin() as connection:
            self._prune(connection)
            made = connection.execute(
                schema.runs.insert()
                .values(
                    sync=self._sync,
                    phase="exporting",
                    document=document.model_dump_json(),
                    version=1,
                )
                .returning(schema.runs.c.id)
            ).scalar_one()
        return Run(made, "exporting", document, 1)

    def write(self, run: Run, phase: Phase | None = None) -> Run:
        """Write a run's document, and its phase where it enters another.

        Raises:
            RunTaken: somebody else has written it since it was read.
        """
        rows, phase = schema.runs.c, phase or run.phase
        statement = (
            update(schema.runs)
            .where(rows.id == run.id, rows.version == run.version)
            .values(phase=phase, document=run.document.model_dump_json(), version=run.version + 1)
            .returning(rows.id)
        )
        with self._database.begin() as connection:
            if not connection.execute(statement).all():
                raise RunTaken("Another process works on this run of the sync.")
        return Run(run.id, phase, run.document, run.version + 1)

    def position(self, run_id: int, file: int) -> tuple[Position, dict[str, int]]:
        """Return how far a file of a run is applied, and what was counted until there."""
        rows = schema.checkpoints.c
        statement = select(rows.line, rows.offset, rows.counts).where(
            rows.run == run_id, rows.file == file
        )
        with self._database.connect() as connection:
            row = connection.execute(statement).one_or_none()
        return (Position(row.line, row.offset), json.loads(row.counts)) if row else (Position(), {})

    def checkpoint(
        self, connection: Connection, run_id: int, file: int, at: Position, counts: dict[str, int]
    ) -> None:
        """Note how far a file is applied, in the transaction of what was applied."""
        statement = self._database.insert(schema.checkpoints)
        values = {"line": at.line, "offset": at.offset, "counts": json.dumps(counts)}
        connection.execute(
            statement.values(run=run_id, file=file, **values).on_conflict_do_update(
                index_elements=["run", "file"], set_=values
            )
        )

    def watermarks(self) -> list[Watermark]:
        """Return every watermark, by scope and type."""
        rows = schema.watermarks.c
        statement = (
            select(rows.scope, rows.type, rows.instant, rows.held)
            .where(rows.sync == self._sync)
            .order_by(rows.scope, rows.type)
        )
        with self._database.connect() as connection:
            return [Watermark(*row) for row in connection.execute(statement)]

    def mark(
        self, connection: Connection, scope: str, kind: str, instant: str, *, held: bool
    ) -> None:
        """Move a watermark to `instant`, or note that it waits for consent to move there."""
        statement = self._database.insert(schema.watermarks)
        new = {"held": instant} if held else {"instant": instant, "held": None}
        version = schema.watermarks.c.version + 1
        values = {"sync": self._sync, "scope": scope, "type": kind, **new}
        connection.execute(
            statement.values(version=1, **values).on_conflict_do_update(
                index_elements=["sync", "scope", "type"], set_={**new, "version": version}
            )
        )

    def members(self, scope: str) -> set[str]:
        """Return the patients a group had when it was last synced."""
        rows = schema.members.c
        statement = select(rows.patient).where(rows.sync == self._sync, rows.scope == scope)
        with self._database.connect() as connection:
            return set(connection.scalars(statement))

    def set_members(self, connection: Connection, scope: str, patients: Iterable[str]) -> None:
        """Note the patients a group has, once they are synced."""
        rows = schema.members.c
        connection.execute(
            delete(schema.members).where(rows.sync == self._sync, rows.scope == scope)
        )
        new = [{"sync": self._sync, "scope": scope, "patient": each} for each in sorted(patients)]
        if new:
            connection.execute(schema.members.insert(), new)

    def narrow(self, connection: Connection, filters: Mapping[str, str]) -> None:
        """Note what narrows each type; where that changed, forget the watermarks of the type."""
        table, own = schema.filters, schema.filters.c.sync == self._sync
        rows = connection.execute(select(table.c.type, table.c.filter).where(own))
        known = {row.type: row.filter for row in rows}
        if changed := sorted({kind for kind, _ in known.items() ^ filters.items()}):
            self.clear(connection, changed)
            connection.execute(table.delete().where(own))
        if changed and filters:
            new = [{"sync": self._sync, "type": kind, "filter": filters[kind]} for kind in filters]
            connection.execute(table.insert(), new)

    def forget(self, connection: Connection, scope: str, kind: str) -> None:
        """Forget the watermark of one type of a scope."""
        rows = schema.watermarks.c
        one = (rows.sync == self._sync, rows.scope == scope, rows.type == kind)
        connection.execute(schema.watermarks.delete().where(*one))

    def clear(self, connection: Connection, types: Sequence[str] = ()) -> None:
        """Forget watermarks, so that the next run exports everything, or all of some types."""
        table = schema.watermarks
        statement = table.delete().where(table.c.sync == self._sync)
        connection.execute(statement.where(table.c.type.in_(types)) if types else statement)
        if not types:
            own = schema.members.c.sync == self._sync
            connection.execute(schema.members.delete().where(own))

    def _prune(self, connection: Connection) -> None:
        rows, checkpoints = schema.runs.c, schema.checkpoints
        ended = (rows.sync == self._sync, rows.phase.in_(_ENDED))
        newest_first = select(rows.id).where(*ended).order_by(rows.id.desc())
        last = connection.scalar(newest_first.offset(_KEPT_RUNS).limit(1))
        if last is None:
            return
        old = select(rows.id).where(*ended, rows.id <= last)
        connection.execute(checkpoints.delete().where(checkpoints.c.run.in_(old)))
        connection.execute(schema.runs.delete().where(*ended, rows.id <= last))

    def _runs(self, which: ColumnElement[bool]) -> Iterator[Run]:
        rows = schema.runs.c
        mine = select(schema.runs).where(rows.sync == self._sync, which)
        statement = mine.order_by(rows.id.desc()).limit(_KEPT_RUNS)
        with self._database.connect() as connection:
            yield from (_run(row) for row in connection.execute(statement).all())


def _run(row: Any) -> Run:
    return Run(row.id, row.phase, RunDocument.model_validate_json(row.document), row.version)
