"""`practicefusion demo`: every action against a practice on this machine, over real HTTP."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from practicefusion_connector.cli import output, readable
from practicefusion_connector.cli.sessions import in_sandbox
from practicefusion_connector.cli.tour import Outcome, Tour
from practicefusion_connector.connector import PracticeFusion

_PATIENT = ("name", "mrn", "birth_date", "gender", "address", "phone", "language")
_NEXT = (
    ("practicefusion actions list", "all actions"),
    ("practicefusion actions show search_observations", "what one takes"),
    ("practicefusion actions run search_patients --sandbox", "run one"),
    ("practicefusion sandbox", "a practice to open in a browser"),
    ("practicefusion connect --help", "your own practice"),
)


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Serve the FHIR files (Bundles, resources, NDJSON) in this folder.",
)
@click.option(
    "--medfusion", is_flag=True, help="Show the patient portal instead: invite, register, follow."
)
@click.option("--sync", is_flag=True, help="Show a sync into DuckDB instead: three runs of it.")
@click.option(
    "--to",
    metavar="TARGET",
    help="With --sync: duckdb:FILE, or the base URL of a FHIR server that wants no token.",
)
@output.json_option
@click.pass_context
def demo(
    ctx: click.Context,
    data: Path | None,
    medfusion: bool,
    sync: bool,
    to: str | None,
    as_json: bool,
) -> None:
    """Watch all 33 actions run against a practice on this machine.

    Starts a sandbox practice, signs in on its pages as a provider, gets a token by the
    authorization-code grant with PKCE, and runs each core action over HTTP: the searches with
    inputs that should find something, then each get with an id they found.

    With --data the practice serves your files. Of a type they do not hold, a search must answer
    that there is none, and a get that there is no such record; both then count as ok, with count 0.
    Of a type they do hold, finding none is a failure.

    With --json one object goes to stdout: {"actions": [{"key", "ok", "count", "ms"}, …]}. The exit
    code is 1 if any action fails.
    """
    if to is not None and not sync:
        raise click.UsageError("--to goes with --sync.")
    if medfusion and sync:
        raise click.UsageError("Give one of --medfusion and --sync.")
    if medfusion:
        from practicefusion_connector.cli.medfusion_demo import show_medfusion_demo

        ctx.exit(show_medfusion_demo(as_json=as_json))
    if sync:
        from practicefusion_connector.cli import sync_demo
        from practicefusion_connector.cli.sync_showing import told

        quiet = as_json or not output.console(stderr=True).is_terminal
        with told(quiet=quiet) as progress:
            found = sync_demo.run_sync_demo(data, to=to, progress=progress)
        if as_json:
            output.put_json(found)
        else:
            sync_demo.show(found, to)
        ctx.exit(0 if sync_demo.worked(found) else output.FAILED)
    started = time.perf_counter()
    with in_sandbox(data) as (sandbox, pf):
        tour = Tour(pf, sandbox.resources, samples=data is None)
        outcomes = _watched(tour, len(pf.registry.core()), quiet=as_json)
        for outcome in outcomes:
            if not outcome.ok:
                why = output.sentence(outcome.error) if outcome.error else outcome.says
                output.note(f"{outcome.key}: {why}")
        if as_json:
            output.put_json({"actions": [_entry(outcome) for outcome in outcomes]})
        else:
            if sandbox.data_problems:
                output.note(f"Parts of the data left out: {len(sandbox.data_problems)}.")
            _show(outcomes, time.perf_counter() - started)
            _show_patient(pf, tour)
            _show_next()
    if not all(outcome.ok for outcome in outcomes):
        ctx.exit(output.FAILED)


def _entry(outcome: Outcome) -> dict[str, Any]:
    return {"key": outcome.key, "ok": outcome.ok, "count": outcome.count, "ms": outcome.ms}


def _watched(tour: Tour, expected: int, *, quiet: bool) -> list[Outcome]:
    """Run the tour with a progress bar, where somebody watches."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = output.console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    hidden = quiet or not console.is_terminal
    outcomes = []
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task("", total=expected)
        for outcome in tour.outcomes():
            outcomes.append(outcome)
            progress.update(task, advance=1, description=outcome.key)
    return outcomes


def _show(outcomes: list[Outcome], seconds: float) -> None:
    good = sum(outcome.ok for outcome in outcomes)
    output.put_table(
        ["Action", "Result", "Time"],
        [
            (
                outcome.key,
                output.styled(
                    outcome.says if outcome.ok else f"failed: {outcome.says}",
                    "green" if outcome.ok else "bold red",
                ),
                f"{outcome.ms:.0f} ms",
            )
            for outcome in outcomes
        ],
        title="33 actions against a local practice",
    )
    output.say(f"{good} of {len(outcomes)} actions ok, in {seconds:.1f} s with all the set-up.")


def _show_patient(pf: PracticeFusion, tour: Tour) -> None:
    """Show the patient the searches found most about."""
    if not tour.patients:
        return
    patient, found = max(tour.patients.items(), key=lambda known: len(known[1]))
    resource = pf.run("get_patient", {"id": patient}).resource
    counts = ", ".join(f"{kind} {count}" for kind, count in sorted(found.items()))
    facts = readable.facts(resource, _PATIENT)
    output.put_table(["One patient", ""], [*facts, ("Found above", counts)])


def _show_next() -> None:
    output.say("Try next:")
    width = max(len(command) for command, _ in _NEXT)
    for command, says in _NEXT:
        output.say(f"  {command:<{width}}  {says}")
