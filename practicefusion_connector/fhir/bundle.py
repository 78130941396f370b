"""Reading a searchset Bundle (FHIR R4 search §3.1.1.6): matches, includes, links, warnings.

Pure. Practice Fusion gives no `search.mode`, so matches are told from includes by their type.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from practicefusion_connector.errors import ActionWarning, InvalidResponse, ResponseTooLarge

_ISSUE_CODE = re.compile(r"[a-z]+(-[a-z]+)*")


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
        size: bytes of the server's answer, where known.
    """

    url: str
    matches: list[dict[str, Any]]
    included: list[dict[str, Any]]
    total: int | None
    next: str | None
    self_query: tuple[tuple[str, str], ...] | None
    warnings: list[ActionWarning] = field(default_factory=list)
    size: int | None = None


def read_page(bundle: Any, resource: str, url: str, max_entries: int = 10_000) -> Page:
    """Return the page a server's answer holds.

    Raises:
        InvalidResponse: where the answer is no searchset Bundle.
        ResponseTooLarge: where it has more than `max_entries` entries.
    """
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise InvalidResponse(f"The server answered a {resource} search with something else.")
    if bundle.get("type") not in ("searchset", None):
        raise InvalidResponse(
            f"The server answered a {resource} search with another kind of Bundle."
        )
    warnings: list[ActionWarning] = []
    if "type" not in bundle:
        warnings.append(ActionWarning("bundle_without_type", "The server's Bundle has no type."))
    matches: list[dict[str, Any]] = []
    included: list[dict[str, Any]] = []
    for kind, found in _entries(_listed(bundle, max_entries), resource, warnings):
        (matches if kind == "match" else included).append(found)
    total = _total(bundle, len(matches), warnings)
    next_link, self_link = _next(bundle), _link(bundle, "self")
    return Page(
        url=url,
        matches=matches,
        included=included,
        total=total,
        next=next_link,
        self_query=_query(self_link),
        warnings=warnings,
    )


def _listed(bundle: dict[str, Any], max_entries: int) -> list[Any]:
    listed = bundle.get("entry")
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise InvalidResponse("The server's Bundle has entries that are no list.")
    if len(listed) > max_entries:
        raise ResponseTooLarge(
            f"The server's page has {len(listed)} entries, more than the limit of {max_entries}; "
            "ask for smaller pages with _count."
        )
    return listed


def _total(bundle: dict[str, Any], matches: int, warnings: list[ActionWarning]) -> int | None:
    total = bundle.get("total")
    if total is None:
        return None
    counts = isinstance(total, int) and not isinstance(total, bool)
    if not counts or total < matches:
        warnings.append(
            ActionWarning("total_mismatch", "The server's total is less than it gave, or no count.")
        )
    return total if counts else None


def _entries(
    listed: list[Any], resource: str, warnings: list[ActionWarning]
) -> Iterable[tuple[str, dict[str, Any]]]:
    empty = 0
    for entry in listed:
        found = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(found, dict) or not isinstance(found.get("resourceType"), str):
            empty += 1
            continue
        search = entry.get("search")
        mode = search.get("mode") if isinstance(search, dict) else None
        if mode == "outcome" or (not mode and found["resourceType"] == "OperationOutcome"):
            warnings.append(_outcome(found))
        else:
            same_type = found["resourceType"] == resource
            yield ("match" if (mode or "match") == "match" and same_type else "include"), found
    if empty:
        said = "An entry of the answer has" if empty == 1 else f"{empty} entries of the answer have"
        warnings.append(ActionWarning("entry_without_resource", f"{said} no resource."))


def _outcome(outcome: dict[str, Any]) -> ActionWarning:
    issues = outcome.get("issue")
    codes = [
        str(issue.get("code"))
        for issue in (issues if isinstance(issues, list) else [])
        if isinstance(issue, dict)
    ]
    # Issue codes are words of FHIR's own list; anything else might be about the patient.
    told = ", ".join(code for code in codes if _ISSUE_CODE.fullmatch(code))
    return ActionWarning("server_warning", f"The server remarks: {told or 'unknown'}.")


def _link(bundle: dict[str, Any], relation: str) -> Any:
    """Return the URL of the first link of a relation as it is, or `None` without such a link."""
    listed = bundle.get("link")
    if listed is not None and not isinstance(listed, list):
        raise InvalidResponse("The server's Bundle has links that are no list.")
    for link in listed or []:
        if isinstance(link, dict) and link.get("relation") == relation:
            return link.get("url", "")
    return None


def _next(bundle: dict[str, Any]) -> str | None:
    link = _link(bundle, "next")
    if link is None:
        return None
    # Taken for the end, a link that cannot be followed would cut the search short unseen.
    if not isinstance(link, str) or not link:
        raise InvalidResponse("The server says there are more pages and gives no link to them.")
    return link


def _query(link: Any) -> tuple[tuple[str, str], ...] | None:
    if not isinstance(link, str) or not link:
        return None
    try:
        return tuple(parse_qsl(urlsplit(link).query))
    except ValueError:  # a server may write a link that is no URL
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
