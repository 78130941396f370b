"""What an action gives back: plain data, warnings, and what happened on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from practicefusion_connector.errors import ActionWarning, InvalidConfig
from practicefusion_connector.transport.run import Trace

if TYPE_CHECKING:
    from practicefusion_connector.fhir.models import Models
    from practicefusion_connector.summaries import Row


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one action; its repr shows counts and no content.

    Attributes:
        resources: the resources found, as the server gave them; one for a get.
        included: resources that came along, such as Provenance.
        total: how many matches there are in all, where the server says so.
        next_cursor: where the search goes on, as an input of the same action; `None` at its end.
        warnings: what the caller should know that does not spoil the result.
        trace: attempts, waits, refreshes, pages, duration, the server's correlation ids.
        rows: the rows of the summary view, where it was asked for.
        views: the folder of the user's own views, where there is one.
    """

    action: str
    resources: list[dict[str, Any]] = field(repr=False)
    included: list[dict[str, Any]] = field(default_factory=list, repr=False)
    total: int | None = None
    next_cursor: str | None = field(default=None, repr=False)
    warnings: list[ActionWarning] = field(default_factory=list)
    trace: Trace = field(default_factory=Trace)
    rows: list[Row] | None = field(default=None, repr=False)
    views: Path | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.resources)

    @property
    def has_more(self) -> bool:
        """Whether the search goes on after these resources."""
        return self.next_cursor is not None

    @property
    def resource(self) -> dict[str, Any]:
        """The first resource: what a get asked for."""
        return self.resources[0]

    def models(self) -> Models:
        """Return the resources as `fhir.resources` R4B models, with those that did not fit."""
        from practicefusion_connector.fhir.models import typed

        return typed(self.resources)

    def summary(self) -> list[Row]:
        """Return the summary view of the resources: flat rows, as data frames take them.

        Raises:
            InvalidConfig: nobody declares a view of this type, or a library is not installed.
        """
        if self.rows is not None or not self.resources:
            return self.rows or []
        from practicefusion_connector.summaries import summary_rows, summary_view

        kind = self.resources[0]["resourceType"]
        view = summary_view(kind, self.views)
        if view is None:
            raise InvalidConfig(f"There is no summary view of {kind}; declare one in a file.")
        return summary_rows(view, self.resources)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON-ready data, the same on every face.

        It holds `rows` where the summary view was asked for, and `resources` otherwise.
        """
        full = self.rows is None
        return {
            "action": self.action,
            "count": len(self.resources),
            "total": self.total,
            "has_more": self.has_more,
            "next_cursor": self.next_cursor,
            **({"resources": self.resources} if full else {"rows": self.rows}),
            "included": self.included,
            "warnings": [warning._asdict() for warning in self.warnings],
            "trace": asdict(self.trace),
        }


def joined(results: Sequence[Result]) -> Result:
    """Return the pages of one search as one result; the last page says where it goes on."""
    first, last = results[0], results[-1]
    return Result(
        first.action,
        [resource for result in results for resource in result.resources],
        [resource for result in results for resource in result.included],
        first.total,
        last.next_cursor,
        [warning for result in results for warning in result.warnings],
        last.trace,
        None if first.rows is None else [row for result in results for row in result.rows or ()],
        first.views,
    )
