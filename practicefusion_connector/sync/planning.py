"""What a run exports: everything for the first time, changes since the watermark afterwards.

Pure: from watermarks and wishes to the parts of a run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from practicefusion_connector.sync.runs import Part, Watermark


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What to sync.

    Attributes:
        scopes: `patient`, `group:<id>` (several in one sync) or `system`.
        types: resource types; none given, all the source has.
        full: export everything, whatever the watermarks say.
        delete_missing: on a full export, delete at the target what the source has no longer; else
            it is counted and reported.
        accept_quarantine: move the watermarks although something is in quarantine.
    """

    scopes: tuple[str, ...] = ("patient",)
    types: tuple[str, ...] = ()
    full: bool = False
    delete_missing: bool = False
    accept_quarantine: bool = False


def parts_of(
    plan: SyncPlan,
    types: Sequence[str],
    watermarks: Iterable[Watermark],
    newcomers: Mapping[str, bool],
) -> list[Part]:
    """Return the exports a run needs: types of a scope that share a watermark go together.

    Args:
        plan: what to sync.
        types: of the plan or, where it names none, of the source.
        watermarks: how far each scope and type is.
        newcomers: by scope, whether its group has members that it did not have; what changed
            before they joined lies before the watermark, so everything is exported.
    """
    reached = {(mark.scope, mark.type): mark.instant for mark in watermarks}
    parts: list[Part] = []
    for scope in plan.scopes:
        together: dict[str | None, list[str]] = {}
        for kind in sorted(set(types)):
            anew = plan.full or newcomers.get(scope, False)
            since = None if anew else reached.get((scope, kind))
            together.setdefault(since, []).append(kind)
        parts += [
            Part(scope=scope, types=tuple(together[since]), asked_since=since, since=since)
            for since in sorted(together, key=lambda instant: instant or "")
        ]
    return parts


def shelves(parts: Iterable[Part]) -> list[str]:
    """Return a folder for the files of each part: those of two parts of a scope share names."""
    met: Counter[str] = Counter()
    found = []
    for part in parts:
        name = part.scope.replace(":", "-")
        met[name] += 1
        found.append(name if met[name] == 1 else f"{name}/{met[name]}")
    return found


def wholly_exported(parts: Iterable[Part]) -> set[str]:
    """Return the types that every scope of the run exported in full and without trouble."""
    whole: dict[str, bool] = {}
    for part in parts:
        for kind in part.types:
            full = part.since is None and kind not in part.left_out and part.sound(kind)
            whole[kind] = whole.get(kind, True) and full
    return {kind for kind, full in whole.items() if full}
