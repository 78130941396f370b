"""What a target refused, or what is no resource: kept with file, line and reason until settled.

It holds the resources themselves, so that they can be tried again: it is PHI.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select, tuple_

from practicefusion_connector.database import Database
from practicefusion_connector.sync.items import Key, Refusal
from practicefusion_connector.sync.runs import Refused
from practicefusion_connector.sync.state import schema


class Quarantine:
    """The quarantine of one sync; safe to share between threads."""

    def __init__(self, database: Database, sync: int) -> None:
        self._database = database
        self._sync = sync

    def refuse(
        self, connection: Connection, run_id: int, scope: str, refused: Sequence[Refusal]
    ) -> None:
        """Put lines into quarantine; a resource's newer line takes the place of its older one."""
        if not refused:
            return
        newest = {each.key or place: each for place, each in enumerate(refused)}.values()
        self.release(connection, [each.key for each in newest if each.key])
        for each in newest:
            if each.key is None:
                self._release_line(connection, scope, each)
        own = {"sync": self._sync, "run": run_id, "scope": scope}
        rows = [{**each._asdict(), "code": each.code[:64], **own} for each in newest]
        connection.execute(schema.quarantine.insert(), rows)

    def release(
        self, connection: Connection, keys: Sequence[Key], *, before: int | None = None
    ) -> None:
        """Take resources out of quarantine that have been applied since, or are gone.

        Args:
            before: a run; what it or a later one has put there stays.
        """
        rows = schema.quarantine.c
        mine = rows.sync == self._sync
        if before is not None:
            mine &= rows.run < before
        if not keys or connection.scalar(select(rows.id).where(mine).limit(1)) is None:
            return
        for start in range(0, len(keys), 500):
            chunk = keys[start : start + 500]
            connection.execute(
                delete(schema.quarantine).where(mine, tuple_(rows.type, rows.source_id).in_(chunk))
            )

    def outdated(self, connection: Connection, kind: str, run_id: int) -> None:
        """Take out what a run did not meet again that exported all there is of a type."""
        rows = schema.quarantine.c
        connection.execute(
            delete(schema.quarantine).where(
                rows.sync == self._sync,
                rows.type == kind,
                rows.run < run_id,
                # A deletion the target refused is still to be done.
                rows.body.is_not(None),
            )
        )

    def _release_line(self, connection: Connection, scope: str, line: Refusal) -> None:
        """Take out a line without an id that comes again with every export."""
        held = schema.quarantine.c
        connection.execute(
            delete(schema.quarantine).where(
                held.sync == self._sync,
                held.scope == scope,
                held.type == line.type,
                held.source_id.is_(None),
                held.body == line.body,
            )
        )

    def rows(self, after: int = 0, limit: int = 500) -> list[Refused]:
        """Return what is in quarantine, in the order it came."""
        rows = schema.quarantine.c
        statement = (
            select(*(rows[name] for name in Refused._fields))
            .where(rows.sync == self._sync, rows.id > after)
            .order_by(rows.id)
            .limit(limit)
        )
        with self._database.connect() as connection:
            return [Refused(*row) for row in connection.execute(statement)]

    def kinds(self, run_id: int | None = None, *, nameless: bool = False) -> set[tuple[str, str]]:
        """Return scope and type of what is in quarantine.

        Args:
            run_id: of one run alone.
            nameless: of lines without an id alone.
        """
        rows = schema.quarantine.c
        statement = select(rows.scope, rows.type).where(rows.sync == self._sync).distinct()
        if run_id is not None:
            statement = statement.where(rows.run == run_id)
        if nameless:
            statement = statement.where(rows.source_id.is_(None))
        with self._database.connect() as connection:
            return {(scope, kind) for scope, kind in connection.execute(statement)}

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many lines are in quarantine, by type and code."""
        rows = schema.quarantine.c
        statement = (
            select(rows.type, rows.code, func.count())
            .where(rows.sync == self._sync)
            .group_by(rows.type, rows.code)
        )
        found: dict[str, dict[str, int]] = {}
        with self._database.connect() as connection:
            for kind, code, count in connection.execute(statement):
                found.setdefault(kind, {})[code] = count
        return found

    def clear(self, connection: Connection) -> None:
        """Forget all of it."""
        connection.execute(delete(schema.quarantine).where(schema.quarantine.c.sync == self._sync))
