"""The manifest of a finished export, read with suspicion: it decides where tokens and files go.

Pure. A type becomes part of a file's name, so only names of resource types are taken; a URL must
be one that may be called at all. `request` is not looked at: servers write it wrong.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

from practicefusion_connector.bulk.plan import is_instant
from practicefusion_connector.connection import is_loopback
from practicefusion_connector.errors import InvalidResponse
from practicefusion_connector.fhir.links import within

Section = Literal["output", "deleted", "error"]

# What each section's files hold, where it is not what the item itself says.
SECTIONS: dict[Section, str | None] = {
    "output": None,
    "deleted": "Bundle",
    "error": "OperationOutcome",
}
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")


@dataclass(frozen=True, slots=True)
class Item:
    """One file the manifest names; the URL may be signed, so no repr shows it.

    Attributes:
        name: of the file on disk: `Observation.000.ndjson`, `deleted.000.ndjson`.
        entitled: whether the access token goes along: the manifest requires it, and the file lies
            on the FHIR server's own origin.
        fingerprint: tells the file among those of the job; the URL's query is not part of it, as
            signatures change, unless nothing else tells files apart.
    """

    name: str
    section: Section
    resource_type: str
    url: str = field(repr=False)
    count: int | None
    entitled: bool
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest, or one part of it; `next` leads to the part that follows."""

    transaction_time: str
    requires_token: bool
    listed: Mapping[Section, list[dict[str, Any]]] = field(repr=False)
    next: str | None = field(default=None, repr=False)


def read_manifest(body: Any, url: str) -> Manifest:
    """Return the manifest in a parsed body.

    Args:
        body: what came with the 200.
        url: where it came from; links are resolved against it.

    Raises:
        InvalidResponse: it is no manifest, or a part of it makes no sense.
    """
    if not isinstance(body, dict) or not isinstance(body.get("output", []), list):
        raise InvalidResponse("The server's export manifest is not one.")
    return Manifest(
        transaction_time=_transaction_time(body.get("transactionTime")),
        # Without the word a token is needed: it goes to the server's own origin at most.
        requires_token=body.get("requiresAccessToken") is not False,
        listed={section: list(_objects(body.get(section))) for section in SECTIONS},
        next=_next(body.get("link"), url),
    )


def items_of(manifests: list[Manifest], base_url: str, url: str) -> list[Item]:
    """Return the files of all parts, named in the order they come.

    Raises:
        InvalidResponse: a file has no URL that may be called, or no type.
    """
    found: list[Item] = []
    numbers: dict[str, int] = {}
    for manifest in manifests:
        for section, fixed in SECTIONS.items():
            for entry in manifest.listed[section]:
                kind = fixed or entry.get("type")
                if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
                    raise InvalidResponse("The server's manifest lists a file without a type.")
                label = kind if section == "output" else section
                number = numbers[label] = numbers.get(label, -1) + 1
                link = _callable(entry.get("url"), url)
                found.append(
                    Item(
                        name=f"{label}.{number:03d}.ndjson",
                        section=section,
                        resource_type=kind,
                        url=link,
                        count=_count(entry.get("count")),
                        entitled=manifest.requires_token and same_origin(base_url, link),
                        fingerprint=_fingerprint(section, link.partition("?")[0]),
                    )
                )
    alike = Counter(item.fingerprint for item in found)
    return [
        item
        if alike[item.fingerprint] == 1
        else replace(item, fingerprint=_fingerprint(item.section, item.url))
        for item in found
    ]


def same_origin(base_url: str, link: str) -> bool:
    """Say whether `link` lies on the FHIR server's own origin."""
    parts = urlsplit(base_url)
    try:
        within(f"{parts.scheme}://{parts.netloc}", link, of=base_url)
    except InvalidResponse:
        return False
    return True


def _objects(listed: Any) -> Iterator[dict[str, Any]]:
    for entry in listed if isinstance(listed, list) else ():
        if not isinstance(entry, dict):
            raise InvalidResponse("The server's manifest lists a file that is no object.")
        yield entry


def _transaction_time(value: Any) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        # Without it the next export would not know where to go on.
        raise InvalidResponse("The server's manifest has no transactionTime that is an instant.")
    # The next export asks since then: as it came, or in FHIR's spelling where a server has its own.
    return value if is_instant(value) else moment.isoformat()


def _next(links: Any, url: str) -> str | None:
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("relation") == "next":
            return _callable(link.get("url"), url)
    return None


def _callable(link: Any, of: str) -> str:
    """Return the link made absolute, where it is one that records may travel over."""
    try:
        resolved = urljoin(of, link) if isinstance(link, str) and link else ""
        parts = urlsplit(resolved)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or "@" in parts.netloc:
        raise InvalidResponse("The server's manifest lists a file without a URL.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise InvalidResponse("The server's manifest lists a file that is not behind https.")
    return resolved


def _count(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if whole else None


def _fingerprint(section: Section, link: str) -> str:
    return hashlib.sha256(f"{section} {link}".encode()).hexdigest()[:16]
