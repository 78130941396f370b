"""The end of a run: what it did, and which watermarks move.

A watermark moves when everything of its export is applied; where something was refused, or the
export itself was not sound, it waits until somebody consents to go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from practicefusion_connector.sync.loading import SyncFile
from practicefusion_connector.sync.planning import SyncPlan
from practicefusion_connector.sync.reports.report import SyncReport
from practicefusion_connector.sync.runs import Run
from practicefusion_connector.sync.state.state import State


def report_of(
    run: Run, state: State, target: str, files: Iterable[SyncFile], *, resumed: bool
) -> SyncReport:
    """Return the report of a run whose files are applied."""
    parts = run.document.parts
    report = SyncReport(
        sync=state.name,
        run=run.id,
        started=run.document.started,
        target=target,
        mode=",".join(sorted({part.mode for part in parts if part.mode})),
        full=all(part.since is None for part in parts),
        bytes=sum(file.bytes for part in parts for file in part.files),
        problems=sum(part.errors for part in parts),
        resumed=resumed,
    )
    for part in parts:
        for code, message in part.warnings:
            report.warn(code, message)
    for file in files:
        report.count(file.type, state.ledger.position(run.id, file.number)[1])
    return report


def move_watermarks(run: Run, plan: SyncPlan, state: State, report: SyncReport) -> None:
    """Move each type's watermark, unless something of it was refused without consent."""
    refused = state.quarantine.kinds(run.id)
    # What two scopes brought is in quarantine once, and so under one of them.
    kinds = {kind for _, kind in refused}
    # What a file held that was not asked for: which type's export it belongs to, nobody knows.
    asked = {(part.scope, kind) for part in run.document.parts for kind in part.exported}
    strayed = {scope for scope, _ in refused - asked}
    marks, held = [], set()
    for part in run.document.parts:
        instant = part.transaction_time or ""
        report.transaction_times[part.scope] = instant
        for kind in part.exported:
            hold = not part.sound(kind) or kind in kinds or part.scope in strayed
            hold = hold and not plan.accept_quarantine
            marks.append((part.scope, kind, instant, hold))
            if hold:
                held.add(kind)
    report.held = sorted(held)
    report.status = "incomplete" if held else "done"
    members = run.document.members if not held else {}
    state.move(marks, members, _owed(run, state, members))


def _owed(run: Run, state: State, members: Mapping[str, list[str]]) -> list[tuple[str, str]]:
    """Return what a group's new members are owed: types that this run did not export in full.

    Once they are noted as members, only a full export brings what they had before.
    """
    parts = run.document.parts
    full = {(part.scope, kind) for part in parts if part.since is None for kind in part.exported}
    joined = {scope for scope, now in members.items() if set(now) - state.ledger.members(scope)}
    marked = ((mark.scope, mark.type) for mark in state.ledger.watermarks())
    return [each for each in marked if each[0] in joined and each not in full]


def unreadable(run: Run, state: State) -> set[str]:
    """Return the types of lines without an id: what they were cannot be called missing."""
    return {kind for _, kind in state.quarantine.kinds(run.id, nameless=True)}
