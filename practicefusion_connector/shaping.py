"""Shaping: from what the server gave to the results a caller asked for.

The one place that knows the view, the validation and the size of results. A page that is too large
becomes several results, and the cursor of each says where the next begins, so that nothing is lost.
It sends nothing and knows no face.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from practicefusion_connector.errors import ActionWarning, InvalidResponse, ResponseTooLarge
from practicefusion_connector.fhir.cursor import Cursor
from practicefusion_connector.fhir.paging import Step
from practicefusion_connector.fhir.validation import Validate, validated, validator_for
from practicefusion_connector.registry import Request
from practicefusion_connector.result import Result
from practicefusion_connector.summaries import Row, summary_rows, summary_view
from practicefusion_connector.transport import Run

# What is sent may grow a little when it is written anew: numbers, escapes.
_SPARE = 2
_INDEX = re.compile(r"\[\d+\]")


class Shaping:
    """Makes the results of one request.

    Args:
        views: a folder with a user's own summary views.
        seal: writes a cursor as text.
        together: the results become one: they share `max_output_bytes` instead of having it each.

    Attributes:
        done: whether the caller has all that was asked for, or all that fits.
    """

    def __init__(
        self,
        request: Request,
        views: Path | None,
        seal: Callable[[Cursor], str],
        *,
        together: bool = False,
    ) -> None:
        self.done = False
        self._request = request
        self._views = views
        self._seal = seal
        self._together = together
        self._room = request.max_output_bytes
        self._left = request.max_items
        self._view = None
        self._notes: list[ActionWarning] = []
        if request.view == "summary":
            self._view = summary_view(request.action.resource, views)
            if self._view is None:
                self._notes.append(_without_view(request))

    def one(self, resource: dict[str, Any], run: Run) -> Result:
        """Return the result of a get.

        Raises:
            ResponseTooLarge: the resource is larger than `max_output_bytes`.
            InvalidResponse: it breaks FHIR R4's rules and validation is strict.
        """
        frame = self._frame([], run, list(run.warnings))
        result = self._filled(frame, [resource])
        if result is None:
            raise self._too_large(frame)
        return result

    def parts(self, step: Step, notes: list[ActionWarning]) -> Iterator[Result]:
        """Yield a page as the results that its size makes of it, the warnings with the first.

        Raises:
            ResponseTooLarge: not even one of its resources fits.
            InvalidResponse: a resource breaks FHIR R4's rules and validation is strict.
        """
        rest: Step | None = step
        while rest is not None and not self.done:
            frame = self._frame_of(rest, notes)
            result = self._filled(frame, rest.first(self._left)[0], rest.page.size)
            if result is None:
                # What was given before is the whole answer where the results become one.
                if self._together and self._room < self._request.max_output_bytes:
                    self.done = True
                    return
                raise self._too_large(frame)
            after = rest.first(len(result))[1]
            result = replace(result, next_cursor=self._seal(after) if after else None)
            rest = _behind(rest, len(result))
            self._account(result, cut=rest is not None)
            notes = []
            yield result

    def _account(self, result: Result, *, cut: bool) -> None:
        self._notes = []
        if self._left is not None:
            self._left -= len(result)
            self.done = self._left <= 0
        if self._together:
            self._room -= _size(result.to_dict())
            self.done = self.done or cut

    def _frame_of(self, step: Step, notes: list[ActionWarning]) -> Result:
        """Return a page's result without its resources, with room for the longest cursor."""
        # A page whose rest is read later gave its includes the first time.
        included = [] if step.place.skip else step.page.included
        cursors = [self._seal(_place(step, len(step.matches)))]
        if step.after is not None:
            cursors.append(self._seal(step.after))
        frame = self._frame(included, step.run, notes)
        return replace(frame, total=step.page.total, next_cursor=max(cursors, key=len))

    def _frame(
        self, included: list[dict[str, Any]], run: Run, notes: list[ActionWarning]
    ) -> Result:
        noted = [*notes, *self._notes]
        for resource in included:
            noted += [finding for finding in self._findings(resource) if finding not in noted]
        return Result(
            self._request.action.key,
            [],
            included,
            warnings=noted,
            trace=run.finish(),
            rows=None if self._view is None else [],
            views=self._views,
        )

    def _filled(
        self, frame: Result, resources: list[dict[str, Any]], sent: int | None = None
    ) -> Result | None:
        """Return the frame with as many of the resources as fit, `None` where it is too large.

        Where all the server `sent` (bytes) fits with room to spare, nothing is measured one by one.
        """
        room = self._room - _size(frame.to_dict())
        spacious = sent is not None and self._view is None and sent * _SPARE < room
        warnings = list(frame.warnings)
        kept: list[dict[str, Any]] = []
        rows: list[Row] = []
        for resource in resources:
            made, noted = self._rows(resource)
            new = [warning for warning in noted if warning not in warnings]
            unit = resource if self._view is None else made
            parts = (() if spacious else (unit,), (each._asdict() for each in new))
            room -= sum(_size(part) + 1 for part in chain(*parts))
            if room < 0:
                break
            kept.append(resource)
            rows += made
            warnings += new
        if room < 0 and not kept:
            return None
        filled = replace(frame, resources=kept, warnings=warnings)
        return filled if self._view is None else replace(filled, rows=rows)

    def _rows(self, resource: dict[str, Any]) -> tuple[list[Row], list[ActionWarning]]:
        """Return a resource's rows in the view, and what is odd about the resource."""
        noted = self._findings(resource)
        if self._view is None:
            return [], noted
        problems: list[Exception] = []
        rows = summary_rows(self._view, [resource], problems.append)
        return rows, [*noted, *(ActionWarning("summary", f"{each}.") for each in problems)]

    def _findings(self, resource: Mapping[str, Any]) -> list[ActionWarning]:
        validate = self._validator(resource)
        if validate is None:
            return self._unchecked(resource)
        findings = validate(resource)
        # Which of a list's items it is does not matter to whom a warning is for.
        found = dict.fromkeys((_INDEX.sub("[]", each.path), each.rule) for each in findings)
        if found and self._request.validation == "strict":
            raise InvalidResponse(
                f"A {resource['resourceType']} of the answer breaks FHIR R4's rules: "
                f"{'; '.join(f'{path} ({rule})' for path, rule in found)}.",
                problems=[{"path": path, "message": rule} for path, rule in found],
            )
        return [ActionWarning("validation", f"{path}: {rule}") for path, rule in found]

    def _unchecked(self, resource: Mapping[str, Any]) -> list[ActionWarning]:
        if self._request.validation != "strict":
            return []
        kind = resource["resourceType"]
        return [ActionWarning("not_validated", f"There is no R4 schema of {kind} to validate by.")]

    def _validator(self, resource: Mapping[str, Any]) -> Validate | None:
        wanted = self._request.validation
        if wanted == "none" or (wanted == "warn" and not _can_validate()):
            return None
        kind = resource["resourceType"]
        return validator_for(kind) if kind in validated() else None

    def _too_large(self, frame: Result) -> ResponseTooLarge:
        noun, limit = self._request.action.noun, self._request.max_output_bytes
        with_them = " with the resources that came along" if frame.included else ""
        smaller = ", or take the summary view" if self._view is None else ""
        return ResponseTooLarge(
            f"One {noun}{with_them} is larger than max_output_bytes ({limit}); raise it{smaller}."
        )


def _behind(step: Step, count: int) -> Step | None:
    """Return what a page still holds behind its first `count` matches."""
    if count >= len(step.matches):
        return None
    return replace(step, place=_place(step, count), matches=step.matches[count:])


def _place(step: Step, count: int) -> Cursor:
    return replace(step.place, skip=step.place.skip + count)


def _size(part: Any) -> int:
    return len(to_json(part))


@cache
def _can_validate() -> bool:
    return find_spec("jsonschema_rs") is not None


def _without_view(request: Request) -> ActionWarning:
    kind = request.action.resource
    return ActionWarning(
        "no_summary_view", f"There is no summary view of {kind}; the resources are given in full."
    )
