"""`practicefusion sync`: run it, keep it running, look at it, mend it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any

import click

from practicefusion_connector import settings
from practicefusion_connector.cli import output
from practicefusion_connector.cli.sync_errors import SyncGroup
from practicefusion_connector.cli.sync_opening import opened, options, settings_of
from practicefusion_connector.cli.sync_showing import Lines, how_it_ended, logged, stoppable, told
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.sync.building import known_state, state_of
from practicefusion_connector.sync.past import ended
from practicefusion_connector.sync.replay import replay_quarantine
from practicefusion_connector.sync.reports.files import keep
from practicefusion_connector.sync.service import SyncService
from practicefusion_connector.sync.wiring import check_target

_EXAMPLES = """\b
Examples:
  practicefusion sync run --connection clinic --to duckdb:clinic.duckdb
  practicefusion sync run --config sync.toml --full
  practicefusion sync serve --config sync.toml

Settings come from --config (TOML), from PF_… variables and from options; each outranks the former.
"""


@click.group(cls=SyncGroup, epilog=_EXAMPLES)
def sync() -> None:
    """Keep a practice's whole record in step: in a FHIR server, tables or a folder."""


@sync.command()
@options
@click.option("--full", is_flag=True, help="Everything, not what changed.")
@click.option(
    "--accept-quarantine", is_flag=True, help="Move on although something is in quarantine."
)
@output.json_option
@click.pass_context
def run(
    ctx: click.Context, /, full: bool, accept_quarantine: bool, as_json: bool, **where: Any
) -> None:
    """Sync once: what changed since the last time, or everything the first time.

    A run that was cut off, or stopped with Ctrl-C, goes on where it was. The exit code is 1 where
    something is in quarantine and its watermarks wait.
    """
    read = settings_of(**where)
    with ExitStack() as stack:
        show = stack.enter_context(told(quiet=as_json))
        made = stack.enter_context(
            opened(read, show, full=full, accept_quarantine=accept_quarantine)
        )
        report = made.run(stack.enter_context(stoppable()))
        # Whoever stops it now has its report, all the same.
        data, page = keep(report, read.sync.folder)
    if as_json:
        output.put_json(report.to_dict())
    else:
        _show_report(report.to_dict())
        output.say(f"Report: {page or data}")
    if report.status != "done":
        ctx.exit(output.FAILED)


@sync.command()
@options
@output.json_option
def status(as_json: bool, **where: Any) -> None:
    """Show the watermarks, what the target holds, what is in quarantine, and the last run."""
    read = settings_of(**where)
    with known_state(read, policy_for=settings.policy, open_store=settings.store) as state:
        current, last = state.ledger.current(), next(iter(state.ledger.last()), None)
        found: dict[str, Any] = {
            "sync": state.name,
            "running_or_cut_off": current.phase if current else None,
            "reason": current.document.reason if current else None,
            "last": ended(last) if last else None,
            "types": state.memory.counts(),
            "watermarks": [mark._asdict() for mark in state.ledger.watermarks()],
            "quarantine": state.quarantine.counts(),
            "references_open": state.memory.waiting(),
        }
    if as_json:
        output.put_json(found)
        return
    output.put_table(
        ["Scope", "Type", "Synced up to", "Waits for consent"],
        [(m["scope"], m["type"], m["instant"], m["held"]) for m in found["watermarks"]],
        title=found["sync"],
    )
    output.put_table(["Type", "At the target"], sorted(found["types"].items()))
    for kind, codes in found["quarantine"].items():
        output.say(f"In quarantine: {kind}: {', '.join(f'{c} {n}' for c, n in codes.items())}")
    if last:
        output.say(how_it_ended(found["last"]))
    if current:
        begun = f"Run {current.id}, begun {current.document.started},"
        output.say(
            f"{begun} is under way or was cut off while {current.phase}; run goes on with it."
        )
        if current.document.reason:
            output.say(f"It stopped because: {current.document.reason}")


@sync.command()
@options
@click.option("--everything", is_flag=True, help="Forget what the target was given, too.")
def reset(everything: bool, **where: Any) -> None:
    """Forget the watermarks, so that the next run exports everything; of --type alone, if given.

    With --everything each resource is sent again as well. Nothing is deleted at the target. A run
    that was cut off is given up.
    """
    read = settings_of(**where)
    types = read.source.types
    with known_state(read, policy_for=settings.policy, open_store=settings.store) as state:
        with state.lock():
            state.reset(types, everything=everything)
        what = f"all of {', '.join(types)}" if types else "everything"
        output.say(f"The next run of {state.name} exports {what}.")


@sync.command("replay-quarantine")
@options
@output.json_option
@click.pass_context
def replay(ctx: click.Context, /, as_json: bool, **where: Any) -> None:
    """Try again what was refused; where nothing is left, the watermarks move."""
    read = settings_of(**where)
    with known_state(read, policy_for=settings.policy, open_store=settings.store):
        pass  # there is one
    with opened(read, None) as made:
        counts = dict(replay_quarantine(made))
        left = made.state.quarantine.counts()
    if as_json:
        output.put_json({"counts": counts, "quarantine": left})
    else:
        output.say(", ".join(f"{name} {n}" for name, n in counts.items()) or "Nothing was there.")
    if left:
        ctx.exit(output.FAILED)


@sync.command()
@options
@output.json_option
def serve(as_json: bool, **where: Any) -> None:
    """Run on the schedule of the settings until Ctrl-C, and tell health.

    Health is the file health.json in the folder and, over HTTP, GET /health; POST /run on this
    machine begins a run by hand. On SIGTERM the run under way stops at its next batch; the next
    one goes on from there.
    """
    from practicefusion_connector.sync.health_server import serving

    read = settings_of(**where)
    check_target(read.target.to)
    with ExitStack() as stack:
        stopped = stack.enter_context(stoppable())
        stack.enter_context(logged())
        service = SyncService(
            lambda noted: opened(read, noted),
            read.schedule,
            read.sync.folder,
            progress=Lines() if not as_json else None,
            open_state=lambda: state_of(
                read, policy_for=settings.policy, open_store=settings.store
            ),
        )
        address = None
        if read.health.port is not None:
            address = stack.enter_context(serving(service, read.health.host, read.health.port))
        service.start()
        if as_json:
            output.put_json({"health": address, "folder": str(read.sync.folder)})
        else:
            output.say(f"Health: {address or read.sync.folder / 'health.json'}. Ctrl-C stops it.")
        stopped.wait()
        service.stop()


@sync.command()
@options
@click.option("--once", is_flag=True, help="Show it once and end.")
def watch(once: bool, **where: Any) -> None:
    """Watch a served sync: what it does now, when it ran, when it runs next."""
    from rich.live import Live

    from practicefusion_connector.cli.sync_showing import health_table

    file = settings_of(**where).sync.folder / "health.json"
    stopped = Event()
    with Live(health_table(_read(file)), console=output.console(), refresh_per_second=2) as live:
        while not once:
            try:
                stopped.wait(1.0)
            except KeyboardInterrupt:
                break
            live.update(health_table(_read(file)))


def _read(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        pass
    else:
        return found
    raise InvalidInput("Nobody serves this sync; practicefusion sync serve begins to.")


def _show_report(report: dict[str, Any]) -> None:
    columns = ("created", "updated", "unchanged", "deleted", "failed", "missing")
    output.put_table(
        ["Type", *columns],
        [
            (kind, *(counts.get(name, 0) for name in columns))
            for kind, counts in sorted(report["types"].items())
        ],
        title=f"Run {report['run']}: {report['status']}",
    )
    for warning in report["warnings"]:
        output.note(f"warning: {warning['message']}")
    for kind in report["held"]:
        output.note(
            f"warning: {kind}: something was refused, its watermark waits; sync status shows it."
        )
