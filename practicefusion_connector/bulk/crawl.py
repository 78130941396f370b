"""The same files as an export, by search: patient by patient, type by type.

For servers that refuse or lack `$export`. What is done is on the disk before it is written down, so
a crawl goes on where it was killed. It sees no deletions, and its moment is the server's clock
before the first search, a little early.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import islice

from practicefusion_connector.bulk import exact
from practicefusion_connector.bulk.exchange import Exchange
from practicefusion_connector.bulk.fetching import Handling
from practicefusion_connector.bulk.folder import Folder
from practicefusion_connector.bulk.gathering import Gathering, file_name, settle, sound
from practicefusion_connector.bulk.ledger import Ledger
from practicefusion_connector.bulk.outcome import Progress
from practicefusion_connector.bulk.pages import ExactPages
from practicefusion_connector.bulk.plan import ExportPlan
from practicefusion_connector.bulk.searches import (
    TypeSearch,
    changed_since,
    members_of,
    searches_for,
)
from practicefusion_connector.errors import (
    ActionWarning,
    Forbidden,
    InvalidResponse,
    MissingScope,
    NotFound,
    Rejected,
)
from practicefusion_connector.fhir.bundle import Page, ignored_parameters
from practicefusion_connector.fhir.cursor import Cursor
from practicefusion_connector.fhir.paging import walk
from practicefusion_connector.files import replace_file

# How far the servers behind one address may disagree about the time, and how long a write may take
# to be found. What falls into it comes twice, which an upsert does not mind.
MARGIN = timedelta(minutes=5)

_PATIENTS = "patients"
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
# What a search can do without where a server refuses it, in the order to try, and what that means.
_LEFT_OUT = {
    "_revinclude": "what comes along with records is left out",
    "_lastUpdated": "it is looked at here",
}
# What is odd about a page because something is missing there, told without its numbers.
_GAPS = {
    "entry_without_resource": "A search of {} gave entries without a resource.",
    "total_mismatch": "A search of {} gave another number than the server says there are.",
}
# Patients between two entries in the ledger, for each search that runs at once.
_BATCH = 4


@dataclass(frozen=True, slots=True)
class _Unit:
    """One patient's records, or those about none: where they go, and which are there already."""

    patient: str | None
    gathered: Gathering
    seen: set[tuple[str, str]] = field(default_factory=set)


class Crawl:
    """Crawls for one plan."""

    def __init__(
        self,
        plan: ExportPlan,
        exchange: Exchange,
        folder: Folder,
        ledger: Ledger,
        handling: Handling,
    ) -> None:
        self._plan = plan
        self._exchange = exchange
        self._folder = folder
        self._ledger = ledger
        self._handling = handling
        self._client = ExactPages(exchange.transport, exchange.base_url, exchange.tokens)
        self._searches, self._unsearchable = searches_for(plan)
        self._since = datetime.fromisoformat(plan.since_text) if plan.since_text else None
        self._refused = set(ledger.job.refused)
        self._lacking = set(ledger.job.lacking)
        self._without: set[str] = set()
        self._warnings: list[ActionWarning] = []
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Write down that a crawl is done in place of an export, and of what moment."""
        skipped = [
            ActionWarning("type_not_crawled", f"{name} cannot be searched here; it is left out.")
            for name in self._unsearchable
        ]
        told = ActionWarning("deletions_unknown", "A crawl sees no deletions.")
        self._ledger.update(
            state="crawling",
            mode="crawl",
            status_url=None,
            transaction_time=self._moment(),
            since=self._plan.since_text,
            crawled=0,
            offsets={},
            refused=sorted(self._unsearchable),
            lacking=[],
            warnings=[*self._ledger.job.warnings, *map(tuple, (told, *skipped))],
        )

    def names(self) -> list[str]:
        """Return the names of all files a crawl of this plan may have begun."""
        along = {value.partition(":")[0] for search in self._searches for value in search.along}
        kinds = along | {search.resource for search in self._searches}
        return [_PATIENTS, *map(file_name, sorted(kinds))]

    def to_end(self) -> None:
        """Search what is not here yet, then check the files."""
        listing = self._folder.part(_PATIENTS)
        if not listing.exists() or not sound(self._folder, self._ledger.job.offsets):
            self._ledger.update(crawled=0, offsets={})
            # A page may shift while the next is read, and a group may name a member twice.
            listed = dict.fromkeys(each for each in self._patients() if self._is_usable(each))
            # Before the list, which is not made again: who is not on it is missing all the same.
            self._ledger.update(lacking=sorted(self._lacking))
            self._ledger.warn(*self._warnings)
            replace_file(listing, "\n".join(listed))
        # The first unit is the practice itself: records that are about no patient.
        patients: list[str | None] = [None, *listing.read_text(encoding="utf-8").split()]
        with ExitStack() as stack:
            gathered = stack.enter_context(Gathering(self._folder, self._ledger.job.offsets))
            workers = self._handling.concurrency
            pool = stack.enter_context(ThreadPoolExecutor(workers, "bulk-crawl"))
            units = iter(patients[self._ledger.job.crawled :])
            while batch := list(islice(units, _BATCH * workers)):
                for _ in pool.map(lambda patient: self._unit(_Unit(patient, gathered)), batch):
                    pass
                self._write_down(len(batch), gathered, len(patients) - 1)
        settle(self._folder, self._ledger, self._handling, self._exchange)
        listing.unlink(missing_ok=True)

    def _write_down(self, count: int, gathered: Gathering, total: int) -> None:
        crawled = self._ledger.job.crawled + count
        self._ledger.update(
            crawled=crawled,
            offsets=gathered.settled(),
            refused=sorted(self._refused),
            lacking=sorted(self._lacking),
        )
        self._ledger.warn(*self._warnings)
        self._handling.report(Progress("crawling", count=crawled - 1, total=total))

    def _moment(self) -> str:
        """Return the server's time, read off an answer that came before any search."""
        run, url = self._exchange.run(), f"{self._exchange.base_url}/metadata"
        headers = {"Accept": "application/fhir+json"}
        answer = self._exchange.transport.retrying(
            lambda: self._exchange.once("GET", url, run, headers), run
        )
        try:
            told = parsedate_to_datetime(answer.headers.get("Date", ""))
        except ValueError:
            told = None
        if told is None:
            raise InvalidResponse(
                "The server does not say what time it is, so nobody could tell what changed after "
                "a crawl; only $export can be used with it."
            )
        moment = told if told.tzinfo else told.replace(tzinfo=UTC)
        return (
            (moment.astimezone(UTC) - MARGIN).isoformat(timespec="seconds").replace("+00:00", "Z")
        )

    def _patients(self) -> Iterator[str]:
        if self._plan.group is not None:
            yield from members_of(
                self._client.read("Group", self._plan.group, self._exchange.run())
            )
            return
        url, given = self._client.search_url("Patient", [("_count", "200")]), 0
        for page in self._pages("Patient", url):
            given += len(page.matches)
            self._look_for_gaps("Patient", page, given, lacking=self._by_patient())
            yield from (str(patient.get("id", "")) for patient in page.matches)

    def _is_usable(self, logical_id: str) -> bool:
        if _ID.fullmatch(logical_id):
            return True
        self._note("patient_left_out", "A patient without a usable id is left out.")
        self._lacking |= self._by_patient()
        return False

    def _by_patient(self) -> set[str]:
        return {search.resource for search in self._searches if search.by}

    def _pages(self, resource: str, url: str) -> Iterator[Page]:
        limit = self._exchange.transport.policy.max_pages
        for step in walk(self._client, resource, Cursor(url), self._exchange.run, limit):
            yield step.page

    def _unit(self, unit: _Unit) -> None:
        """Search all records of one patient, or those that are about none."""
        for search in self._searches:
            fits = (search.by is None) is (unit.patient is None)
            if fits and search.resource not in self._refused:
                self._search(search, unit)

    def _search(self, search: TypeSearch, unit: _Unit) -> None:
        without = frozenset(self._without)
        try:
            while culprit := self._refused_for(search, unit, without):
                # The records themselves matter more.
                without |= {culprit}
        except (MissingScope, NotFound) as error:
            self._refused.add(search.resource)
            told = f"The server does not let {search.resource} be searched ({error.code})."
            self._note("type_refused", told)
        except (Forbidden, Rejected) as error:
            if error.http_status is None:
                raise
            # It may be this patient's records only.
            self._lacking |= {search.resource, *search.comes_along}
            self._note("records_refused", f"The server refused {search.resource} of some patients.")
        else:
            for name in _LEFT_OUT:
                if name in without - self._without:
                    self._leave_out(name, search)

    def _refused_for(self, search: TypeSearch, unit: _Unit, without: frozenset[str]) -> str | None:
        """Search once; return what to leave out where the server refuses the search for it.

        It is a parameter that the server names, else the next of the list.
        """
        try:
            self._gather(search, unit, without)
        except Rejected as error:
            asked = {"_revinclude": bool(search.along), "_lastUpdated": self._since is not None}
            sent = [name for name in _LEFT_OUT if asked[name] and name not in without]
            named = [name for name in sent if name in (error.diagnostics or "")]
            if error.http_status is None or not sent:
                raise
            return (named or sent)[0]
        return None

    def _leave_out(self, name: str, search: TypeSearch) -> None:
        self._without.add(name)
        if name == "_revinclude":
            self._refused.update(search.comes_along)
        told = f"The server does not take {name} in searches: {_LEFT_OUT[name]}."
        self._note("parameter_left_out", told)

    def _gather(self, search: TypeSearch, unit: _Unit, without: frozenset[str]) -> None:
        since = None if "_lastUpdated" in without else self._plan.since_text
        wanted = search.comes_along
        for query in search.queries(unit.patient, since, along="_revinclude" not in without):
            url, given = self._client.search_url(search.resource, query), 0
            for number, page in enumerate(self._pages(search.resource, url)):
                if number == 0:
                    self._look_for_ignored(query, search, page)
                # Some servers count what comes along, too.
                given += len(page.matches) + len(page.included)
                self._look_for_gaps(search.resource, page, given, lacking={search.resource})
                included = [each for each in page.included if each["resourceType"] in wanted]
                for resource in (*page.matches, *included):
                    key = resource["resourceType"], str(resource.get("id"))
                    if key not in unit.seen and changed_since(resource, self._since):
                        unit.seen.add(key)
                        unit.gathered.add(resource["resourceType"], exact.write(resource))

    def _look_for_ignored(
        self, query: list[tuple[str, str]], search: TypeSearch, page: Page
    ) -> None:
        ignored = ignored_parameters(query, page)
        narrowing = {name for narrow in search.narrowed for name, _ in narrow}
        decisive = ({search.by} | narrowing) & set(ignored)
        if decisive:
            # Each patient's search would find every patient's records.
            raise Rejected(
                f"The server ignores {', '.join(sorted(map(str, decisive)))} in a search of "
                f"{search.resource}, so its records cannot be crawled."
            )
        if "_lastUpdated" in ignored:
            self._note(
                "parameter_ignored", "The server ignores _lastUpdated; it is looked at here."
            )
        if "_revinclude" in ignored:
            self._refused.update(search.comes_along)
            self._note(
                "parameter_ignored",
                f"The server ignores _revinclude; {_LEFT_OUT['_revinclude']}.",
            )

    def _look_for_gaps(self, resource: str, page: Page, given: int, *, lacking: set[str]) -> None:
        """Note what is odd about a page, and what is missing because of it."""
        for code, message in page.warnings:
            told = _GAPS.get(code)
            if told and (code != "total_mismatch" or (page.total or 0) > given):
                self._lacking |= lacking
            self._note(code, told.format(resource) if told else message)

    def _note(self, code: str, message: str) -> None:
        with self._lock:
            if ActionWarning(code, message) not in self._warnings:
                self._warnings.append(ActionWarning(code, message))
