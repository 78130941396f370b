"""`practicefusion medfusion invite`: patients of a CSV file, or of a Practice Fusion search."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from practicefusion_connector.cli import output
from practicefusion_connector.cli.medfusion import connection_option, ledger_option
from practicefusion_connector.cli.medfusion_sessions import bar, opened
from practicefusion_connector.errors import InvalidInput

if TYPE_CHECKING:
    from practicefusion_connector.medfusion.client import Medfusion
    from practicefusion_connector.medfusion.models import Patient

# So many lines are shown whole; of more, those that did not go well.
_FEW = 30
_GOOD = frozenset({"processed", "accepted", "already_invited"})
_STATES = {"completed": "processed", "failed": "failed"}


@dataclass(slots=True)
class Line:
    """One line of the report.

    Attributes:
        row: in the CSV file, or among the patients found.
        why: what went wrong, or what to do; of a failed one the portal's own words.
    """

    row: int
    practice_patient_id: str | None
    outcome: str
    why: str | None = None


@click.command()
@click.option(
    "--csv", "file", type=click.Path(dir_okay=False, path_type=Path), help="Patients, one a row."
)
@click.option(
    "--find",
    "criteria",
    metavar="NAME=VALUE",
    multiple=True,
    help="Search Practice Fusion for whom to invite; repeat to narrow it.",
)
@click.option(
    "--practice",
    metavar="NAME",
    default="default",
    help="The Practice Fusion connection to search.",
)
@click.option("--all", "several", is_flag=True, help="Invite all that --find finds.")
@click.option("--email", metavar="ADDRESS", help="For a patient found without an e-mail address.")
@connection_option
@ledger_option
@click.option("--skip-invalid", is_flag=True, help="Invite the good rows, report the others.")
@click.option("--again", is_flag=True, help="Invite even who was, or may have been, invited.")
@click.option(
    "--wait",
    "seconds",
    type=click.FloatRange(min=0),
    default=600,
    show_default=True,
    help="Seconds to wait for the portal's processing; 0 does not.",
)
@click.option(
    "--interval",
    type=click.FloatRange(min=0.01),
    default=60,
    show_default=True,
    help="Seconds between two questions about a batch.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write one JSON line for each patient to this file.",
)
@output.json_option
def invite(
    file: Path | None,
    criteria: tuple[str, ...],
    connection: str,
    ledger: Path | None,
    skip_invalid: bool,
    again: bool,
    seconds: float,
    interval: float,
    report: Path | None,
    as_json: bool,
    **search: Any,
) -> None:
    """Invite patients to the portal, from a CSV file or from a Practice Fusion search.

    Every row is checked before the first is sent; what is wrong is told by row and column. The
    columns are in docs/medfusion.md. Nobody is invited twice without --again.
    """
    if (file is None) == (not criteria):
        raise click.UsageError("Give --csv FILE, or --find NAME=VALUE")
    with opened(connection, ledger) as (portal, _):
        if file is not None:
            lines, patients = _from_file(file, skip_invalid=skip_invalid)
        else:
            lines, patients = _from_search(criteria, **search)
        _invite(portal, patients, lines, again=again, quiet=as_json)
        if seconds:
            _wait(portal, lines, seconds, interval, quiet=as_json)
    _put(lines, report, as_json=as_json)
    if not all(line.outcome in _GOOD for line in lines):
        click.get_current_context().exit(output.FAILED)


def _from_file(file: Path, *, skip_invalid: bool) -> tuple[list[Line], list[Patient]]:
    from practicefusion_connector.medfusion.patient_file import read_rows, refusal

    rows = read_rows(file)
    refused = refusal(rows)
    if refused and not skip_invalid:
        raise refused
    if not rows:
        raise InvalidInput("The CSV file holds no patients.")
    lines = []
    for row in rows:
        why = "; ".join(f"{column} {message}" for column, message in row.problems) or None
        own_id = row.patient.practice_patient_id if row.patient else None
        lines.append(Line(row.number, own_id, "invalid" if why else "", why))
    return lines, [row.patient for row in rows if row.patient]


def _from_search(
    criteria: Sequence[str], practice: str, several: bool, email: str | None
) -> tuple[list[Line], list[Patient]]:
    from practicefusion_connector.cli import sessions
    from practicefusion_connector.medfusion.invitation import invitation

    if not all("=" in pair for pair in criteria):
        raise click.UsageError("--find takes NAME=VALUE")
    inputs = dict(pair.split("=", 1) for pair in criteria)
    with sessions.connected(practice) as pf:
        found = list(pf.iterate("search_patients", inputs))
    if not found or (len(found) > 1 and not several):
        raise InvalidInput(
            f"The search finds {len(found)} patients; narrow it to one, or say --all."
            if found
            else "The search finds no patient."
        )
    if email:
        if len(found) > 1:
            raise click.UsageError("--email goes with one patient")
        known = found[0].get("telecom") or []
        found[0] = found[0] | {"telecom": [{"system": "email", "value": email}, *known]}
    patients = [invitation(resource) for resource in found]
    ids = (patient.practice_patient_id for patient in patients)
    return [Line(number, own_id, "") for number, own_id in enumerate(ids, start=1)], patients


def _invite(
    portal: Medfusion,
    patients: Sequence[Patient],
    lines: Sequence[Line],
    *,
    again: bool,
    quiet: bool,
) -> None:
    with bar(len(patients), "Inviting", quiet=quiet) as moved:
        rows, warnings = portal.invite(patients, again=again, progress=moved)
    for warning in warnings:
        output.note(f"warning: {warning.code}: {warning.message}")
    sent = {row.practice_patient_id: row for row in rows}
    for line in lines:
        if line.practice_patient_id in sent:
            row = sent[line.practice_patient_id]
            line.outcome, line.why = row.outcome, row.problem


def _wait(
    portal: Medfusion, lines: Sequence[Line], seconds: float, interval: float, *, quiet: bool
) -> None:
    waiting = {line.practice_patient_id: line for line in lines if line.outcome == "accepted"}
    known = portal.ledger.entries()
    urls = [known[own_id].status_url for own_id in waiting if own_id]
    asked = list(dict.fromkeys(url for url in urls if url))
    with bar(len(waiting), "Processing", quiet=quiet) as moved:
        found = portal.watch(asked, interval=interval, timeout=seconds, progress=moved)
    for status in found:
        for message, own_id in zip(status.messages, status.patients, strict=True):
            if own_id in waiting and message.state in _STATES:
                line = waiting[own_id]
                line.outcome, line.why = _STATES[message.state], message.error


def _put(lines: Sequence[Line], report: Path | None, *, as_json: bool) -> None:
    rows = [
        {"row": one.row, "patient": one.practice_patient_id, "outcome": one.outcome, "why": one.why}
        for one in lines
    ]
    if report:
        from practicefusion_connector.files import replace_file

        replace_file(report, b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    counted = Counter(line.outcome for line in lines)
    if as_json:
        output.put_json({"outcomes": dict(sorted(counted.items())), "rows": rows})
        return
    shown = rows if len(rows) <= _FEW else [r for r in rows if r["outcome"] not in _GOOD]
    if shown:
        output.put_table(
            ["Row", "Patient", "Outcome", "Why"], [tuple(row.values()) for row in shown]
        )
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counted.items()))
    output.say(f"{told.replace('_', ' ')}.")
