"""`practicefusion connections`: what the store keeps."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import Any

import click

from practicefusion_connector import settings
from practicefusion_connector.cli import output
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.medfusion.connection import MedfusionRecord
from practicefusion_connector.stores import ConnectionRecord


@click.group()
def connections() -> None:
    """List and remove stored connections."""


@connections.command("list")
@output.json_option
def list_(as_json: bool) -> None:
    """List the stored connections."""
    with closing(settings.store()) as store:
        stored = [found for name in store.ids() if (found := store.load(name))]
    listed = [_listed(found.record) for found in stored]
    if as_json:
        output.put_json(listed)
    elif listed:
        columns = ("name", "url", "level", "status", "authorized")
        shown = [[row[column] for column in columns] for row in listed]
        output.put_table(["Name", "Base URL", "Level", "Status", "Authorized"], shown)
    else:
        output.say("There are none. practicefusion connect makes one.")


@connections.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove a stored connection and its tokens from this store."""
    with closing(settings.store()) as store:
        if not store.delete(name):
            known = ", ".join(store.ids()) or "none"
            raise InvalidInput(f"There is no connection of this name. Stored: {known}.")
    output.say(
        f'Removed "{name}". The grant itself lives on at the practice until it ends or is revoked '
        "there: by the patient among the authorized apps, by the practice in its EHR."
    )


def _listed(record: ConnectionRecord) -> dict[str, Any]:
    tokens = record.tokens
    issued = dt.datetime.fromtimestamp(tokens.issued_at, dt.UTC) if tokens else None
    return {
        "name": record.connection.id,
        **_where(record),
        "status": record.status,
        "status_reason": record.status_reason,
        "scopes": list(tokens.scope) if tokens else [],
        "authorized": issued.isoformat(timespec="seconds") if issued else None,
    }


def _where(record: ConnectionRecord) -> dict[str, Any]:
    if isinstance(record, MedfusionRecord):
        return {"url": record.connection.practice_url, "level": "portal"}
    connection = record.connection
    return {
        "url": connection.fhir_base_url,
        "fhir_base_url": connection.fhir_base_url,
        "client_id": connection.client_id,
        "level": connection.level,
    }
