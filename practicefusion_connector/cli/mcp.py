"""`practicefusion mcp`: the actions as tools for a model's host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from practicefusion_connector import settings
from practicefusion_connector.cli import output, sessions
from practicefusion_connector.connector import PracticeFusion
from practicefusion_connector.errors import InvalidConfig

_EXAMPLES = """\b
Examples:
  practicefusion mcp --connection clinic
  practicefusion mcp --sandbox --http 127.0.0.1:8765
"""


@click.command(epilog=_EXAMPLES)
@click.option("--connection", metavar="NAME", help="A stored connection [default: default].")
@click.option("--sandbox", is_flag=True, help="A sandbox practice, started for this server.")
@click.option("--http", metavar="HOST:PORT", help="Streamable HTTP instead of stdio.")
@click.option(
    "--token-env", metavar="VAR", help="The variable with the bearer token that clients send."
)
@click.option(
    "--allowed-host",
    "allowed_hosts",
    metavar="NAME",
    multiple=True,
    help="A name under which clients reach the server; repeat for more.",
)
@click.option(
    "--output-bytes",
    type=click.IntRange(min=1000),
    default=64_000,
    show_default=True,
    help="How large a result may be where the model asks for no other size.",
)
def mcp(
    connection: str | None,
    sandbox: bool,
    http: str | None,
    token_env: str | None,
    allowed_hosts: tuple[str, ...],
    output_bytes: int,
) -> None:
    """Serve the actions as tools over the Model Context Protocol.

    The host starts it and talks over stdio, or reaches it with --http. The practice is the one
    named here; a model cannot choose another. Beyond this machine --token-env is required.
    """
    if connection and sandbox:
        raise click.UsageError("Give one of --connection and --sandbox")
    if not http and (token_env or allowed_hosts):
        raise click.UsageError("--token-env and --allowed-host go with --http")
    try:
        from practicefusion_connector import mcp as face
    except ImportError as error:
        raise InvalidConfig(
            f"The MCP server needs a library that is not installed ({error.name}): "
            "pip install 'practicefusion-connector[mcp]'"
        ) from error
    address = _address(http) if http else None
    token = settings.secret(token_env) if token_env else None
    with _opened(connection or "default", sandbox) as pf:
        server = face.server(pf, output_bytes=output_bytes)
        if address is None:
            face.serve_stdio(server)
        else:
            face.serve_http(server, *address, token=token, allowed_hosts=allowed_hosts, ready=_tell)


@contextmanager
def _opened(connection: str, sandbox: bool) -> Iterator[PracticeFusion]:
    if sandbox:
        with sessions.in_sandbox() as (_, pf):
            yield pf
    else:
        with sessions.connected(connection) as pf:
            yield pf


def _address(http: str) -> tuple[str, int]:
    host, _, port = http.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise click.UsageError("--http takes HOST:PORT, such as 127.0.0.1:8765")
    return host.strip("[]"), int(port)


def _tell(url: str) -> None:
    # On stderr, where hosts look for what a server says.
    output.note(f"Serving {url}")
