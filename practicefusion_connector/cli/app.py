"""The root command: which commands there are, and what an error becomes.

Commands are imported when they are run, so that `practicefusion --help` costs nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from practicefusion_connector.cli import output
from practicefusion_connector.errors import (
    ConnectorError,
    InternalError,
    InvalidInput,
    UpstreamUnavailable,
)

_EPILOG = """\b
Exit codes:
  0  it worked
  1  an action failed: no such record, or the server refused it
  2  wrong usage or invalid input; nothing was sent
  3  authorization is needed: connect again, or ask for access
  4  the server or the network failed; try again later

Errors are one line on stderr; with --json the same as a JSON object.
"""
_INTERRUPTED = 130
# What libraries raise whose database is away; by name, as most commands import none of them.
_AWAY = frozenset(
    {
        "sqlalchemy.exc.OperationalError",
        "redis.exceptions.ConnectionError",
        "redis.exceptions.TimeoutError",
    }
)


class LazyGroup(click.Group):
    """A group whose commands are imported when asked for.

    Args:
        homes: by command, the module and the name in it, and what the help says.
    """

    def __init__(self, *args: Any, homes: Mapping[str, tuple[str, str]], **extra: Any) -> None:
        super().__init__(*args, **extra)
        self._homes = homes

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order they are declared."""
        return list(self._homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, or `None` where there is none of this name."""
        if cmd_name not in self._homes:
            return None
        module, _, name = self._homes[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name, (_, says) in self._homes.items()])


class Root(LazyGroup):
    """The root group: what any command raises ends as one line and an exit code."""

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run the command and leave the process with its exit code."""
        given = sys.argv[1:] if args is None else list(args)
        as_json = "--json" in given
        extra["standalone_mode"] = False
        try:
            ended = super().main(given, prog_name or "practicefusion", **extra)
            code = ended if isinstance(ended, int) else 0
        except click.Abort:
            code = _INTERRUPTED
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except click.ClickException as error:
            code = output.tell(_misuse(error), as_json=as_json, advice="")
        except ConnectorError as error:
            code = output.tell(error, as_json=as_json)
        except Exception as error:
            code = output.tell(_away(error) or _defect(error), as_json=as_json)
        sys.exit(code)


def _misuse(error: click.ClickException) -> ConnectorError:
    ctx = getattr(error, "ctx", None)
    hint = f" See {ctx.command_path} --help." if ctx else ""
    return InvalidInput(error.format_message().rstrip(".") + "." + hint)


def _away(error: Exception) -> ConnectorError | None:
    """Say that a database is away, where that is it; the library's text may hold its address."""
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    if not names & _AWAY:
        return None
    return UpstreamUnavailable(
        "The database of the store, or of the history, cannot be used: see whether it answers and "
        "takes this account."
    )


def _defect(error: Exception) -> ConnectorError:
    """Say where a defect is; its text may hold anything, so it is not shown."""
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f"{place.tb_frame.f_globals.get('__name__')}:{place.tb_lineno}" if place else "unknown"
    return InternalError(f"{type(error).__name__} at {where}.")


_PACKAGE = "practicefusion_connector.cli"

app = Root(
    name="practicefusion",
    help="Practice Fusion's FHIR API as ready actions, with a sandbox practice to try them on.",
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
    homes={
        "demo": (f"{_PACKAGE}.demo:demo", "Watch all 33 actions run against a local practice."),
        "actions": (f"{_PACKAGE}.actions:actions", "List, explain and run actions."),
        "connect": (f"{_PACKAGE}.connect:connect", "Authorize a connection to a practice."),
        "connections": (f"{_PACKAGE}.connections:connections", "List and remove connections."),
        "disconnect": (f"{_PACKAGE}.disconnect:disconnect", "Revoke and forget a connection."),
        "doctor": (f"{_PACKAGE}.doctor:doctor", "Say what works and what does not, and why."),
        "history": (f"{_PACKAGE}.history:history", "Show the last runs, refreshes and waits."),
        "practices": (f"{_PACKAGE}.practices:practices", "Find a practice in the directory."),
        "keys": (f"{_PACKAGE}.keys:keys", "Keys of a backend application."),
        "catalog": (f"{_PACKAGE}.catalog:catalog", "Show the catalog, or export it for a host."),
        "mcp": (f"{_PACKAGE}.mcp:mcp", "Serve the actions to agents over MCP."),
        "sync": (f"{_PACKAGE}.sync:sync", "Keep a practice's records in step with a target."),
        "medfusion": (
            f"{_PACKAGE}.medfusion:medfusion",
            "Invite patients to a portal, follow them.",
        ),
        "sandbox": (f"{_PACKAGE}.sandbox:sandbox", "Serve a practice on this machine."),
    },
)
click.version_option(package_name="practicefusion-connector")(app)
