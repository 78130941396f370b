"""What to export: whose records, which types, since when, and by which way.

Pure: checked values, and the kick-off request they stand for (Bulk Data Access 1.0.1 §Kick-off). It
sends nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote, urlencode

from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.fhir.types import why_unknown

Mode = Literal["auto", "export", "crawl"]

NDJSON = "application/fhir+ndjson"
_GROUP = re.compile(r"group:([A-Za-z0-9\-.]{1,64})")
_FILTER = re.compile(r"([A-Z][A-Za-z]{1,63})\?\S+")
# FHIR's instant: a date and time to the second at least, with a zone.
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """One export of one practice.

    Attributes:
        scope: `patient` for every patient of the practice, `group:<id>` for the patients of one
            group (1,000 at most at Practice Fusion), `system` for everything, which Practice
            Fusion does not document.
        types: the resource types wanted; none given, all the server exports.
        since: an instant (`2026-01-31T00:00:00Z`, or an aware `datetime`); only resources changed
            since then. Take the `transaction_time` of the export before.
        type_filter: FHIR searches that narrow a type, such as
            `Observation?category=vital-signs`; Practice Fusion does not document them.
        mode: `export` uses `$export` or fails, `crawl` searches patient by patient, and `auto`
            crawls where the server refuses or lacks `$export`.
        output_format: what `_outputFormat` asks for; `None` leaves it to the server.

    Raises:
        InvalidInput: a part cannot be sent; each is named.
    """

    scope: str = "patient"
    types: tuple[str, ...] = ()
    since: str | datetime | None = None
    type_filter: tuple[str, ...] = ()
    mode: Mode = "auto"
    output_format: str | None = NDJSON

    def __post_init__(self) -> None:
        for name in ("types", "type_filter"):
            given = getattr(self, name)
            listed = (given,) if isinstance(given, str) else tuple(dict.fromkeys(given))
            object.__setattr__(self, name, listed)
        if isinstance(self.since, datetime):
            object.__setattr__(self, "since", _written(self.since))
        problems = [
            {"path": path, "message": message} for path, message in self._problems() if message
        ]
        if problems:
            told = "; ".join(f"{each['path']}: {each['message']}" for each in problems)
            raise InvalidInput(f"This export cannot be planned: {told}.", problems=problems)

    @classmethod
    def for_groups(cls, groups: Iterable[str], **rest: object) -> list[ExportPlan]:
        """Return one plan for each group; each has a transaction time of its own."""
        return [cls(scope=f"group:{group}", **rest) for group in groups]  # type: ignore[arg-type]

    @property
    def group(self) -> str | None:
        """The group's id, where the scope is a group."""
        found = _GROUP.fullmatch(self.scope)
        return found[1] if found else None

    @property
    def since_text(self) -> str | None:
        """`since` as it goes on the wire."""
        return self.since if isinstance(self.since, str) else None

    def parameters(self) -> list[tuple[str, str]]:
        """Return the parameters of the kick-off, in FHIR's spelling."""
        found = [
            ("_outputFormat", self.output_format or ""),
            ("_type", ",".join(self.types)),
            ("_since", self.since_text or ""),
            *(("_typeFilter", each) for each in self.type_filter),
        ]
        return [(name, value) for name, value in found if value]

    def kickoff_url(self, base_url: str, parameters: Iterable[tuple[str, str]]) -> str:
        """Return the kick-off's URL with the parameters given."""
        levels = {"patient": "/Patient/$export", "system": "/$export"}
        path = levels.get(self.scope) or f"/Group/{self.group}/$export"
        query = urlencode(list(parameters), quote_via=quote, safe=",:")
        return f"{base_url}{path}" + (f"?{query}" if query else "")

    def digest(self, *about: str) -> str:
        """Return a short name for this plan together with what else it depends on."""
        parts = [*about, self.scope, self.types, self.since, self.type_filter, self.mode]
        return hashlib.sha256(json.dumps([*parts, self.output_format]).encode()).hexdigest()[:32]

    def _problems(self) -> Iterable[tuple[str, str]]:
        if self.scope not in ("patient", "system") and self.group in (None, ".", ".."):
            yield "scope", "is patient, group:<id> or system"
        if wrong := why_unknown(self.types):
            yield "types", wrong
        if self.since is not None and not is_instant(self.since_text or ""):
            yield "since", "is an instant with a time zone, such as 2026-01-31T00:00:00Z"
        for query in self.type_filter:
            found = _FILTER.fullmatch(query)
            if found is None or (self.types and found[1] not in self.types):
                yield "type_filter", "are searches of the types asked for: Type?parameter=value"
                break
        if self.mode not in ("auto", "export", "crawl"):
            yield "mode", "is auto, export or crawl"
        if self.scope == "system" and self.mode == "crawl":
            yield "mode", "can be crawl for patients and groups only"


def _written(moment: datetime) -> str:
    if moment.tzinfo is None:
        return "without a zone"
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def is_instant(text: str) -> bool:
    """Say whether a text is an instant as FHIR writes it."""
    if not _INSTANT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
