"""What happens next to one job, decided from its ledger.

A job that has expired at the server is replaced by a new one; everything fetched from it goes, as
the new one is of another moment. It sends nothing itself.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from practicefusion_connector.bulk.exchange import Exchange
from practicefusion_connector.bulk.fetching import Fetching, Handling
from practicefusion_connector.bulk.folder import Folder
from practicefusion_connector.bulk.kickoff import kick_off, refused
from practicefusion_connector.bulk.ledger import UNDER_WAY, Ledger
from practicefusion_connector.bulk.manifest import Item
from practicefusion_connector.bulk.outcome import ExportOutcome, Progress, Stage
from practicefusion_connector.bulk.plan import ExportPlan
from practicefusion_connector.bulk.polling import Patience, wait_for_manifest
from practicefusion_connector.bulk.telling import outcome_of
from practicefusion_connector.errors import (
    ActionWarning,
    ConnectorError,
    Forbidden,
    NotFound,
    UpstreamUnavailable,
)

if TYPE_CHECKING:
    from practicefusion_connector.bulk.crawl import Crawl

# A job that expires while it is fetched is started anew; one that always does is not waited for.
_RESTARTS = 2
# A clean-up that fails costs nothing: the server drops the job by itself some day.
_CLEARING = 30.0


class Steps:
    """Brings one job to its end."""

    def __init__(
        self,
        plan: ExportPlan,
        exchange: Exchange,
        folder: Folder,
        ledger: Ledger,
        handling: Handling,
        patience: Patience,
    ) -> None:
        self._plan = plan
        self._exchange = exchange
        self._folder = folder
        self._ledger = ledger
        self._handling = handling
        self._patience = patience

    def outcome(self) -> ExportOutcome:
        """Go on from where the job is, or begin; return the outcome once it is done."""
        resumed = self._can_go_on()
        if resumed:
            self._ledger.take()
        for restart in range(_RESTARTS + 1):
            if not (resumed and restart == 0):
                self._begin()
            try:
                self._to_end()
                break
            except NotFound as error:
                self._expired(error, last=restart == _RESTARTS)
        self._clear()
        told = outcome_of(self._ledger, self._folder, self._handling.validation, resumed=resumed)
        self._folder.report(self._ledger.job_id, {"state": "done", **told.to_dict()})
        self._report("done")
        return told

    def abandon(self) -> None:
        """Drop the job at the server and everything it gave."""
        self._clear()
        self._remove_files()
        self._ledger.update(state="cancelled")

    def _can_go_on(self) -> bool:
        job = self._ledger.job
        if job.state not in UNDER_WAY:
            return False
        if job.state == "done":
            files = self._ledger.parts
            return self._folder.job == self._ledger.job_id and all(
                self._folder.file(name).is_file() for name in files
            )
        return job.mode == "crawl" or self._ledger.status_url is not None

    def _begin(self) -> None:
        """Start anew: at the server, or as a crawl where the server has no export for us."""
        self._remove_files()
        self._ledger.update(state="new", scope=self._plan.scope, warnings=[])
        self._folder.report(self._ledger.job_id, {"state": "begun"})
        if self._plan.mode == "crawl":
            self._crawl().begin()
            return
        try:
            started = kick_off(self._plan, self._exchange)
        except ConnectorError as error:
            crawlable = self._plan.mode == "auto" and self._plan.scope != "system"
            if not crawlable or not refused(error, self._plan):
                raise
            self._ledger.update(warnings=[tuple(_instead(error))])
            self._crawl().begin()
            return
        self._ledger.started(started.status_url, started.since, started.warnings)
        self._report("kicked_off")

    def _to_end(self) -> None:
        job = self._ledger.job
        if job.state == "done":
            return
        if job.mode == "crawl":
            self._crawl().to_end()
        else:
            self._fetch()
        self._ledger.update(state="done")

    def _fetch(self) -> None:
        items = self._manifest()
        try:
            Fetching(self._exchange, self._folder, self._ledger, self._handling).fetch(items)
        except (Forbidden, NotFound):
            # Signed URLs lapse; where the job is still there, it has fresh ones.
            again = self._manifest()
            Fetching(self._exchange, self._folder, self._ledger, self._handling).fetch(again)

    def _manifest(self) -> list[Item]:
        """Wait for the manifest and write down what moment it is of; return the files wanted."""
        url = self._ledger.status_url
        if url is None:
            raise NotFound("The status URL of this export is not known any more.")
        try:
            moment, items = wait_for_manifest(url, self._exchange, self._patience, self._polling)
        except UpstreamUnavailable as error:
            if error.http_status == 500:
                self._clear()
                self._ledger.update(state="failed", reason=error.message)
            raise
        job = self._ledger.job
        if job.transaction_time not in (None, moment):
            # The same URL tells of another export now: nothing of the old one fits.
            self._remove_files()
        if job.state != "downloading" or job.transaction_time != moment:
            self._ledger.update(state="downloading", transaction_time=moment)
        wanted = self._plan.types
        return [
            item
            for item in items
            if item.section != "output" or not wanted or item.resource_type in wanted
        ]

    def _polling(self, percent: float | None, asked: float | None) -> None:
        if self._ledger.job.state == "kicked_off":
            self._ledger.update(state="polling")
        self._handling.report(Progress("polling", percent=percent, retry_after=asked))

    def _expired(self, error: NotFound, *, last: bool) -> None:
        # Where it is the files that are gone, the job must not stay beside the next one.
        self._clear()
        self._ledger.update(state="expired", reason=error.message)
        if last or self._ledger.job.mode == "crawl":
            raise error

    def _clear(self) -> None:
        """Tell the server that the job may go, or that it need not go on."""
        url, job = self._ledger.status_url, self._ledger.job
        if job.mode == "crawl" or url is None or job.cleared:
            return
        own = Exchange(self._exchange.transport, self._exchange.base_url, self._exchange.tokens)
        with suppress(ConnectorError):
            own.once("DELETE", url, own.run(_CLEARING), {"Accept": "application/fhir+json"})
        self._ledger.update(cleared=True)

    def _remove_files(self) -> None:
        names = self._ledger.forget_parts()
        if self._ledger.job.mode == "crawl":
            names += self._crawl().names()
        self._folder.remove(names)

    def _crawl(self) -> Crawl:
        # Imported where it is needed: an export by $export does not pay for the registry.
        from practicefusion_connector.bulk.crawl import Crawl

        return Crawl(self._plan, self._exchange, self._folder, self._ledger, self._handling)

    def _report(self, stage: Stage) -> None:
        self._handling.report(Progress(stage))


def _instead(error: ConnectorError) -> ActionWarning:
    status = f" (HTTP {error.http_status})" if error.http_status else ""
    return ActionWarning(
        "export_refused", f"The server has no $export here{status}; it was done by search."
    )
