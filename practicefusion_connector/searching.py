"""One search on its way: from a checked request over the server's pages to shaped results.

It follows the pages and says what the server ignored; how results look is `shaping`'s to know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from practicefusion_connector.errors import ActionWarning, InvalidInput, Rejected
from practicefusion_connector.fhir.bundle import Page, ignored_parameters
from practicefusion_connector.fhir.client import FhirClient
from practicefusion_connector.fhir.cursor import Cursor, CursorCodec, fingerprint
from practicefusion_connector.fhir.links import within
from practicefusion_connector.fhir.paging import walk
from practicefusion_connector.registry import Request
from practicefusion_connector.result import Result
from practicefusion_connector.shaping import Shaping
from practicefusion_connector.transport import Run


def searched(
    fhir: FhirClient,
    request: Request,
    cursors: CursorCodec,
    shaping: Shaping,
    begin: Callable[[], Run],
    *,
    strict: bool,
    max_pages: int,
) -> Iterator[Result]:
    """Yield the results of a search; a page is read only when it is asked for.

    Raises:
        Rejected: the server ignored a parameter, and `strict` is set.
        ResponseTooLarge: the search has more than `max_pages` pages, or a resource is too large.
        InvalidResponse: the pages make no sense.
    """
    notes = list(request.warnings)
    start = _start(fhir, request, cursors)
    for step in walk(fhir, request.action.resource, start, begin, max_pages):
        if step.place is start and request.cursor is None:
            notes += _ignored(request, step.page, strict)
        yield from shaping.parts(step, [*notes, *step.page.warnings])
        notes = []
        if shaping.done:
            return


def _start(fhir: FhirClient, request: Request, cursors: CursorCodec) -> Cursor:
    key = request.action.key
    if request.cursor is None:
        url = fhir.search_url(request.action.resource, request.query)
        return Cursor(url, search=fingerprint(request.query))
    place = cursors.read(key, request.cursor)
    # A host may send the search's inputs along; another search's would be ignored in silence.
    if (asked := fingerprint(request.query)) and asked != place.search:
        problem = "goes on with another search; give it alone, or with the inputs it came from"
        raise InvalidInput(
            f"{key}: cursor {problem}.", problems=[{"path": "cursor", "message": problem}]
        )
    return replace(place, url=within(fhir.base_url, place.url, of=fhir.base_url))


def _ignored(request: Request, page: Page, strict: bool) -> list[ActionWarning]:
    names = ignored_parameters(request.query, page)
    if names and strict:
        raise Rejected(
            f"The server ignored {', '.join(names)}, so its answer holds more than was asked for.",
            problems=[{"path": name, "message": "was ignored by the server"} for name in names],
        )
    return [
        ActionWarning("parameter_ignored", f"The server ignored {name}; its answer may hold more.")
        for name in names
    ]
