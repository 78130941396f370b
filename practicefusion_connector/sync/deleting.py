"""What is gone at the source goes at the target: named by an export, or missing from a full one.

It knows no export; it is given what is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import groupby, islice
from threading import Event

from practicefusion_connector.errors import Cancelled
from practicefusion_connector.sync.items import Key, Refusal
from practicefusion_connector.sync.runs import STOPPED
from practicefusion_connector.sync.state.state import State
from practicefusion_connector.sync.targets.base import Target, dependency_order

_AT_ONCE = 200


class Deleter:
    """Deletes at one target what is gone at the source, for one run.

    Args:
        cancel: ends the deleting between two batches with `Cancelled`; what is done is noted.
    """

    def __init__(self, state: State, target: Target, run: int, cancel: Event) -> None:
        self._state = state
        self._target = target
        self._run = run
        self._cancel = cancel

    def named(self, keys: Iterable[Key], scope: str) -> dict[str, Counter[str]]:
        """Delete what an export names as deleted, and return the counts by type.

        What this run has brought is not deleted: it was deleted before and is there again. What
        the target was never given needs no deletion, and waits in quarantine no longer.
        """
        counts: dict[str, Counter[str]] = {}
        rest = iter(keys)
        while chunk := sorted(set(islice(rest, _AT_ONCE)), key=_referrers_first):
            brought = self._state.memory.met(self._run, chunk)
            there = [pair for pair in self._remembered(chunk) if pair[0] not in brought]
            self._state.gone(self._run, sorted(set(chunk) - {key for key, _ in there}))
            for kind, number in self._delete(there, scope).items():
                counts.setdefault(kind, Counter()).update(number)
        return counts

    def missing(self, resource_type: str, *, apply: bool, scope: str = "full") -> Counter[str]:
        """Count, or delete, what a full export of a type had no longer.

        What waits in quarantine since an earlier run, and was not met again, is gone as well.
        """
        self._state.outdated(self._run, resource_type)
        counts: Counter[str] = Counter()
        after = ""
        while gone := self._state.memory.unseen(self._run, resource_type, after, _AT_ONCE):
            after = gone[-1][0].id
            if apply:
                counts.update(self._delete(gone, scope).get(resource_type, Counter()))
            else:
                counts["missing"] += len(gone)
        return counts

    def _remembered(self, keys: list[Key]) -> list[tuple[Key, str | None]]:
        found: dict[Key, str | None] = {}
        for kind, group in groupby(keys, key=lambda key: key.type):
            for source_id, known in self._state.memory.known(kind, (k.id for k in group)).items():
                found[Key(kind, source_id)] = known.target_id
        return [(key, found[key]) for key in keys if key in found]

    def _delete(self, pairs: list[tuple[Key, str | None]], scope: str) -> dict[str, Counter[str]]:
        if self._cancel.is_set():
            raise Cancelled(STOPPED)
        counts: dict[str, Counter[str]] = {}
        done: list[Key] = []
        refused: list[Refusal] = []
        answers = self._target.delete(pairs) if pairs else ()
        for (key, _), what in zip(pairs, answers, strict=True):
            failed = what.status == "failed"
            counts.setdefault(key.type, Counter())["failed" if failed else "deleted"] += 1
            if failed:
                refused.append(Refusal(*key, "deleted", 0, what.code, what.http_status))
            else:
                done.append(key)
        self._state.deleted(self._run, scope, done, refused)
        return counts


def _referrers_first(key: Key) -> tuple[int, str, str]:
    place, name = dependency_order(key.type)
    return -place, name, key.id
