"""Reading a searchset Bundle (FHIR R4 search §3.1.1.6): matches, includes, links, warnings.

Pure. Practice Fusion gives no `search.mode`, so matches are told from includes by their type.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from practicefusion_connector.errors import ActionWarning, InvalidResponse


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search.

    Attributes:
        url: where the page came from.
        matches: the resources searched for.
        included: resources that came along, such as Provenance.
        total: the number of all matches, where the server says so.
        next: the next page's link as the server wrote it.
        self_query: names and values of the server's `self` link, or `None` without one.
    """

    url: str
    matches: list[dict[str, Any]]
    included: list[dict[str, Any]]
    total: int | None
    next: str | None
    self_query: tuple[tuple[str, str], ...] | None
    warnings: list[ActionWarning] = field(default_factory=list)


def read_page(bundle: Any, resource: str, url: str) -> Page:
    """Return the page a server's answer holds.

    Raises:
        InvalidResponse: where the answer is no searchset Bundle.
    """
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise InvalidResponse(f"The server answered a {resource} search with something else.")
    if bundle.get("type") not in ("searchset", None):
        raise InvalidResponse(
            f"The server answered a {resource} search with another kind of Bundle."
        )
    warnings: list[ActionWarning] = []
    matches: list[dict[str, Any]] = []
    included: list[dict[str, Any]] = []
    for kind, found in _entries(bundle, resource, warnings):
        (matches if kind == "match" else included).append(found)
    total = bundle.get("total")
    next_link, self_link = _link(bundle, "next"), _link(bundle, "self")
    return Page(
        url=url,
        matches=matches,
        included=included,
        total=total if isinstance(total, int) and not isinstance(total, bool) else None,
        next=next_link,
        self_query=None if self_link is None else tuple(parse_qsl(urlsplit(self_link).query)),
        warnings=warnings,
    )


def _entries(
    bundle: dict[str, Any], resource: str, warnings: list[ActionWarning]
) -> Iterable[tuple[str, dict[str, Any]]]:
    listed = bundle.get("entry")
    if listed is not None and not isinstance(listed, list):
        raise InvalidResponse("The server's Bundle has entries that are no list.")
    for entry in listed or []:
        found = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(found, dict) or not isinstance(found.get("resourceType"), str):
            warnings.append(
                ActionWarning("entry_without_resource", "An entry of the answer has no resource.")
            )
            continue
        search = entry.get("search")
        mode = search.get("mode") if isinstance(search, dict) else None
        if mode == "outcome" or (not mode and found["resourceType"] == "OperationOutcome"):
            warnings.append(_outcome(found))
        else:
            same_type = found["resourceType"] == resource
            yield ("match" if (mode or "match") == "match" and same_type else "include"), found


def _outcome(outcome: dict[str, Any]) -> ActionWarning:
    issues = outcome.get("issue")
    codes = [
        str(issue.get("code", "unknown"))[:40]
        for issue in (issues if isinstance(issues, list) else [])
        if isinstance(issue, dict)
    ]
    return ActionWarning("server_warning", f"The server remarks: {', '.join(codes) or 'unknown'}.")


def _link(bundle: dict[str, Any], relation: str) -> str | None:
    listed = bundle.get("link")
    for link in listed if isinstance(listed, list) else []:
        if isinstance(link, dict) and link.get("relation") == relation:
            url = link.get("url")
            return url if isinstance(url, str) and url else None
    return None


def ignored_parameters(asked: Iterable[tuple[str, str]], page: Page) -> list[str]:
    """Return the parameters asked for that the server's `self` link does not repeat.

    A server must leave a parameter it ignored out of that link (R4 search §3.1.1.6.1); one that
    ignores a filter returns everything. Modifiers are dropped before names are compared.
    """
    if page.self_query is None:
        return []
    echoed = Counter(name.partition(":")[0] for name, _ in page.self_query)
    wanted = Counter(name.partition(":")[0] for name, _ in asked)
    return sorted(name for name, count in wanted.items() if echoed[name] < count)
