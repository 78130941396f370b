"""A search request read, run and answered as a searchset Bundle, page by page.

The Bundle has Practice Fusion's shape: an `updated` FHIR does not know, links with
`operation=search` and `page=N`, entries with `resource` before `fullUrl`, no `search.mode`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from practicefusion_connector.sandbox.fhir.access import Access
from practicefusion_connector.sandbox.practice import Practice
from practicefusion_connector.sandbox.search import SearchError
from practicefusion_connector.sandbox.settings import Behaviour
from practicefusion_connector.sandbox.store import Resource

_PROVENANCE = "Provenance:target"


@dataclass
class SearchRequest:
    """What was asked: the criteria, and how the answer is to be cut and ordered."""

    resource_type: str
    criteria: list[tuple[str, str]] = field(default_factory=list)
    applied: list[tuple[str, str]] = field(default_factory=list)
    sort: list[str] = field(default_factory=list)
    page_size: int = 0
    page: int = 1
    provenance: bool = False


def read_search(
    resource_type: str, arguments: Iterable[tuple[str, str]], behaviour: Behaviour
) -> SearchRequest:
    """The request behind the query parameters. Those without a value say nothing."""
    request = SearchRequest(resource_type, page_size=behaviour.default_page_size)
    for name, value in arguments:
        if name in behaviour.ignored_parameters or not value:
            continue
        if name == "page":
            request.page = max(1, _whole_number(name, value))
            continue
        if name == "operation":
            continue
        request.applied.append((name, value))
        if name == "_count":
            request.page_size = min(_whole_number(name, value), behaviour.maximum_page_size)
        elif name == "_sort":
            request.sort.extend(part for part in value.split(",") if part)
        elif name == "_revinclude":
            request.provenance = _is_provenance(value)
        else:
            request.criteria.append((name, value))
    return request


def _whole_number(name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit():
        raise SearchError("value", f"The value of '{name}' must be a whole number.")
    return int(value)


def _is_provenance(value: str) -> bool:
    if value != _PROVENANCE:
        raise SearchError("not-supported", f"The only _revinclude here is {_PROVENANCE}.")
    return True


def answer_search(practice: Practice, access: Access, request: SearchRequest) -> dict[str, Any]:
    """The Bundle of one page. Raises SearchError."""
    found = practice.engine.search(request.resource_type, request.criteria, request.sort)
    found = access.visible(request.resource_type, found)
    start = (request.page - 1) * request.page_size
    matches = found[start : start + request.page_size]
    included = _provenance_of(practice, access, matches) if request.provenance else []
    behaviour = practice.behaviour
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "id": f"urn:uuid:{uuid.uuid4()}",
        "type": "searchset",
    }
    if behaviour.total_reported:
        bundle["total"] = len(found)
    bundle["updated"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    bundle["link"] = _links(practice.base_url, request, len(found))
    bundle["entry"] = [
        *(_entry(practice.base_url, match, "match", behaviour) for match in matches),
        *(_entry(practice.base_url, extra, "include", behaviour) for extra in included),
    ]
    return bundle


def _provenance_of(practice: Practice, access: Access, matches: list[Resource]) -> list[Resource]:
    """What `_revinclude=Provenance:target` adds, as far as the grant reaches."""
    if not matches or not access.may_search("Provenance"):
        return []
    targets = ",".join(f"{match['resourceType']}/{match['id']}" for match in matches)
    found = practice.engine.search("Provenance", [("target", targets)])
    return [extra for extra in access.visible("Provenance", found) if extra not in matches]


def _entry(base_url: str, resource: Resource, mode: str, behaviour: Behaviour) -> dict[str, Any]:
    full_url = f"{base_url}/{resource['resourceType']}/{resource['id']}"
    entry: dict[str, Any] = {"resource": resource, "fullUrl": full_url}
    if behaviour.search_mode:
        entry["search"] = {"mode": mode}
    return entry


def _links(base_url: str, request: SearchRequest, total: int) -> list[dict[str, str]]:
    last = max(1, -(-total // request.page_size)) if request.page_size else 1
    pages = {"self": request.page, "first": 1}
    if request.page < last:
        pages["next"] = request.page + 1
    pages["last"] = last
    return [
        {"relation": relation, "url": _page_url(base_url, request, page)}
        for relation, page in pages.items()
    ]


def _page_url(base_url: str, request: SearchRequest, page: int) -> str:
    parameters = [*request.applied, ("operation", "search"), ("page", str(page))]
    query = urlencode(parameters, quote_via=quote, safe=",:")
    return f"{base_url}/{request.resource_type}?{query}"
