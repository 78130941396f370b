"""What helps where a sync fails in a way of its own: the advice of its error's code would not."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import click

from practicefusion_connector.cli import output
from practicefusion_connector.errors import ConnectorError
from practicefusion_connector.sync.config import WrongSettings
from practicefusion_connector.sync.past import NeverRun
from practicefusion_connector.sync.state.state import SyncBusy


class _Help(NamedTuple):
    """What to say in place of what the code says, and the exit code."""

    said: dict[str, Any]
    exit_code: int = output.MISUSED


_HELP: dict[type[ConnectorError], _Help] = {
    WrongSettings: _Help({"advice": "Correct the sync's settings."}),
    NeverRun: _Help(
        {"advice": "practicefusion sync run begins; see --to, --connection, --from and --folder."}
    ),
    SyncBusy: _Help(
        {
            "advice": "Wait until it has ended, or stop it; the next run goes on where it was.",
            "retryable": True,
            "remedy": "wait",
        },
        output.TROUBLE,
    ),
}


class SyncGroup(click.Group):
    """A group of commands whose errors say what helps with a sync."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        as_json = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except tuple(_HELP) as error:
            failed = error
        said, exit_code = next(to for kind, to in _HELP.items() if isinstance(failed, kind))
        if as_json:
            click.echo(json.dumps({**failed.to_dict(), **said}), err=True)
        else:
            output.note(f"{failed.code}: {output.sentence(failed, said['advice'])}")
        return ctx.exit(exit_code)
