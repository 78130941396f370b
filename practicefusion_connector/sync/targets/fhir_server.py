"""A FHIR server that is written to: authorized requests, and batches sent until they are settled.

A batch (FHIR R4 http §3.1.0.11) is answered entry by entry. Passing failures are tried again, the
whole batch's and single entries'; a batch the server refuses or fails at as a whole is sent in
halves until the entry at fault is found. It knows what an entry is, and nothing of what the sync is
about.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson
import requests

from practicefusion_connector.bulk import exact
from practicefusion_connector.errors import (
    ConnectorError,
    InvalidResponse,
    Rejected,
    ResponseTooLarge,
    UpstreamUnavailable,
)
from practicefusion_connector.smart.bearer import authorized
from practicefusion_connector.smart.provider import TokenProvider, TokensApart
from practicefusion_connector.sync.targets.pace import Pace
from practicefusion_connector.transport import Answer, Run, Transport
from practicefusion_connector.transport.problems import error_from

Entry = Mapping[str, Any]

_PASSING = frozenset({408, 409, 423, 425, 429, 500, 502, 503, 504})
_TRIES = 6
# A resource another writer created at the same moment: Medplum answers 400 where others say 409.
# What is wrong by itself stays wrong, so one more try is enough to tell them apart.
_TRIES_IF_REFUSED = 2
# Where a server fails at so many entries one after the other, it is not the entries.
_MOST_BLAMED = 3
_REFUSED = "The target refuses every access token; authorize it again."
_LOCATION = re.compile(r"(?:^|/)[A-Z][A-Za-z]+/([A-Za-z0-9.-]{1,64})(?:/_history/[^/]+)?$")


@dataclass(frozen=True, slots=True)
class EntryAnswer:
    """What a server answered to one entry.

    Attributes:
        status: the HTTP status.
        id: the id of the resource it is about, where the answer says it.
        code: the first issue's code, where the entry failed.
        resource: what came with it; after a GET its decimals are as `bulk.exact` reads them.
    """

    status: int
    id: str | None = None
    code: str = ""
    resource: Mapping[str, Any] | None = None

    @property
    def ok(self) -> bool:
        """Whether the server did it."""
        return 200 <= self.status < 300


@dataclass(slots=True)
class _Blame:
    """Whether it is a server that fails with 500, or an entry it fails at.

    Attributes:
        entries: those to blame, by identity; they have had their tries.
        in_a_row: failures since the server last took something.
    """

    entries: set[int] = field(default_factory=set)
    in_a_row: int = 0

    def put_on(self, entry: Entry, error: UpstreamUnavailable) -> None:
        """Note that the server failed at an entry sent alone; raise where it is the server."""
        self.in_a_row += 1
        if self.in_a_row >= _MOST_BLAMED:
            raise error
        self.entries.add(id(entry))


class FhirServer:
    """One FHIR server; safe to share between threads.

    Args:
        pace: learns from the answers.
        patience: seconds that one batch may take, all waits and retries included.
    """

    def __init__(
        self,
        transport: Transport,
        base_url: str,
        tokens: TokenProvider,
        pace: Pace,
        *,
        patience: float = 900.0,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._transport = transport
        self._tokens = TokensApart(tokens)
        self._pace = pace
        self._patience = patience

    def takes_search(self, resource_type: str, name: str, token: str) -> bool:
        """Say whether the server searches a type by a parameter, asked for a token nobody has.

        A server that leaves out what it does not know answers with everything, or says in its
        `self` link what it understood; neither counts as taking it.
        """
        run = Run(self._patience)
        url = f"{self.base_url}/{resource_type}?{name}={quote(token, safe='')}&_count=1"
        extra = {"Prefer": "handling=strict"}
        try:
            answer = self._transport.retrying(lambda: self._send("GET", url, None, run, extra), run)
        except ConnectorError as error:
            # A server that is busy has not said that it does not take the search.
            refused = error.http_status is not None and 400 <= error.http_status < 500
            if refused and not error.retryable:
                return False
            raise
        found = answer.json()
        if not isinstance(found, dict) or found.get("resourceType") != "Bundle":
            return False
        links = [link.get("url") for link in found.get("link") or () if isinstance(link, dict)]
        own = [url for url in links if isinstance(url, str) and "?" in url]
        return not found.get("entry") and (not own or any(name in url for url in own))

    def batch(self, entries: Sequence[Entry], *, repeatable: bool = True) -> list[EntryAnswer]:
        """Send entries and return an answer for each, in their order.

        Args:
            entries: with their requests; resources may be as `bulk.exact` reads them.
            repeatable: whether doing them twice does no harm; creations are sent again only where
                the server surely did not do them.

        Raises:
            ConnectorError: the server as a whole fails, or wants another authorization.
        """
        run = Run(self._patience)
        answers: list[EntryAnswer | None] = [None] * len(entries)
        open_ = list(range(len(entries)))
        blame = _Blame()
        for attempt in range(1, _TRIES + 1):
            again = []
            got = self._exchanged([entries[i] for i in open_], run, repeatable, blame)
            for i, answer in zip(open_, got, strict=True):
                answers[i] = answer
                blamed = id(entries[i]) in blame.entries
                if not blamed and _worth_another(answer, attempt, repeatable):
                    again.append(i)
            open_ = again
            if not open_:
                break
            throttled = [answers[i] for i in open_]
            if any(a is not None and a.status == 429 for a in throttled):
                self._pace.refused()
            if attempt < _TRIES:
                run.sleep(self._transport.wait_before_next(None, attempt), "entries")
        return [answer for answer in answers if answer is not None]

    def _exchanged(
        self, entries: Sequence[Entry], run: Run, repeatable: bool, blame: _Blame
    ) -> list[EntryAnswer]:
        """Send a batch, in halves where it is refused or failed at as a whole, or its answer is."""
        if not entries:
            return []
        body = exact.write({"resourceType": "Bundle", "type": "batch", "entry": list(entries)})
        started = time.monotonic()
        try:
            answer = self._posted(body, run, repeatable)
        except (Rejected, ResponseTooLarge) as error:
            refused: ConnectorError = error
        except UpstreamUnavailable as error:
            if error.http_status != 500 or not repeatable:
                raise
            if len(entries) == 1:
                blame.put_on(entries[0], error)
            refused = error
        else:
            blame.in_a_row = 0
            self._pace.answered(len(entries), time.monotonic() - started)
            return _read(answer, entries)
        status = refused.http_status
        if isinstance(refused, ResponseTooLarge) and status != 413:
            # The answer is more than is read here; the server may have done what was asked. A
            # header that is too large has no status, and no smaller batch would mend it.
            if status is None or not repeatable:
                raise refused
            status = 413
        if len(entries) == 1:
            code = next((issue.get("code", "") for issue in refused.issues), refused.code)
            return [EntryAnswer(status or 400, code=code)]
        if isinstance(refused, ResponseTooLarge):
            self._pace.too_large(len(entries))
        middle = len(entries) // 2
        return [
            *self._exchanged(entries[:middle], run, repeatable, blame),
            *self._exchanged(entries[middle:], run, repeatable, blame),
        ]

    def _posted(self, body: bytes, run: Run, repeatable: bool) -> Answer:
        def attempt() -> Answer:
            try:
                return self._send("POST", self.base_url, body, run, {})
            except ConnectorError as error:
                if error.retryable:
                    self._pace.refused()
                raise

        return self._transport.retrying(attempt, run, idempotent=repeatable)

    def _send(
        self, method: str, url: str, body: bytes | None, run: Run, extra: Mapping[str, str]
    ) -> Answer:
        headers = {"Accept": "application/fhir+json", "User-Agent": "practicefusion-connector"}
        headers.update(extra)
        if body is not None:
            headers["Content-Type"] = "application/fhir+json"

        def attempt(authorization: Mapping[str, str]) -> Answer:
            own = {**headers, **authorization}
            request = requests.Request(method, url, headers=own, data=body).prepare()
            return self._transport.send(request, run)

        return authorized(self._tokens, run, attempt, refused=_REFUSED)


def _worth_another(answer: EntryAnswer, attempt: int, repeatable: bool) -> bool:
    if answer.ok or answer.status in (404, 410):
        return False
    if not repeatable:
        return answer.status in (429, 503)
    return answer.status in _PASSING or attempt < _TRIES_IF_REFUSED


def _read(answer: Answer, asked: Sequence[Entry]) -> list[EntryAnswer]:
    """Return the answers to the entries of a batch."""
    # Strictly: what can be read in two ways is refused.
    found = answer.json()
    if any(entry["request"]["method"] == "GET" for entry in asked):
        # What is read to be written back keeps every digit.
        found = exact.read(answer.body)
    entries = found.get("entry") if isinstance(found, dict) else None
    if not isinstance(entries, list) or len(entries) != len(asked):
        raise answer.named(InvalidResponse("The target answered a batch with another number."))
    return [_entry(entry if isinstance(entry, dict) else {}) for entry in entries]


def _entry(entry: Mapping[str, Any]) -> EntryAnswer:
    response = entry.get("response")
    response = response if isinstance(response, dict) else {}
    status = str(response.get("status", ""))[:3]
    number = int(status) if status.isdigit() else 500
    resource = entry.get("resource")
    resource = resource if isinstance(resource, dict) else None
    located = _LOCATION.search(str(response.get("location") or ""))
    own = resource.get("id") if resource else None
    outcome = response.get("outcome")
    if 200 <= number < 300:
        return EntryAnswer(number, located[1] if located else own, resource=resource)
    said = error_from(number, {}, orjson.dumps(outcome or {}), now=0.0, asked_for="an entry")
    code = next((issue.get("code", "") for issue in said.issues), said.code)
    return EntryAnswer(number, code=code)
