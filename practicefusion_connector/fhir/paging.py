"""Walking through a search's pages: lazily, never away from the server, never in a circle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from practicefusion_connector.errors import ActionWarning, InvalidResponse, ResponseTooLarge
from practicefusion_connector.fhir.bundle import Page
from practicefusion_connector.fhir.client import FhirClient
from practicefusion_connector.fhir.cursor import Cursor
from practicefusion_connector.fhir.links import within
from practicefusion_connector.transport import Run


@dataclass(frozen=True, slots=True)
class Step:
    """One page on the way: what is on it from the place asked for, and where it goes on."""

    page: Page
    place: Cursor
    matches: list[dict[str, Any]]
    after: Cursor | None
    run: Run

    def first(self, count: int | None) -> tuple[list[dict[str, Any]], Cursor | None]:
        """Return at most `count` of the matches, and the place just behind them."""
        if count is None or count >= len(self.matches):
            return self.matches, self.after
        skip = self.place.skip + count
        return self.matches[:count], replace(self.place, skip=skip)


def walk(
    client: FhirClient, resource: str, start: Cursor, begin: Callable[[], Run], max_pages: int
) -> Iterator[Step]:
    """Yield the pages from `start` on; a page is read only when it is asked for.

    The `next` link is followed as the server wrote it (FHIR R4 search §3.1.1.4.4: it is opaque),
    resolved where it is relative.

    Raises:
        InvalidResponse: a link leads off the FHIR base, or back to a page already read.
        ResponseTooLarge: the search has more than `max_pages` pages.
    """
    place: Cursor | None = start
    read: set[str] = set()
    given = 0
    while place is not None:
        if place.pages >= max_pages:
            raise ResponseTooLarge(f"The search goes on after {max_pages} pages; narrow it.")
        run = begin()
        page = client.page(resource, place.url, run)
        read.add(place.url)
        after = None
        if page.next is not None:
            url = within(client.base_url, page.next, of=place.url)
            after = replace(place, url=url, skip=0, pages=place.pages + 1)
            if after.url in read:
                raise InvalidResponse(
                    "The server's pages go round in a circle: a next link names a page that was "
                    "already read."
                )
        given += len(page.matches)
        from_the_first = start.pages == 0 and start.skip == 0
        if after is None and from_the_first and page.total not in (None, given):
            _remark(page, given)
        yield Step(page, place, page.matches[place.skip :], after, run)
        place = after


def _remark(page: Page, given: int) -> None:
    if all(warning.code != "total_mismatch" for warning in page.warnings):
        said = f"The server's total is another number than the {given} it gave."
        page.warnings.append(ActionWarning("total_mismatch", said))
