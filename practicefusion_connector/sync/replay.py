"""What was refused, tried again: once its cause is mended, at the target or in the data.

It goes over the same target and memory as a run; it knows no source.
"""

from __future__ import annotations

from collections import Counter

from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.sync.engine import Sync
from practicefusion_connector.sync.items import Applied, Item, Key, Unusable, read_item
from practicefusion_connector.sync.runs import Refused
from practicefusion_connector.sync.state.state import State
from practicefusion_connector.sync.targets.base import dependency_order

_AT_ONCE = 100


def replay_quarantine(sync: Sync) -> Counter[str]:
    """Apply what is in quarantine, and move the watermarks that waited for it alone.

    Returns the counts of what was created, updated, deleted and failed again.

    Raises:
        InvalidInput: the target takes whole files.
        SyncBusy: another process runs this sync.
        ConnectorError: the target as a whole fails.
    """
    if sync.target.whole_files:
        raise InvalidInput(
            "A folder of NDJSON takes files as they are, so there is nothing to try again: run the "
            "sync with --accept-quarantine to go on without what is in quarantine."
        )
    counts: Counter[str] = Counter()
    with sync.state.lock(), sync.opened():
        tried: set[str] = set()
        after = 0
        while page := sync.state.quarantine.rows(after, _AT_ONCE):
            after = page[-1].id
            tried.update(row.type for row in page)
            counts.update(_applied(sync, page))
        sync.target.finish(sync.state.ledger.newest(), lambda _: None)
        _settle(sync.state, tried)
    return counts


def _applied(sync: Sync, page: list[Refused]) -> Counter[str]:
    """Try a page of the quarantine again; what works leaves it."""
    counts: Counter[str] = Counter()
    items: dict[str, list[tuple[Refused, Item]]] = {}
    for row in page:
        if row.body is None:
            counts.update(_deleted(sync, row))
            continue
        try:
            item = read_item(row.line, row.body, whole=sync.target.keeps_versions)
        except Unusable:
            counts["failed"] += 1
            continue
        items.setdefault(item.key.type, []).append((row, item))
    for kind in sorted(items, key=dependency_order):
        listed = [item for _, item in items[kind]]
        # Whoever replays has looked at what was in doubt.
        sync.state.allow([item.key for item in listed])
        answers = sync.target.apply(kind, listed)
        counts.update(what.status for what in answers)
        applied = list(zip(listed, answers, strict=True))
        sync.state.remember(sync.state.ledger.newest(), applied)
    return counts


def _deleted(sync: Sync, row: Refused) -> Counter[str]:
    key = Key(row.type, row.source_id or "")
    known = sync.state.memory.known(key.type, [key.id]).get(key.id)
    answers = sync.target.delete([(key, known.target_id)]) if known else [Applied("updated")]
    if answers[0].status == "failed":
        return Counter(failed=1)
    sync.state.deleted(0, row.scope, [key], [])
    return Counter(deleted=1)


def _settle(state: State, tried: set[str]) -> None:
    """Move the watermarks of types that are out of quarantine, where nothing else holds them."""
    out = tried - {kind for _, kind in state.quarantine.kinds()}
    waiting = [
        mark for mark in state.ledger.watermarks() if mark.held is not None and mark.type in out
    ]
    lacking = _lacking(state, {(mark.scope, mark.type) for mark in waiting})
    moved = [
        (mark.scope, mark.type, mark.held or "", False)
        for mark in waiting
        if (mark.scope, mark.type) not in lacking
    ]
    state.move(moved, {})


def _lacking(state: State, asked: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return those types of scopes whose last export is known to lack something, or is not known.

    Not moving a watermark loses nothing: the next run exports the type again.
    """
    found: set[tuple[str, str]] = set()
    for run in state.ledger.completed():
        for part in run.document.parts:
            exported = {(part.scope, kind) for kind in part.exported} & asked
            found |= {each for each in exported if not part.sound(each[1])}
            asked = asked - exported
        if not asked:
            break
    return found | asked
