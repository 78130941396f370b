"""`practicefusion sandbox`: a practice on this machine, until it is stopped."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from practicefusion_connector.cli import output
from practicefusion_connector.errors import InvalidConfig, InvalidInput

if TYPE_CHECKING:
    from practicefusion_connector.sandbox import Sandbox


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Where to listen; left out or 0, a free port.",
)
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Serve the FHIR files in this folder instead of invented people.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Which invented people.")
@click.option(
    "--patients", type=click.IntRange(min=1), default=20, show_default=True, help="How many."
)
@click.option(
    "--faults",
    metavar="PROFILE",
    help="Misbehave on purpose: rate-limited, unreliable, hostile, chaos, …",
)
@output.json_option
def sandbox(
    port: int, data: Path | None, seed: int, patients: int, faults: str | None, as_json: bool
) -> None:
    """Serve a practice on 127.0.0.1 until Ctrl-C.

    It stands in for a real practice: FHIR R4, SMART on FHIR with pages to sign in and consent on.
    With --json its addresses and credentials come as one line once it is ready.
    """
    try:
        from practicefusion_connector.sandbox import Sandbox
    except ImportError as error:
        raise InvalidConfig(
            f"The sandbox needs a library that is not installed ({error.name}): "
            "pip install 'practicefusion-connector[all]'"
        ) from error
    _refuse_taken(port)
    stopped = Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stopped.set())
    try:
        made = Sandbox(port=port, data=data, seed=seed, patients=patients, faults=faults)
    except ValueError as error:
        refused = {"path": "faults", "message": "is no fault profile"}
        raise InvalidInput(str(error), problems=[refused]) from None
    with made as practice:
        for problem in practice.data_problems:
            output.note(f"warning: {output.plain(problem.file)}: {output.plain(problem.reason)}")
        if as_json:
            output.put_json(_described(practice))
        else:
            _show(practice)
        stopped.wait()


def _refuse_taken(port: int) -> None:
    """Say that a port is taken before the server library does, which ends the process itself."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InvalidConfig(
                f"Port {port} cannot be listened on ({error.strerror}); --port 0 takes a free one."
            ) from None


def _described(practice: Sandbox) -> dict[str, Any]:
    return {
        "origin": practice.origin,
        "fhir_base_url": practice.fhir_base_url,
        "smart_configuration": f"{practice.fhir_base_url}/.well-known/smart-configuration",
        "client_id": practice.client_id,
        "client_secret": practice.client_secret,
        "public_client_id": practice.public_client_id,
        "backend_client_id": practice.backend_client_id,
        "backend_client_secret": practice.backend_client_secret,
        "users": practice.users,
        "portal": {
            "server": practice.origin,
            "practice_id": practice.portal.practice_id,
            "application_token": practice.portal.application_token,
            "username": practice.portal.username,
            "password": practice.portal.password,
            "outbox": f"{practice.origin}/portal/outbox",
        },
        "resources": {kind: len(held) for kind, held in sorted(practice.resources.items())},
    }


def _show(practice: Sandbox) -> None:
    output.put_table(
        ["A practice on this machine", ""],
        [
            ("Pages", practice.origin),
            ("FHIR base URL", practice.fhir_base_url),
            ("Application with a secret", practice.client_id),
            ("Its secret", practice.client_secret),
            ("Application without one", practice.public_client_id),
            ("Backend application", practice.backend_client_id),
            ("Its secret", practice.backend_client_secret),
            ("Patient portal's outbox", f"{practice.origin}/portal/outbox"),
            ("Records", sum(map(len, practice.resources.values()))),
        ],
    )
    output.put_table(
        ["User", "Password", "Who"],
        [
            (user["username"], user["password"], f"{user['name']} ({user['role']})")
            for user in practice.users
        ],
    )
    output.say("Try, in another terminal:")
    output.say(
        f"  practicefusion connect --name sandbox --public --client-id {practice.public_client_id} "
        f"--fhir-base-url {practice.fhir_base_url}"
    )
    output.say("  practicefusion actions run search_patients --connection sandbox")
    output.say("Ctrl-C stops it.")
