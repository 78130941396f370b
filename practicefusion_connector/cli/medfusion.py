"""`practicefusion medfusion`: a patient portal: connect, invite, follow what patients change."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click
from pydantic import SecretStr

from practicefusion_connector import settings
from practicefusion_connector.cli import output
from practicefusion_connector.cli.app import LazyGroup
from practicefusion_connector.cli.medfusion_sessions import opened

if TYPE_CHECKING:
    from practicefusion_connector.medfusion.following import Passed

_HERE = "practicefusion_connector.cli.medfusion"

connection_option = click.option(
    "--connection", metavar="NAME", default="medfusion", show_default=True, help="Which portal."
)
ledger_option = click.option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file of invitations; left out, one for each practice in your data folder.",
)

medfusion = LazyGroup(
    name="medfusion",
    help="A Medfusion patient portal: invite patients, follow what they register and change.",
    homes={
        "connect": (f"{_HERE}:connect", "Keep a connection to a practice's portal."),
        "invite": (f"{_HERE}_invite:invite", "Invite patients, from a CSV file or by a search."),
        "status": (f"{_HERE}:status", "How far the portal is with what was invited."),
        "follow": (f"{_HERE}:follow", "Write patients who change, once each."),
    },
)


@click.command()
@click.option(
    "--server", default="production", show_default=True, help="test, production, or a URL."
)
@click.option("--practice-id", metavar="UUID", required=True, help="The practice's integration id.")
@click.option("--username", required=True, help="The integration user.")
@click.option("--password-env", metavar="VAR", help="The variable that holds the password.")
@click.option(
    "--application-token-env", metavar="VAR", help="The variable that holds the application token."
)
@click.option("--client-id", metavar="ID", help="In place of the application token.")
@click.option("--client-secret-env", metavar="VAR", help="The variable that holds its secret.")
@click.option("--name", default="medfusion", show_default=True, help="What to call the connection.")
@click.option(
    "--version", type=click.Choice(["v1", "v2", "v3"]), help="Of the patient schema. [default: v1]"
)
@click.option("--patient-noun", help="The last part of the patients' URL. [default: patient]")
@click.option(
    "--since-unit",
    type=click.Choice(["seconds", "milliseconds"]),
    help="In what the server counts changes. [default: seconds]",
)
@output.json_option
def connect(
    name: str,
    password_env: str | None,
    application_token_env: str | None,
    client_secret_env: str | None,
    as_json: bool,
    **fields: str | None,
) -> None:
    """Prove the credentials of a portal's connection, and keep it, encrypted."""
    from practicefusion_connector.medfusion.connecting import connect as keep
    from practicefusion_connector.medfusion.connection import MedfusionConnection

    token = settings.secret(application_token_env) if application_token_env else None
    secret = settings.secret(client_secret_env) if client_secret_env else None
    connection = MedfusionConnection.of(
        id=name,
        password=_password(password_env),
        application_token=token,
        client_secret=secret,
        **fields,
    )
    with closing(settings.store()) as store:
        kept = keep(store, connection, policy=settings.policy(connection.server))
    if as_json:
        output.put_json({"connection": kept.id, "practice_url": kept.practice_url})
        return
    output.say(f'Connected to {kept.practice_url}; kept as "{kept.id}".')
    output.say(f"  practicefusion medfusion invite --csv patients.csv --connection {kept.id}")


def _password(variable: str | None) -> SecretStr:
    if variable:
        return settings.secret(variable)
    if not sys.stdin.isatty():
        raise click.UsageError("Give --password-env VAR")
    return SecretStr(click.prompt("Password", hide_input=True))


@click.command()
@connection_option
@ledger_option
@output.json_option
def status(connection: str, ledger: Path | None, as_json: bool) -> None:
    """Ask the portal how far it is with the invitations it accepted, and say what is open."""
    with opened(connection, ledger) as (portal, _):
        known = portal.ledger.entries()
        urls = {entry.status_url for entry in known.values() if entry.outcome == "accepted"}
        for url in sorted(url for url in urls if url):
            portal.run("medfusion_get_processing_status", {"status_url": url})
        counted = Counter(entry.outcome for entry in portal.ledger.entries().values())
    if as_json:
        output.put_json(dict(sorted(counted.items())))
    elif counted:
        output.put_table(["Invitations", "How many"], sorted(counted.items()))
    else:
        output.say("Nobody was invited by this ledger.")


@click.command()
@connection_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to add changed patients to, one JSON object a line.",
)
@click.option(
    "--form",
    type=click.Choice(["fhir", "medfusion"]),
    default="fhir",
    show_default=True,
    help="FHIR R4 Patients, or the portal's own fields.",
)
@click.option("--once", is_flag=True, help="Look once, and end.")
@click.option(
    "--every",
    type=click.FloatRange(min=0, min_open=True),
    default=300,
    show_default=True,
    help="Seconds between two looks.",
)
@click.option("--all-states", is_flag=True, help="Invited patients too, before they register.")
@output.json_option
def follow(
    connection: str, out: Path, form: Any, once: bool, every: float, all_states: bool, as_json: bool
) -> None:
    """Write patients who registered or changed at the portal, each change once.

    How far it came is kept with the connection; it may be stopped at any moment and begun again.
    Without --once it looks every so many seconds until Ctrl-C.
    """
    with opened(connection) as (portal, store):
        from practicefusion_connector.medfusion.following import PORTAL_CHANGES, Follower
        from practicefusion_connector.medfusion.sinks import JsonLines

        states = None if all_states else PORTAL_CHANGES
        follower = Follower(portal, store, JsonLines(out, form), states=states)
        told = partial(_tell, as_json=as_json)
        if once:
            told(follower.once())
            return
        stopped = Event()
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, lambda *_: stopped.set())
        failed = partial(output.tell, as_json=as_json)
        follower.forever(every, stopped, told=told, failed=failed)


def _tell(passed: Passed, *, as_json: bool) -> None:
    for warning in dict.fromkeys(passed.warnings):
        output.note(f"warning: {warning.code}: {warning.message}")
    if as_json:
        counts = ("delivered", "repeated", "skipped")
        output.put_json({name: getattr(passed, name) for name in counts})
    else:
        output.say(f"{passed.delivered} delivered.")
