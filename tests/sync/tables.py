"""What lies in DuckDB and Parquet, read by the libraries themselves."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

Key = tuple[str, str]


def in_duckdb(path: Path) -> list[tuple[Key, dict[str, Any]]]:
    """Return every row of every table: type and id, and the resource."""
    with closing(duckdb.connect(str(path), read_only=True)) as database:
        named = database.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        return [
            ((kind, name), json.loads(text))
            for (kind,) in named
            if not kind.startswith("_")
            for name, text in database.execute(f'SELECT id, resource FROM "{kind}"').fetchall()
        ]


def in_parquet(folder: Path) -> list[tuple[Key, dict[str, Any]]]:
    """The same of a folder of Parquet files."""
    found = []
    with closing(duckdb.connect()) as database:
        for file in sorted(folder.glob("*.parquet")):
            rows = database.execute("SELECT id, resource FROM read_parquet(?)", [str(file)])
            found += [((file.stem, name), json.loads(text)) for name, text in rows.fetchall()]
    return found
