"""Which sync a command means: the options that say so, and the sync put together from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from practicefusion_connector import settings
from practicefusion_connector.sync.building import built
from practicefusion_connector.sync.config import VARIABLES, SyncSettings, read_settings
from practicefusion_connector.sync.engine import Sync

# Nobody sits and waits for a single answer of a sync: the server may ask for longer waits.
_patient_policy = partial(settings.policy, longest_wait=600.0, deadline=900.0)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which sync is meant; `settings_of` takes them."""
    declared = [
        click.option(
            "--config",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="The settings, a TOML file.",
        ),
        click.option("--connection", metavar="NAME", help="A stored connection to the practice."),
        click.option(
            "--from",
            "from_folder",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="A folder of NDJSON in place of a practice.",
        ),
        click.option(
            "--to",
            metavar="TARGET",
            help="A FHIR base URL, duckdb:FILE, parquet:FOLDER, ndjson:FOLDER, or a warehouse.",
        ),
        click.option("--type", "types", multiple=True, help="A resource type; repeat for more."),
        click.option("--group", "groups", multiple=True, help="A group; repeat for more."),
        click.option(
            "--folder",
            type=click.Path(file_okay=False, path_type=Path),
            help="Where state, exports and reports lie [default: sync].",
        ),
    ]
    for option in reversed(declared):
        command = option(command)
    return command


def settings_of(
    config: Path | None,
    connection: str | None,
    from_folder: Path | None,
    to: str | None,
    types: tuple[str, ...],
    groups: tuple[str, ...],
    folder: Path | None,
) -> SyncSettings:
    """Return the settings of the file, the variables and these options."""
    source = {"connection": connection, "folder": from_folder, "types": types, "groups": groups}
    given: dict[str, dict[str, Any]] = {
        "source": source,
        "target": {"to": to},
        "sync": {"folder": folder},
    }
    return read_settings(config, settings.variables(VARIABLES), given)


@contextmanager
def opened(read: SyncSettings, show: Any, **wishes: bool) -> Iterator[Sync]:
    """Give the sync that the settings describe; `show` is told its progress."""
    with built(
        read,
        read.plan(**wishes),
        policy_for=_patient_policy,
        open_store=settings.store,
        progress=show,
    ) as made:
        yield made
