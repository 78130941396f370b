"""`practicefusion demo --sync`: a practice on this machine, synced three times into a target.

The first run brings everything, the second changes nothing, the third brings what was changed and
deleted in between. What is told of the target is read from the target (`sync_demo_target`), not
from the sync's report.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from practicefusion_connector import settings
from practicefusion_connector.cli import output
from practicefusion_connector.cli.sync_demo_target import (
    Resource,
    compared,
    name_of,
    reader_of,
    references,
)
from practicefusion_connector.errors import InvalidConfig, InvalidInput

if TYPE_CHECKING:
    from practicefusion_connector.sandbox import Sandbox
    from practicefusion_connector.sync import SyncProgress
    from practicefusion_connector.sync.config import SyncSettings

_Show = Callable[["SyncProgress"], None]


def run_sync_demo(
    data: Path | None = None,
    *,
    to: str | None = None,
    patients: int = 10,
    progress: _Show | None = None,
) -> dict[str, Any]:
    """Sync a sandbox practice three times, and return what was found.

    Args:
        data: serve the FHIR files of this folder instead of invented people.
        to: where it goes: `duckdb:FILE`, or the base URL of a FHIR server that wants no token; a
            DuckDB file that goes with the demo where left out.
        patients: how many people to invent.
        progress: told what happens.

    Returns:
        `source` and `target`: resources there, of the types an export holds; `dangling`:
        references at the target that lead nowhere although the source holds what they mean;
        `duplicates`; `second_run_changes`; `third_run` with `updated` and `deleted`.

    Raises:
        InvalidConfig: a library is not installed.
        InvalidInput: the target is of a kind that the demo cannot read back, or the data holds
            nothing to change and delete.
        ConnectorError: the target cannot be reached, or fails.
    """
    try:
        from practicefusion_connector.bulk import Patience
        from practicefusion_connector.sandbox import Sandbox
        from practicefusion_connector.sync.building import built
    except ImportError as error:
        raise InvalidConfig(
            f"The sandbox needs a library that is not installed ({error.name}): "
            "pip install 'practicefusion-connector[all]'"
        ) from error
    with tempfile.TemporaryDirectory(prefix="practicefusion-") as place:
        wanted = to or f"duckdb:{place}/clinic.duckdb"
        reader = reader_of(wanted)
        with Sandbox(data=data, patients=patients) as sandbox:
            if sandbox.data_problems:
                output.note(f"Parts of the data left out: {len(sandbox.data_problems)}.")
            source = _served(sandbox)
            patient, gone = _to_change(source)
            read = _settings(sandbox, wanted, Path(place))
            with built(
                read,
                read.plan(),
                policy_for=settings.policy,
                open_store=settings.store,
                progress=progress,
                patience=Patience(first=0.05, shortest=0.05),
            ) as sync:
                sync.run()
                found = compared(source, reader, sandbox.bulk.types)
                second = sync.run()
                sandbox.bulk.update("Patient", patient["id"], active=False)
                sandbox.bulk.delete(gone["resourceType"], gone["id"])
                third = sync.run()
        return {
            **found,
            "second_run_changes": second.changes,
            "third_run": {"updated": third.total("updated"), "deleted": third.total("deleted")},
        }


def show(found: dict[str, Any], to: str | None) -> None:
    """Show what a demo found, for a person."""
    third = found["third_run"]
    output.put_table(
        [f"A practice synced into {'a FHIR server' if to and '://' in to else 'DuckDB'}", ""],
        [
            ("Resources at the source", found["source"]),
            ("Resources at the target", found["target"]),
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


def _settings(sandbox: Sandbox, to: str, folder: Path) -> SyncSettings:
    from practicefusion_connector.sync.config import read_settings

    given: dict[str, dict[str, Any]] = {
        "source": {
            "fhir_base_url": sandbox.fhir_base_url,
            "client_id": sandbox.backend_client_id,
            "client_secret": sandbox.backend_client_secret,
            "types": tuple(sandbox.bulk.types),
        },
        "target": {"to": to},
        "sync": {"folder": folder / "sync"},
    }
    return read_settings(None, {}, given)


def _served(sandbox: Sandbox) -> list[Resource]:
    """Return the records of the practice that an export holds."""
    return [each for kind in sandbox.bulk.types for each in sandbox.resources[kind].values()]


def _to_change(source: list[Resource]) -> tuple[Resource, Resource]:
    """Return the person to change at the practice, and a record to delete: no other names it."""
    named = {each.get("reference") for resource in source for each in references(resource)}
    patients = [each for each in source if each["resourceType"] == "Patient"]
    unnamed = [
        each for each in source if each["resourceType"] != "Patient" and name_of(each) not in named
    ]
    if not patients or not unnamed:
        raise InvalidInput(
            "The demo changes a person and deletes a record that no other refers to; the data "
            f"holds no {'such record' if patients else 'Patient'}."
        )
    return patients[0], unnamed[-1]
