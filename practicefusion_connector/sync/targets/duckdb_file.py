"""A DuckDB file that holds patients' records: its owner's alone, with all that lies beside it.

It knows DuckDB's ways with files and errors, and nothing of tables. It needs the extra `tables`.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from practicefusion_connector.errors import InvalidConfig, UpstreamUnavailable

if TYPE_CHECKING:
    import duckdb

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")


class DuckDBFile:
    """A DuckDB file, opened when it is first asked for; used by one process at a time.

    Args:
        path: made where it is missing.
        memory_limit: what DuckDB may hold in memory.
    """

    def __init__(self, path: Path, memory_limit: str) -> None:
        # Versions of DuckDB differ in whether the log lies beside a link or beside the file.
        self._path = path.resolve()
        self._log = self._path.with_name(self._path.name + ".wal")
        self._spilled = self._path.with_name(self._path.name + ".tmp")
        self._memory_limit = memory_limit
        self._database: duckdb.DuckDBPyConnection | None = None

    @property
    def database(self) -> duckdb.DuckDBPyConnection:
        """The connection, to read with; what is written goes through `transaction`.

        Raises:
            InvalidConfig: the file cannot be opened, or the library is not installed.
        """
        if self._database is None:
            self._database = self._connected()
        return self._database

    @contextlib.contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give the connection in a transaction, which is committed unless an error ends it."""
        database = self.database
        # DuckDB writes its log anew after each checkpoint, for everyone to read. A log that is
        # there already keeps its rights.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self._log, os.O_CREAT | os.O_EXCL, self._rights()))
        database.begin()
        try:
            yield database
        except BaseException:
            database.rollback()
            raise
        database.commit()

    def close(self) -> None:
        """Close the file; asked again, it is opened again."""
        if self._database is not None:
            self._database.close()
            self._database = None
            with contextlib.suppress(OSError):
                self._spilled.rmdir()

    def _rights(self) -> int:
        return self._path.stat().st_mode & 0o777

    def _connected(self) -> duckdb.DuckDBPyConnection:
        try:
            import duckdb
            import pyarrow  # noqa: F401 - said here, before anything is written
        except ImportError as error:
            raise InvalidConfig(
                f"Tables need a library that is not installed ({error.name}): "
                "pip install 'practicefusion-connector[tables]'"
            ) from error
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = not self._path.exists()
        config: dict[str, str | int | float | list[str]] = {
            "memory_limit": self._memory_limit,
            "threads": 2,
            "temp_directory": str(self._spilled),
        }
        try:
            database = duckdb.connect(str(self._path), config=config)
        except duckdb.IOException:
            pass
        else:
            if new:
                # Their owner's alone, until the owner says otherwise.
                self._path.chmod(0o600)
            if self._log.exists():
                self._log.chmod(self._rights())
            # What does not fit in memory; DuckDB would make the folder for everyone to read.
            self._spilled.mkdir(exist_ok=True)
            self._spilled.chmod(0o700)
            return database
        raise InvalidConfig(
            f"The DuckDB file {self._path.name} cannot be opened: another process has it open, or "
            "it is none."
        )


def in_plain_words(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Let a method tell what DuckDB refuses without its words: they may quote a record."""

    @functools.wraps(method)
    def told(self: S, /, *args: P.args, **options: P.kwargs) -> R:
        try:
            return method(self, *args, **options)
        except Exception as error:
            if not _is_of_duckdb(error):
                raise
            kind = type(error).__name__
        # Raised outside the handler: an exception's context would carry them along.
        raise UpstreamUnavailable(
            f"DuckDB did not do what a table needs ({kind}); see that its disk has room, and that "
            "the table was not changed by hand: one that is dropped is filled again by a sync "
            "after `sync reset --everything`."
        )

    return told


def _is_of_duckdb(error: Exception) -> bool:
    try:
        import duckdb
    except ImportError:
        return False
    return isinstance(error, duckdb.Error)
