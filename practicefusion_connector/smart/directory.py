"""The practices of Practice Fusion and their base URLs, read from its published directory.

The directory is one FHIR Bundle of Organization and Endpoint resources, several megabytes, written
by a program that leaves things out. What cannot be used is counted, never fatal. Pure: where the
bundle comes from is in `directory_source`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from practicefusion_connector.connection import checked_url
from practicefusion_connector.errors import InvalidResponse

_NPI = "http://hl7.org/fhir/sid/us-npi"
_TAX_ID = "urn:oid:2.16.840.1.113883.4.4"
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)


@dataclass(frozen=True, slots=True)
class Practice:
    """One practice of the directory.

    Attributes:
        guid: Practice Fusion's own id, the end of the base URLs.
        provider_url: the FHIR base URL for provider and system applications.
        patient_url: the FHIR base URL for patient applications.
    """

    name: str
    guid: str | None = None
    npi: str | None = None
    tax_id: str | None = None
    city: str | None = None
    state: str | None = None
    active: bool = True
    provider_url: str | None = None
    patient_url: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the practice as JSON-ready data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Directory:
    """The practices of one bundle; `base_url in directory` says whether it lists that base URL.

    Attributes:
        practices: those with a name and at least one base URL.
        problems: why entries, or parts of them, were left out, and how many.
        fetched_at: POSIX seconds when the server gave or confirmed it; `None` for a file.
        note: what the reader should know about its age; empty where it is fresh.
    """

    practices: tuple[Practice, ...]
    problems: Mapping[str, int] = field(default_factory=dict)
    fetched_at: float | None = None
    note: str = ""
    _by_url: dict[str, Practice] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        for practice in self.practices:
            for url in (practice.provider_url, practice.patient_url):
                if url:
                    self._by_url[url] = practice

    def __len__(self) -> int:
        return len(self.practices)

    def __iter__(self) -> Iterator[Practice]:
        return iter(self.practices)

    def __contains__(self, base_url: object) -> bool:
        return base_url in self._by_url

    def find(self, base_url: str) -> Practice | None:
        """Return the practice with this provider or patient base URL."""
        return self._by_url.get(base_url.rstrip("/"))

    def search(self, text: str) -> list[Practice]:
        """Return the practices that `text` names, the likeliest first.

        `text` is words of a name, in any case, order and spacing and with or without accents; or a
        whole NPI, tax id or practice GUID. Words match from the beginning of a word, then anywhere.
        """
        words = _words(text)
        if not words:
            return []
        number = "".join(words)
        ranked = [
            (rank, practice.name.casefold(), place)
            for place, practice in enumerate(self.practices)
            if (rank := _rank(practice, words, number)) is not None
        ]
        return [self.practices[place] for _, _, place in sorted(ranked)]


def parse(bundle: object) -> Directory:
    """Read a ServiceBaseURLs bundle (FHIR R4 Bundle of Organization and Endpoint).

    Raises:
        InvalidResponse: it is not a bundle with entries.
    """
    entries = bundle.get("entry") if isinstance(bundle, dict) else None
    if not isinstance(entries, list) or not isinstance(bundle, dict):
        raise InvalidResponse("The practice directory is not a FHIR Bundle with entries.")
    problems: Counter[str] = Counter()
    endpoints: dict[str, _Address] = {}
    organizations: list[dict[str, Any]] = []
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if kind == "Endpoint":
            _add_endpoint(endpoints, entry, problems)
        elif kind == "Organization":
            organizations.append(entry["resource"])
        else:
            problems["an entry is neither an Organization nor an Endpoint"] += 1
    practices = [_practice(resource, endpoints, problems) for resource in organizations]
    return Directory(tuple(practice for practice in practices if practice), dict(problems))


@dataclass(frozen=True, slots=True)
class _Address:
    url: str
    for_patients: bool


def _add_endpoint(
    endpoints: dict[str, _Address], entry: dict[str, Any], problems: Counter[str]
) -> None:
    """Index an endpoint under everything that may refer to it."""
    resource, full_url = entry["resource"], _text(entry.get("fullUrl"))
    try:
        # The vendor's guide copies fullUrl; where there is an address, that is the base URL.
        url = checked_url(_text(resource.get("address")) or full_url or "")
    except ValueError:
        problems["an Endpoint has no usable address"] += 1
        return
    address = _Address(url, _is_for_patients(_text(resource.get("name")) or "", url))
    logical_id = _text(resource.get("id"))
    for name in (full_url, logical_id, logical_id and f"Endpoint/{logical_id}"):
        if name:
            endpoints[name] = address


def _is_for_patients(name: str, url: str) -> bool:
    """Tell the two kinds apart by name ("Patient Access"), or by the address where it is odd."""
    words = "".join(_words(name))
    if "patient" in words or "provider" in words:
        return "patient" in words
    return "patientfusion" in (urlsplit(url).hostname or "") or "/fhir/fmh/" in url


def _practice(
    resource: dict[str, Any], endpoints: Mapping[str, _Address], problems: Counter[str]
) -> Practice | None:
    name = _text(resource.get("name"))
    if name is None:
        problems["an Organization has no name"] += 1
        return None
    found: list[_Address] = []
    for reference in _dicts(resource.get("endpoint")):
        target = _text(reference.get("reference")) or ""
        endpoint = endpoints.get(target) or endpoints.get("/".join(target.split("/")[-2:]))
        if endpoint is None:
            problems["an Organization refers to an Endpoint that is not there"] += 1
        else:
            found.append(endpoint)
    if not found:
        problems["an Organization has no base URL"] += 1
        return None
    identifiers = _identifiers(resource)
    address = next(iter(_dicts(resource.get("address"))), {})
    return Practice(
        name=name,
        guid=_guid(found, identifiers.values()),
        npi=identifiers.get(_NPI),
        tax_id=identifiers.get(_TAX_ID),
        city=_text(address.get("city")),
        state=_text(address.get("state")),
        active=resource.get("active") is not False,
        provider_url=next((each.url for each in found if not each.for_patients), None),
        patient_url=next((each.url for each in found if each.for_patients), None),
    )


def _identifiers(resource: Mapping[str, Any]) -> dict[str, str]:
    pairs = (
        (_text(each.get("system")) or "", _text(each.get("value")))
        for each in _dicts(resource.get("identifier"))
    )
    return {system: value for system, value in pairs if value}


def _guid(addresses: Iterable[_Address], values: Iterable[str]) -> str | None:
    for text in (*(each.url for each in addresses), *values):
        if found := _GUID.search(text):
            return found[0].lower()
    return None


def _rank(practice: Practice, words: list[str], number: str) -> int | None:
    """Return how well a practice fits, 0 the best, or `None` where it does not."""
    known = (practice.npi, practice.tax_id, practice.guid)
    if any(number == "".join(_words(value)) for value in known if value):
        return 0
    own = _words(practice.name)
    tests: tuple[Callable[[], bool], ...] = (
        lambda: own == words,
        lambda: own[: len(words)] == words,
        lambda: all(any(name.startswith(word) for name in own) for word in words),
        lambda: all(word in "".join(own) for word in words),
    )
    return next((rank for rank, fits in enumerate(tests) if fits()), None)


def _words(text: str) -> list[str]:
    """Return the words of `text` without accents, case and punctuation."""
    bare = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(c for c in bare if not unicodedata.combining(c))
    # An apostrophe is inside a word ("St. Mary's"); anything else between letters parts words.
    return re.findall(r"[^\W_]+", re.sub(r"['’`]", "", letters))


def _text(value: object) -> str | None:
    """Return a text with its spacing made even, or `None` where there is none."""
    return (" ".join(value.split()) or None) if isinstance(value, str) else None


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
