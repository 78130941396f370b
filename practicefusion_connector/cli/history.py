"""`practicefusion history`: the last runs, token refreshes and waits, and how it went over time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from practicefusion_connector import settings
from practicefusion_connector.cli import output
from practicefusion_connector.history import RunRecord, open_history
from practicefusion_connector.history.summary import (
    bars,
    held_up,
    over_time,
    refreshing,
    totals,
)

_SPANS = 40
# What the chart and the totals look back on.
_LOOK_BACK = 10_000


@click.command()
@click.option(
    "--source",
    metavar="FILE|URL",
    help="A file of JSON lines or a database, as in sqlite:///history.db.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many runs."
)
@output.json_option
def history(source: str | None, limit: int, as_json: bool) -> None:
    """Show the last runs, token refreshes and rate-limit waits.

    The record of a run holds counts, times and codes, and nothing of a patient.
    """
    with closing(open_history(source or settings.history_source())) as opened:
        records = opened.read(max(limit, _LOOK_BACK))
    if as_json:
        output.put_json(_described(records, limit))
    elif records:
        _show(records, limit)
    else:
        output.say("There are no runs in this history yet.")


def _described(records: Sequence[RunRecord], limit: int) -> dict[str, Any]:
    return {
        "totals": asdict(totals(records)),
        "over_time": [asdict(span) for span in over_time(records, _SPANS)],
        "runs": [record.to_dict() for record in records[-limit:]],
    }


def _show(records: Sequence[RunRecord], limit: int) -> None:
    _runs(records[-limit:])
    if found := refreshing(records)[-limit:]:
        output.put_table(
            ["When", "Connection", "Action", "Refreshes"],
            [(_when(r.at), r.connection_id, r.action, r.refreshes) for r in found],
            title="Token refreshes",
        )
    if waits := held_up(records)[-limit:]:
        output.put_table(
            ["When", "Connection", "Action", "Waits", "Seconds", "Outcome"],
            [
                (_when(r.at), r.connection_id, r.action, told["times"], told["seconds"], r.code)
                for r, told in waits
            ],
            title="Rate-limit waits",
        )
    _chart(records)


def _runs(records: Sequence[RunRecord]) -> None:
    rows = [
        (
            _when(record.at),
            record.connection_id,
            record.action,
            output.styled(record.code, "green" if record.code == "ok" else "red"),
            f"{record.duration_ms:.0f}",
            record.attempts,
            f"{record.waited:g}",
            record.pages,
            record.results,
        )
        for record in records
    ]
    columns = ["When", "Connection", "Action", "Outcome", "ms", "Requests", "Waited s", "Pages"]
    output.put_table([*columns, "Results"], rows, title="Runs")


def _chart(records: Sequence[RunRecord]) -> None:
    spans, sums = over_time(records, _SPANS), totals(records)
    lines = [
        ("Runs", bars([span.runs for span in spans]), sums.runs),
        ("Failures", bars([span.failures for span in spans]), sums.failures),
        ("Waits", bars([span.waited for span in spans]), f"{sum(sums.waited.values()):g} s"),
    ]
    output.put_table(
        ["", f"{_when(spans[0].begins)} – {_when(spans[-1].ends)}", "Sum"],
        [(name, _bar(drawn), total) for name, drawn, total in lines],
        title="Over time",
    )


def _bar(drawn: str) -> Any:
    # Not `output.styled`: its tidying would take the blanks out, and a blank is a time of nothing.
    from rich.text import Text

    return Text(drawn, style="cyan", no_wrap=True)


def _when(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
