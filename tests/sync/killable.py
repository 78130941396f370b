"""A sync in a process of its own, for tests that kill it.

    python -m tests.sync.killable EXPORT FOLDER TARGET

TARGET is the base URL of a FHIR server, `duckdb` or `parquet`. It says `ready` before it begins and
`done` once it is.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing
from pathlib import Path

import click

from practicefusion_connector.sync import (
    Bounds,
    DuckDBTarget,
    FolderSource,
    ParquetTarget,
    State,
    Sync,
    Target,
)
from tests.sync.fhir_server import target_at


def main(export: str, folder: str, to: str) -> None:
    place = Path(folder)
    with ExitStack() as stack:
        state = stack.enter_context(closing(State(f"sqlite:///{place}/state.db", "test")))
        target: Target
        if to in ("duckdb", "parquet"):
            tables = DuckDBTarget(place / "t.duckdb") if to == "duckdb" else ParquetTarget(place)
            tables.batch = (10, 1 << 20)
            target = tables
        else:
            target = stack.enter_context(target_at(to, bounds=Bounds(first=10, largest=10)))
        click.echo("ready")
        Sync(FolderSource(Path(export)), target, state).run()
    click.echo("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
