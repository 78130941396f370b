"""The state of one sync: its memory of the target, its book, and who works on it.

It may be shared by processes and machines: SQLite on one machine, PostgreSQL on several.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import select, update

from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.sync.items import Applied, Item, Key, Position, Refusal
from practicefusion_connector.sync.state import schema
from practicefusion_connector.sync.state.ledger import Ledger
from practicefusion_connector.sync.state.memory import TargetMemory
from practicefusion_connector.sync.state.quarantine import Quarantine


class SyncBusy(InvalidInput):
    """Another process runs this sync now."""


class Landing(NamedTuple):
    """Where a batch belongs: run, scope and file, how far the file is done with it, the counts."""

    run: int
    scope: str
    file: int
    end: Position
    counts: Counter[str]


class State:
    """The state of one sync; safe to share between threads.

    Args:
        url: `sqlite:///file` or `postgresql://…`.
        name: of the sync: the same source and target have the same name.

    Attributes:
        memory: what is remembered of the target.
        ledger: runs, checkpoints, watermarks.
        quarantine: what was refused.
    """

    def __init__(self, url: str, name: str) -> None:
        self._database = schema.open_database(url)
        self.name = name
        self._sync = self._id(name)
        self.memory = TargetMemory(self._database, self._sync)
        self.ledger = Ledger(self._database, self._sync)
        self.quarantine = Quarantine(self._database, self._sync)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep every other process out of this sync; the lock ends with its process.

        Raises:
            SyncBusy: another one holds it.
        """
        if self._database.dialect == "sqlite":
            with self._file_lock():
                yield
            return
        with self._database.connect() as connection:
            key = 5782011364 * 100_000 + self._sync
            held = connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({key})").scalar()
            connection.commit()
            if not held:
                raise _busy()
            try:
                yield
            finally:
                connection.exec_driver_sql(f"SELECT pg_advisory_unlock({key})")
                connection.commit()

    @contextmanager
    def _file_lock(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        lock = FileLock(f"{self._database.url.database}.{self._sync}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise _busy() from None
        try:
            yield
        finally:
            lock.release()

    def recognize(self, mark: str | None) -> bool:
        """Compare the target's mark with the one remembered; where they differ, forget all of it.

        Returns whether the target is the one remembered.
        """
        rows = schema.syncs.c
        with self._database.begin() as connection:
            remembered = connection.scalar(select(rows.mark).where(rows.id == self._sync))
            if remembered == mark:
                return True
            connection.execute(update(schema.syncs).where(rows.id == self._sync).values(mark=mark))
            self.memory.clear(connection)
            self.ledger.clear(connection)
            self.quarantine.clear(connection)
        return False

    def narrow(self, filters: Mapping[str, str]) -> None:
        """Note what narrows types; a type for which that changed begins from nothing."""
        with self._database.begin() as connection:
            self.ledger.narrow(connection, filters)

    def put_aside(self, run: int, scope: str, refused: Sequence[Refusal]) -> None:
        """Put into quarantine what an export found; it is at the source all the same."""
        with self._database.begin() as connection:
            self.memory.seen(connection, run, [each.key for each in refused if each.key])
            self.quarantine.refuse(connection, run, scope, refused)

    def landed(
        self,
        at: Landing,
        applied: Sequence[tuple[Item, Applied]],
        met: Sequence[Key],
        refused: Sequence[Refusal],
    ) -> None:
        """Write what became of a batch and the checkpoint behind it, together or not at all.

        `met` is what was in the batch and was not changed at the target.
        """
        with self._database.begin() as connection:
            self.memory.remember(connection, at.run, applied)
            self.memory.seen(connection, at.run, met)
            done = [item.key for item, what in applied if what.status != "failed"]
            self.quarantine.release(connection, [*done, *met])
            self.quarantine.refuse(connection, at.run, at.scope, refused)
            self.ledger.checkpoint(connection, at.run, at.file, at.end, dict(at.counts))

    def remember(self, run: int, applied: Sequence[tuple[Item, Applied]]) -> None:
        """Remember what became of items that no checkpoint is behind yet."""
        with self._database.begin() as connection:
            self.memory.remember(connection, run, applied)
            done = [item.key for item, what in applied if what.status != "failed"]
            self.quarantine.release(connection, done)

    def deleted(
        self, run: int, scope: str, keys: Sequence[Key], refused: Sequence[Refusal]
    ) -> None:
        """Forget what was deleted, and note what could not be."""
        with self._database.begin() as connection:
            self.memory.drop(connection, keys)
            self.quarantine.release(connection, keys)
            self.quarantine.refuse(connection, run, scope, refused)

    def gone(self, run: int, keys: Sequence[Key]) -> None:
        """Take out of quarantine what was deleted at the source before it came to the target."""
        with self._database.begin() as connection:
            self.quarantine.release(connection, keys, before=run)

    def outdated(self, run: int, kind: str) -> None:
        """Take out of quarantine what a full export of a type has no longer."""
        with self._database.begin() as connection:
            self.quarantine.outdated(connection, kind, run)

    def move(
        self,
        marks: Sequence[tuple[str, str, str, bool]],
        members: dict[str, list[str]],
        forgotten: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Move watermarks (scope, type, instant, held) and note the groups' members, at once.

        Watermarks that are `forgotten` (scope, type) go, so that a full export comes next.
        """
        with self._database.begin() as connection:
            for scope, kind in forgotten:
                self.ledger.forget(connection, scope, kind)
            for scope, kind, instant, held in marks:
                self.ledger.mark(connection, scope, kind, instant, held=held)
            for scope, patients in members.items():
                self.ledger.set_members(connection, scope, patients)

    def allow(self, keys: Sequence[Key]) -> None:
        """Let resources be created whose creation is in doubt."""
        with self._database.begin() as connection:
            self.memory.allow(connection, keys)

    def reset(self, types: Sequence[str] = (), *, everything: bool = False) -> None:
        """Forget the watermarks, and with `everything` what the target was given under which ids.

        A run that was cut off is given up: it would move the watermarks again.
        """
        current = self.ledger.current()
        if current is not None:
            current.document.reason = "The sync was reset."
            self.ledger.write(current, "failed")
        with self._database.begin() as connection:
            self.ledger.clear(connection, types)
            if not types:
                self.quarantine.clear(connection)
            if everything:
                self.memory.doubt(connection, types)

    def _id(self, name: str) -> int:
        rows = schema.syncs.c
        with self._database.begin() as connection:
            connection.execute(
                self._database.insert(schema.syncs).values(name=name).on_conflict_do_nothing()
            )
            return int(connection.execute(select(rows.id).where(rows.name == name)).scalar_one())


def _busy() -> SyncBusy:
    return SyncBusy("This sync is being run by another process; let it finish.")
