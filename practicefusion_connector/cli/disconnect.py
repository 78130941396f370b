"""`practicefusion disconnect`: end a connection, here and where possible at the practice."""

from __future__ import annotations

from contextlib import closing

import click

from practicefusion_connector import settings
from practicefusion_connector.cli import output
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.smart.revocation import disconnect as end
from practicefusion_connector.transport import Run, Transport

_DEADLINE = 60.0


@click.command()
@click.option(
    "--connection",
    "connection_id",
    metavar="NAME",
    default="default",
    show_default=True,
    help="Which stored connection.",
)
@output.json_option
def disconnect(connection_id: str, as_json: bool) -> None:
    """Revoke a connection's tokens where the practice's server takes that, and delete them here.

    They are deleted whatever the server says. Where the grant itself goes on, it is told who ends
    it and where.
    """
    with closing(settings.store()) as store:
        stored = store.load(connection_id)
        if stored is None:
            raise InvalidInput(
                f'There is no connection "{connection_id}"; see practicefusion connections list.',
                problems=[{"path": "connection", "message": "there is none of this name"}],
            )
        url = stored.record.connection.fhir_base_url
        with closing(Transport(settings.policy(url))) as transport:
            ended = end(transport, store, connection_id, Run(_DEADLINE))
    if as_json:
        output.put_json(
            {
                "connection": connection_id,
                "removed": ended.removed,
                "revoked": ended.revoked,
                "advice": ended.advice,
                "problem": ended.problem.to_dict() if ended.problem else None,
            }
        )
        return
    if ended.revoked:
        output.say(f"Disconnected {connection_id}: the server ended the grant.")
    else:
        output.say(f"Disconnected {connection_id}.")
    if ended.advice:
        output.say(ended.advice)
