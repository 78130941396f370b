"""What is remembered of a target: what it was given, under which id, and what waits for what.

It is the `Memory` a target asks, and where the loader looks up what has changed. A batch's rows are
written in the transaction of the checkpoint they belong to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, and_, func, select, true, tuple_

from practicefusion_connector.database import Database
from practicefusion_connector.sync.items import Applied, Item, Key
from practicefusion_connector.sync.state import schema
from practicefusion_connector.sync.state.waiting import Ready, ready

# SQLite takes 32,766 variables in a statement; a row of a look-up has three at most.
_CHUNK = 1000


class Known(NamedTuple):
    """What is remembered of one resource."""

    digest: bytes | None
    target_id: str | None


class TargetMemory:
    """The memory of one sync; safe to share between threads."""

    def __init__(self, database: Database, sync: int) -> None:
        self._database = database
        self._sync = sync

    def known(self, resource_type: str, ids: Iterable[str]) -> dict[str, Known]:
        """Return what is remembered of resources of one type, by id."""
        rows = schema.records.c
        found: dict[str, Known] = {}
        with self._database.connect() as connection:
            for chunk in _chunks(ids):
                statement = select(rows.source_id, rows.digest, rows.target_id).where(
                    rows.sync == self._sync, rows.type == resource_type, rows.source_id.in_(chunk)
                )
                for source_id, digest, target_id in connection.execute(statement):
                    found[source_id] = Known(digest, target_id)
        return found

    def held(self, keys: Iterable[Key]) -> dict[Key, str]:
        """See `target.Memory`."""
        found: dict[Key, str] = {}
        for kind, group in groupby(sorted(keys), key=lambda key: key.type):
            named = [key.id for key in group]
            plain = self.known(kind, (name for name in named if not name.startswith("#")))
            ids = {name: known.target_id for name, known in plain.items()}
            ids.update(self._named(kind, (name for name in named if name.startswith("#"))))
            found.update((Key(kind, name), there) for name, there in ids.items() if there)
        return found

    def _named(self, kind: str, names: Iterable[str]) -> Iterator[tuple[str, str | None]]:
        """Yield the target's ids of what is referred to by identifiers."""
        given, rows = schema.aliases.c, schema.records.c
        same = and_(
            rows.sync == given.sync, rows.type == given.type, rows.source_id == given.source_id
        )
        with self._database.connect() as connection:
            for chunk in _chunks(names):
                statement = (
                    select(given.alias, rows.target_id)
                    .join_from(schema.aliases, schema.records, same)
                    .where(given.sync == self._sync, given.type == kind, given.alias.in_(chunk))
                )
                yield from ((name, there) for name, there in connection.execute(statement))

    def remember(
        self, connection: Connection, run: int, applied: Sequence[tuple[Item, Applied]]
    ) -> None:
        """Remember what became of items, in the transaction of their checkpoint."""
        done = [(item.key, item, what) for item, what in applied if what.status != "failed"]
        self._forget(connection, schema.waiting, [key for key, _, _ in done])
        settled = [item.key for item, what in applied if what.code != "in_doubt"]
        self._forget(connection, schema.intents, settled)
        self._put(
            connection,
            schema.records,
            [
                {**_row(key), "digest": item.digest, "target_id": what.target_id, "seen": run}
                for key, item, what in done
            ],
        )
        named = [{**_row(key), "alias": name} for key, _, what in done for name in what.aliases]
        self._put(connection, schema.aliases, named)
        waits = [
            {**_row(key), "wanted_type": wanted.type, "wanted_id": wanted.id}
            for key, _, what in done
            for wanted in what.wanted
        ]
        self._put(connection, schema.waiting, waits)

    def seen(self, connection: Connection, run: int, keys: Iterable[Key]) -> None:
        """Note that these were met in this run, unchanged."""
        rows = schema.records.c
        for kind, group in groupby(sorted(keys), key=lambda key: key.type):
            for chunk in _chunks(key.id for key in group):
                connection.execute(
                    schema.records.update()
                    .where(rows.sync == self._sync, rows.type == kind, rows.source_id.in_(chunk))
                    .values(seen=run)
                )

    def drop(self, connection: Connection, keys: Sequence[Key]) -> None:
        """Forget resources that were deleted."""
        for table in (schema.records, schema.aliases, schema.waiting):
            self._forget(connection, table, keys)

    def unseen(
        self, run: int, resource_type: str, after: str, limit: int
    ) -> list[tuple[Key, str | None]]:
        """Return resources of a type, behind the id `after`, that this run did not meet."""
        rows = schema.records.c
        statement = (
            select(rows.source_id, rows.target_id)
            .where(
                rows.sync == self._sync,
                rows.type == resource_type,
                rows.seen != run,
                rows.source_id > after,
            )
            .order_by(rows.source_id)
            .limit(limit)
        )
        with self._database.connect() as connection:
            return [
                (Key(resource_type, source_id), target_id)
                for source_id, target_id in connection.execute(statement)
            ]

    def met(self, run: int, keys: Iterable[Key]) -> set[Key]:
        """Return those of `keys` that were met in this run."""
        rows = schema.records.c
        found: set[Key] = set()
        with self._database.connect() as connection:
            for chunk in _chunks(keys):
                statement = select(rows.type, rows.source_id).where(
                    rows.sync == self._sync,
                    rows.seen == run,
                    tuple_(rows.type, rows.source_id).in_(chunk),
                )
                found.update(Key(*row) for row in connection.execute(statement))
        return found

    def counts(self) -> dict[str, int]:
        """Return how many resources of each type the target holds."""
        rows = schema.records.c
        statement = (
            select(rows.type, func.count()).where(rows.sync == self._sync).group_by(rows.type)
        )
        with self._database.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(statement)}

    def ready(self, after: Key | None, limit: int) -> list[Ready]:
        """See `target.Memory`."""
        return ready(self._database, self._sync, after, limit)

    def settled(self, key: Key, wanted: Iterable[Key]) -> None:
        """See `target.Memory`."""
        wait = schema.waiting.c
        with self._database.begin() as connection:
            for each in wanted:
                connection.execute(
                    schema.waiting.delete().where(
                        wait.sync == self._sync,
                        wait.type == key.type,
                        wait.source_id == key.id,
                        wait.wanted_type == each.type,
                        wait.wanted_id == each.id,
                    )
                )

    def waiting(self) -> int:
        """See `target.Memory`."""
        statement = (
            select(func.count())
            .select_from(schema.waiting)
            .where(schema.waiting.c.sync == self._sync)
        )
        with self._database.connect() as connection:
            return int(connection.scalar(statement) or 0)

    def intend(self, keys: Iterable[Key]) -> None:
        """See `target.Memory`."""
        with self._database.begin() as connection:
            self._put(connection, schema.intents, [_row(key) for key in keys])

    def in_doubt(self, keys: Iterable[Key]) -> frozenset[Key]:
        """See `target.Memory`."""
        rows = schema.intents.c
        found: set[Key] = set()
        with self._database.connect() as connection:
            for chunk in _chunks(keys):
                statement = select(rows.type, rows.source_id).where(
                    rows.sync == self._sync, tuple_(rows.type, rows.source_id).in_(chunk)
                )
                found.update(Key(*row) for row in connection.execute(statement))
        return frozenset(found)

    def allow(self, connection: Connection, keys: Sequence[Key]) -> None:
        """Let resources be created whose creation is in doubt: a person has looked."""
        self._forget(connection, schema.intents, keys)

    def doubt(self, connection: Connection, types: Sequence[str] = ()) -> None:
        """Forget what was given and under which ids, of some types or all; not that it was given.

        So all is sent again, and what the source has no longer is still known to be deleted.
        """
        self._clear(connection, (schema.aliases, schema.waiting, schema.intents), types)
        rows = schema.records.c
        which = (rows.sync == self._sync, rows.type.in_(types) if types else true())
        nothing = {"digest": None, "target_id": None}
        connection.execute(schema.records.update().where(*which).values(nothing))

    def clear(self, connection: Connection) -> None:
        """Forget everything."""
        tables = (schema.records, schema.aliases, schema.waiting, schema.intents)
        self._clear(connection, tables)

    def _clear(
        self, connection: Connection, tables: Iterable[Table], types: Sequence[str] = ()
    ) -> None:
        for table in tables:
            statement = table.delete().where(table.c.sync == self._sync)
            connection.execute(statement.where(table.c.type.in_(types)) if types else statement)

    def _put(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        statement = self._database.insert(table)
        keys = [column.name for column in table.primary_key]
        changing = [column.name for column in table.columns if column.name not in keys]
        if changing:
            new = {name: statement.excluded[name] for name in changing}
            statement = statement.on_conflict_do_update(index_elements=keys, set_=new)
        else:
            statement = statement.on_conflict_do_nothing()
        connection.execute(statement, [{"sync": self._sync, **row} for row in rows])

    def _forget(self, connection: Connection, table: Table, keys: Iterable[Key]) -> None:
        rows = table.c
        for kind, group in groupby(sorted(keys), key=lambda key: key.type):
            for chunk in _chunks(key.id for key in group):
                connection.execute(
                    table.delete().where(
                        rows.sync == self._sync, rows.type == kind, rows.source_id.in_(chunk)
                    )
                )


def _row(key: Key) -> dict[str, Any]:
    return {"type": key.type, "source_id": key.id}


def _chunks(given: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(given)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
