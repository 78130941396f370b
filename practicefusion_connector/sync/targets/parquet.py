"""Tables as Parquet files: one `{Type}.parquet` for each resource type, replaced whole.

Parquet cannot be changed in place. Rows are gathered in a DuckDB file beside the tables, and the
files of the types that changed are written anew at the end, each under a temporary name and then
renamed: a reader sees the old table or the new one. It needs the extra `tables`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from practicefusion_connector.sync.items import Applied, Item, Key
from practicefusion_connector.sync.targets.base import Finished
from practicefusion_connector.sync.targets.duckdb import DuckDBTarget
from practicefusion_connector.sync.targets.duckdb_file import in_plain_words

_GATHERED = ".gathered.duckdb"
_STALE = ".stale"


class ParquetTarget(DuckDBTarget):
    """A folder of Parquet files to sync into; used by one process at a time."""

    def __init__(
        self, folder: Path, *, views: Path | None = None, memory_limit: str = "256MB"
    ) -> None:
        super().__init__(folder / _GATHERED, views=views, memory_limit=memory_limit)
        self.name = "parquet"
        self._folder = folder

    def apply(self, resource_type: str, items: Sequence[Item]) -> list[Applied]:
        """See `Target`."""
        self._note_stale(resource_type)
        return super().apply(resource_type, items)

    def delete(self, keys: Sequence[tuple[Key, str | None]]) -> list[Applied]:
        """See `Target`."""
        for kind in {key.type for key, _ in keys}:
            self._note_stale(kind)
        return super().delete(keys)

    @in_plain_words
    def finish(self, run: int, progress: Callable[[int], None]) -> Finished:
        """Write the files of the types that changed."""
        super().finish(run, progress)
        for written, kind in enumerate(self.types(), start=1):
            stale, file = self._folder / f"{kind}{_STALE}", self._folder / f"{kind}.parquet"
            if stale.exists() or not file.exists():
                self._write(kind, file)
                stale.unlink(missing_ok=True)
            progress(written)
        return Finished()

    def _fill_anew(self, resource_type: str, definition: str) -> None:
        self._note_stale(resource_type)
        super()._fill_anew(resource_type, definition)

    def _note_stale(self, resource_type: str) -> None:
        # On disk, so that a process that goes on after a kill knows it, too.
        (self._folder / f"{resource_type}{_STALE}").touch()

    def _write(self, kind: str, file: Path) -> None:
        part = file.with_suffix(".part")
        part.touch(mode=0o600)
        quoted = str(part).replace("'", "''")
        # Rows are long: sorted, or in groups of the usual number, they would not fit in memory.
        database = self._file.database
        database.execute("SET preserve_insertion_order = false")
        database.execute(
            f"COPY {self._table(kind)} TO '{quoted}' "
            "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE_BYTES '16MB')"
        )
        with part.open("rb") as written:
            os.fsync(written.fileno())
        # Their owner's alone, until the owner says otherwise.
        part.chmod(file.stat().st_mode & 0o777 if file.exists() else 0o600)
        os.replace(part, file)
