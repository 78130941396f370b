"""`practicefusion demo --sync`: a practice on this machine, synced three times into DuckDB.

The first run brings everything, the second changes nothing, the third brings what was changed and
deleted in between. What is told of the target is read from its tables, not from the sync's report.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from practicefusion_connector.cli import output
from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.smart.provider import ManagedTokens
from practicefusion_connector.smart.renew import renewal
from practicefusion_connector.stores import ConnectionRecord, MemoryStore
from practicefusion_connector.transport import Policy, Transport

if TYPE_CHECKING:
    from practicefusion_connector.sandbox import Sandbox
    from practicefusion_connector.sync import Sync, SyncProgress

_Show = Callable[["SyncProgress"], None]


def run_sync_demo(
    data: Path | None = None, *, patients: int = 10, progress: _Show | None = None
) -> dict[str, Any]:
    """Sync a sandbox practice into DuckDB three times, and return what was found.

    Args:
        data: serve the FHIR files of this folder instead of invented people.
        patients: how many people to invent.
        progress: told what happens.

    Returns:
        `source` and `target`: resources there, of the types a practice exports; `dangling`:
        references at the target to what only the source has; `duplicates`; `second_run_changes`;
        `third_run` with `updated` and `deleted`.

    Raises:
        InvalidConfig: a library is not installed.
    """
    try:
        from practicefusion_connector.sandbox import Sandbox
    except ImportError as error:
        raise InvalidConfig(
            f"The sandbox needs a library that is not installed ({error.name}): "
            "pip install 'practicefusion-connector[all]'"
        ) from error
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="practicefusion-")))
        sandbox = stack.enter_context(Sandbox(data=data, patients=patients))
        sync = _sync(sandbox, folder, stack, progress)
        sync.run()
        found = _compared(sandbox, sync.source.types(), folder / "clinic.duckdb")
        second = sync.run()
        _change(sandbox, sync.source.types())
        third = sync.run()
        return {
            **found,
            "second_run_changes": second.changes,
            "third_run": {"updated": third.total("updated"), "deleted": third.total("deleted")},
        }


def show(found: dict[str, Any]) -> None:
    """Show what a demo found, for a person."""
    third = found["third_run"]
    output.put_table(
        ["A practice synced into DuckDB", ""],
        [
            ("Resources at the source", found["source"]),
            ("Resources in the tables", found["target"]),
            ("References that dangle", found["dangling"]),
            ("Duplicates", found["duplicates"]),
            ("Changes by a second run", found["second_run_changes"]),
            ("After an update and a deletion", f"{third['updated']} and {third['deleted']}"),
        ],
    )
    output.say("Try next:  practicefusion sync run --connection NAME --to duckdb:clinic.duckdb")


def worked(found: dict[str, Any]) -> bool:
    """Say whether a demo found what it should."""
    faults = found["dangling"] + found["duplicates"] + found["second_run_changes"]
    third = found["third_run"] == {"updated": 1, "deleted": 1}
    return bool(found["source"] == found["target"] and not faults and third)


def _sync(sandbox: Sandbox, folder: Path, stack: ExitStack, progress: _Show | None) -> Sync:
    from practicefusion_connector.bulk import JobStore, Patience
    from practicefusion_connector.sync import BulkSource, DuckDBTarget, State, Sync

    connection = Connection.of(
        id="sandbox",
        fhir_base_url=sandbox.fhir_base_url,
        client_id=sandbox.backend_client_id,
        client_secret=sandbox.backend_client_secret,
        level="system",
    )
    store = stack.enter_context(closing(MemoryStore()))
    store.save(ConnectionRecord(connection=connection), expected=None)
    transport = stack.enter_context(closing(Transport(Policy())))
    source = BulkSource(
        connection,
        ManagedTokens(connection.id, store, renewal(transport)),
        folder / "exports",
        stack.enter_context(closing(JobStore(f"sqlite:///{folder}/jobs.db"))),
        transport,
        patience=Patience(first=0.05, shortest=0.05),
    )
    state = stack.enter_context(closing(State(f"sqlite:///{folder}/state.db", "demo")))
    return Sync(source, DuckDBTarget(folder / "clinic.duckdb"), state, progress=progress)


def _compared(sandbox: Sandbox, types: tuple[str, ...], database: Path) -> dict[str, int]:
    """Compare the practice with the tables."""
    import duckdb

    source = {(kind, name) for kind in types for name in sandbox.resources.get(kind, ())}
    rows: list[tuple[str, str]] = []
    named: set[tuple[str, str]] = set()
    with closing(duckdb.connect(str(database), read_only=True)) as tables:
        listed = tables.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        for (kind,) in listed:
            if kind[:1].isupper():
                # The names are those of resource types, written by the sync itself.
                found = tables.execute(f'SELECT id, resource FROM "{kind}"').fetchall()  # noqa: S608
                rows += [(kind, name) for name, _ in found]
                named.update(key for _, text in found for key in _references(json.loads(text)))
    target = set(rows)
    return {
        "source": len(source),
        "target": len(rows),
        "dangling": len((named & source) - target),
        "duplicates": len(rows) - len(target),
    }


def _references(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        kind, slash, name = str(value.get("reference", "")).partition("/")
        if slash:
            yield kind, name
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _change(sandbox: Sandbox, types: tuple[str, ...]) -> None:
    """Change one person at the practice, and delete a record that nothing refers to."""
    patient = next(iter(sandbox.resources["Patient"]))
    sandbox.bulk.update("Patient", patient, active=False)
    named = {
        key for held in sandbox.resources.values() for r in held.values() for key in _references(r)
    }
    kinds = sorted(sandbox.resources, reverse=True)
    gone = next(
        (kind, name)
        for kind in kinds
        if kind in types and kind != "Patient"
        for name in sandbox.resources[kind]
        if (kind, name) not in named
    )
    sandbox.bulk.delete(*gone)
