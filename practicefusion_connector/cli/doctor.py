"""`practicefusion doctor`: whether a connection will work, before it has to."""

from __future__ import annotations

from contextlib import closing

import click

from practicefusion_connector import settings
from practicefusion_connector.cli import output
from practicefusion_connector.connection import Connection
from practicefusion_connector.doctor import Report, examine
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.smart.provider import ManagedTokens, TokenProvider
from practicefusion_connector.smart.renew import renewal
from practicefusion_connector.transport import Transport

_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}


@click.command()
@click.option(
    "--connection",
    "connection_id",
    metavar="NAME",
    default="default",
    show_default=True,
    help="Which stored connection.",
)
@click.option("--base-url", metavar="URL", help="Examine a FHIR base URL instead, without a token.")
@output.json_option
@click.pass_context
def doctor(ctx: click.Context, connection_id: str, base_url: str | None, as_json: bool) -> None:
    """Say whether a connection will work, and what to do where it will not.

    Looks at TLS, the clock, discovery, the token, the granted scopes against the 33 actions, and
    what the server declares against what the actions offer. No record is read. The exit code is 1
    where something failed.
    """
    if base_url:
        examined = Connection.of(fhir_base_url=base_url, client_id="command-line")
        report = _report(examined, None)
    else:
        report = _stored(connection_id)
    if as_json:
        output.put_json(report.to_dict())
    else:
        _show(report)
    if not report.ok:
        ctx.exit(output.FAILED)


def _stored(connection_id: str) -> Report:
    with closing(settings.store()) as store:
        stored = store.load(connection_id)
        if stored is None:
            raise InvalidInput(
                f'There is no connection "{connection_id}"; see practicefusion connections list, '
                "or examine a practice with --base-url.",
                problems=[{"path": "connection", "message": "there is none of this name"}],
            )
        connection = stored.record.connection
        with closing(Transport(settings.policy(connection.fhir_base_url))) as transport:
            tokens = ManagedTokens(connection_id, store, renewal(transport))
            return examine(connection, tokens, transport=transport)


def _report(connection: Connection, tokens: TokenProvider | None) -> Report:
    with closing(Transport(settings.policy(connection.fhir_base_url))) as transport:
        return examine(connection, tokens, transport=transport)


def _show(report: Report) -> None:
    output.put_table(
        ["Check", "", ""],
        [
            (check.name, output.styled(check.state, _STYLES[check.state]), check.says)
            for check in report.checks
        ],
        title=output.plain(report.label),
    )
    if lacking := [action for action in report.actions if not action.works]:
        output.put_table(
            ["Action that will not run", "Scope it lacks"],
            [(action.key, action.lacks) for action in lacking],
        )
    rows = [(resource, "missing", names) for resource, names in report.missing_parameters.items()]
    rows += [(resource, "new", names) for resource, names in report.new_parameters.items()]
    if rows:
        output.put_table(["Resource", "On the server", "Search parameters"], rows)
