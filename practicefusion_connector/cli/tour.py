"""Runs every core action once against a practice whose data is known, and judges the answers.

Searches come first, those outside a patient's compartment before the others, because they find the
ids the others need. What differs between resources comes from the registry. Knows no terminal.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from practicefusion_connector.connector import PracticeFusion
from practicefusion_connector.errors import ConnectorError, NotFound
from practicefusion_connector.registry import Action
from practicefusion_connector.result import Result

_PAGE_SIZE = 10
_PATIENTS_TRIED = 3

NONE_HELD = "none in this data"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one action went.

    Attributes:
        count: the resources that came back.
        ms: all the milliseconds it took, other inputs tried on the way included.
        says: the result in a few words, without PHI.
    """

    key: str
    ok: bool
    count: int
    ms: float
    says: str
    error: ConnectorError | None = None


@dataclass(slots=True)
class Tour:
    """One run through the core actions.

    Attributes:
        held: the ids the practice holds, by resource type: what an answer is judged by.
        samples: whether the actions' own sample inputs fit the data.
        ids: the ids found on the way, by resource type.
        patients: what the searches found for each patient: how many, by resource type.
    """

    pf: PracticeFusion
    held: Mapping[str, Collection[str]]
    samples: bool
    ids: dict[str, list[str]] = field(default_factory=dict)
    patients: dict[str, dict[str, int]] = field(default_factory=dict)

    def outcomes(self) -> Iterator[Outcome]:
        """Run the core actions one by one, searches before gets."""
        core = self.pf.registry.core()
        searches = [action for action in core if action.operation == "search"]
        for action in sorted(searches, key=lambda action: action.compartment is not None):
            yield self._timed(action)
        for action in core:
            if action.operation == "get":
                yield self._timed(action)

    def _timed(self, action: Action) -> Outcome:
        judge = self._get if action.operation == "get" else self._search
        started = time.perf_counter()
        error = None
        try:
            ok, count, says = judge(action)
        except ConnectorError as raised:
            ok, count, says, error = False, 0, raised.code, raised
        ms = round((time.perf_counter() - started) * 1000, 1)
        return Outcome(action.key, ok, count, ms, says, error)

    def _search(self, action: Action) -> tuple[bool, int, str]:
        result = self._found(action)
        count = len(result)
        if not count:
            expected = not self.held.get(action.resource)
            return expected, 0, NONE_HELD if expected else "found none of those there are"
        total = count if result.total is None else result.total
        return True, count, f"{count} found" if total <= count else f"{count} of {total}"

    def _found(self, action: Action) -> Result:
        """Return the first search that finds something, or the last one tried."""
        for inputs in self._inputs(action):
            result = self.pf.run(action.key, inputs)
            if result.resources:
                break
        self._remember(action, inputs, result)
        return result

    def _inputs(self, action: Action) -> list[dict[str, Any]]:
        """Return inputs worth trying, the most telling first."""
        tried: list[dict[str, Any]] = [action.sample] if self.samples else []
        compartment = action.named(action.compartment) if action.compartment else None
        if compartment:
            owners = [owner for kind in compartment.targets for owner in self.ids.get(kind, ())]
            tried += [
                {compartment.input: owner, "page_size": _PAGE_SIZE}
                for owner in owners[:_PATIENTS_TRIED]
            ]
        return [*tried, {"page_size": _PAGE_SIZE}]

    def _remember(self, action: Action, inputs: Mapping[str, Any], result: Result) -> None:
        found = [resource["id"] for resource in result.resources if resource.get("id")]
        self.ids.setdefault(action.resource, []).extend(found)
        owner = inputs.get(action.compartment or "")
        if found and owner:
            count = len(found) if result.total is None else result.total
            self.patients.setdefault(owner, {})[action.resource] = count

    def _get(self, action: Action) -> tuple[bool, int, str]:
        ids = self.ids.get(action.resource) or self._ids_by_extension(action.resource)
        if not ids and not self.held.get(action.resource):
            try:
                self.pf.run(action.key, action.sample)
            except NotFound:
                return True, 0, NONE_HELD
            return False, 1, "found although there is none"
        if not ids:
            return False, 0, "no search found its id"
        return True, len(self.pf.run(action.key, {"id": ids[0]})), "1 found"

    def _ids_by_extension(self, resource: str) -> list[str]:
        """Find ids of a type that no core action searches for."""
        for action in self.pf.registry:
            if action.extension and action.operation == "search" and action.resource == resource:
                self._found(action)
        return self.ids.get(resource, [])
