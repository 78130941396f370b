"""`practicefusion connect`: a person authorizes a connection, which is then kept."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path

import click
from pydantic import SecretStr

from practicefusion_connector import settings
from practicefusion_connector.cli import output
from practicefusion_connector.cli.authorization import Grant, authorize, sign_in
from practicefusion_connector.cli.loopback import Receiver, can_receive
from practicefusion_connector.cli.practices import opened
from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import InvalidConfig, InvalidInput
from practicefusion_connector.registry import shipped
from practicefusion_connector.smart.directory_source import SERVICE_BASE_URLS
from practicefusion_connector.stores import ConnectionRecord, ConnectionStore, StaleVersion

_REDIRECT_URI = "http://127.0.0.1:8484/callback"
_SAVES_TRIED = 5


@click.command()
@click.option("--fhir-base-url", metavar="URL", help="The practice's FHIR base URL.")
@click.option(
    "--practice", metavar="NAME", help="Find the base URL in the practice directory instead."
)
@click.option(
    "--directory", default=SERVICE_BASE_URLS, metavar="URL|FILE", help="Another directory."
)
@click.option("--client-id", metavar="ID", required=True, help="The application's id.")
@click.option(
    "--client-secret-env",
    metavar="VAR",
    help="The variable that holds the client secret; without it you are asked.",
)
@click.option("--public", is_flag=True, help="The application has no secret.")
@click.option("--name", default="default", show_default=True, help="What to call the connection.")
@click.option("--auth-base-url", metavar="URL", help="Only where the server names no endpoints.")
@click.option(
    "--redirect-uri",
    metavar="URI",
    default=_REDIRECT_URI,
    show_default=True,
    help="As registered for the application; port 0 takes a free one.",
)
@click.option("--scopes", help="Scopes to ask for, in place of those the actions need.")
@click.option(
    "--level",
    type=click.Choice(["user", "patient", "system"]),
    default="user",
    show_default=True,
    help="On whose authority: a provider's, a patient's, or the application's own.",
)
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="For the level system: the key file of practicefusion keys new.",
)
@click.option(
    "--auth-method",
    type=click.Choice(["client_secret_post", "client_secret_basic", "client_secret_basic_raw"]),
    default="client_secret_post",
    show_default=True,
    help="How the client secret is sent.",
)
@click.option("--no-browser", is_flag=True, help="Print the address; paste the one it ends at.")
@click.option("--no-store", is_flag=True, help="Keep nothing; only see whether it works.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=300,
    show_default=True,
    help="Seconds to wait for the browser.",
)
@output.json_option
def connect(
    fhir_base_url: str | None,
    practice: str | None,
    directory: str,
    client_secret_env: str | None,
    public: bool,
    key_file: Path | None,
    name: str,
    redirect_uri: str,
    no_browser: bool,
    no_store: bool,
    timeout: float,
    as_json: bool,
    **fields: str | None,
) -> None:
    """Authorize a connection to a practice, and keep it.

    Opens the practice's sign-in page in your browser and waits for it to come back; on the level
    system the application signs in by itself. The connection and its tokens are kept encrypted,
    where PRACTICEFUSION_STORE says or in your own data folder.
    """
    if (fhir_base_url is None) == (practice is None):
        raise click.UsageError("Give --fhir-base-url URL or --practice NAME, one of the two")
    if practice is not None:
        fhir_base_url = _listed(practice, directory, for_patients=fields["level"] == "patient")
    if key_file is not None:
        fields["private_key"] = key_file.read_text("utf-8")
        fields["key_id"] = _signing_key(key_file)
    secret = _client_secret(client_secret_env, public or key_file is not None)
    connection = Connection.of(
        id=name,
        fhir_base_url=fhir_base_url,
        redirect_uri=redirect_uri,
        client_secret=secret,
        **fields,
    )
    # The store is opened first: it must not turn out to be unusable after the person's consent.
    with nullcontext() if no_store else closing(settings.store()) as store:
        policy = settings.policy(connection.fhir_base_url)
        paste = no_browser or not can_receive(redirect_uri) or connection.level == "system"
        with nullcontext() if paste else Receiver(redirect_uri) as receiver:
            ask: Callable[[str], str] = _by_paste
            if receiver:
                ask = _by_browser(receiver, timeout)
                connection = connection.model_copy(update={"redirect_uri": receiver.redirect_uri})
            if connection.level == "system":
                grant = sign_in(connection, policy)
            else:
                grant = authorize(connection, shipped(), ask, policy)
        if store is not None:
            _save(store, ConnectionRecord(connection=connection, tokens=grant.tokens))
    _report(connection, grant, kept=not no_store, as_json=as_json)


def _listed(name: str, directory: str, *, for_patients: bool) -> str:
    """Return the base URL of the one practice the directory has by this name."""
    found = opened(directory).search(name)
    exact = [practice for practice in found if practice.name.casefold() == name.casefold()]
    candidates = exact or found
    if len(candidates) != 1:
        near = ", ".join(f'"{practice.name}"' for practice in candidates[:5])
        many = f"{len(candidates)} practices fit: {near}" if candidates else "No practice fits"
        raise InvalidInput(
            f"{many}. practicefusion practices search shows them with their base URLs.",
            problems=[{"path": "practice", "message": "must name one practice"}],
        )
    url = candidates[0].patient_url if for_patients else candidates[0].provider_url
    if url is None:
        raise InvalidInput("The directory lists no base URL of this practice for this level.")
    return url


def _signing_key(file: Path) -> str:
    from practicefusion_connector.smart import key_files

    return key_files.key_ids(file)[0]  # during a rotation the old key goes on signing


def _client_secret(variable: str | None, public: bool) -> SecretStr | None:
    if public:
        return None
    if variable:
        return settings.secret(variable)
    if not sys.stdin.isatty():
        raise click.UsageError("Give --client-secret-env VAR, or --public for no secret")
    typed = click.prompt("Client secret (empty for none)", "", hide_input=True, show_default=False)
    return SecretStr(typed) if typed else None


def _by_browser(receiver: Receiver, timeout: float) -> Callable[[str], str]:
    def ask(url: str) -> str:
        output.note("Sign in at the page that opens in your browser. If none opens, go to:")
        output.note(url)
        webbrowser.open(url)
        return receiver.wait(timeout)

    return ask


def _by_paste(url: str) -> str:
    output.note("Open this address in a browser and sign in:")
    output.note(url)
    output.note("The page it ends at may fail to load. Paste that page's whole address here:")
    pasted = sys.stdin.readline().strip()
    if not pasted:
        raise InvalidInput("No address was pasted; connect again.")
    return pasted


def _save(store: ConnectionStore, record: ConnectionRecord) -> None:
    """Keep the record in place of whatever is there: a new authorization outranks it."""
    for _ in range(_SAVES_TRIED):
        stored = store.load(record.connection.id)
        try:
            store.save(record, expected=stored.version if stored else None)
        except StaleVersion:
            continue
        return
    raise InvalidConfig("Other workers keep writing to this connection; connect again.")


def _report(connection: Connection, grant: Grant, *, kept: bool, as_json: bool) -> None:
    blocked = grant.without(shipped().core())
    if as_json:
        output.put_json(
            {
                "connection": connection.id if kept else None,
                "fhir_base_url": connection.fhir_base_url,
                "scopes_asked": grant.asked,
                "scopes_granted": grant.scopes,
                "scopes_not_granted": grant.dropped,
                "actions_not_covered": [action.key for action in blocked],
                "patient": grant.tokens.context.get("patient"),
                "refreshable": grant.tokens.refresh_token is not None,
            }
        )
        return
    output.say(f"Connected to {connection.fhir_base_url}.")
    output.say(f"Granted: {len(grant.asked) - len(grant.dropped)} of {len(grant.asked)} scopes.")
    if grant.dropped:
        output.say(f"Not granted: {', '.join(grant.dropped)}")
    if blocked:
        output.say(f"These actions will not work: {', '.join(a.key for a in blocked)}")
    if grant.tokens.refresh_token is None and connection.level != "system":
        output.say("There is no refresh token (offline_access): it ends with the access token.")
    if kept:
        output.say(f'Kept as "{connection.id}". Try it:')
        output.say(
            f"  practicefusion actions run search_patients -p page_size=5 "
            f"--connection {connection.id}"
        )
