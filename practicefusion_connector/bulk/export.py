"""An export from beginning to end: started or gone on with, waited for, fetched, checked, cleared.

This is the room a host uses. It decides what happens next from what the ledger says; how each step
is done is the other rooms' business.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

from practicefusion_connector.bulk import checking
from practicefusion_connector.bulk.exchange import Exchange
from practicefusion_connector.bulk.fetching import Handling
from practicefusion_connector.bulk.folder import Folder
from practicefusion_connector.bulk.jobs import JobStore, StaleJob
from practicefusion_connector.bulk.ledger import Ledger
from practicefusion_connector.bulk.outcome import ExportOutcome, Progress
from practicefusion_connector.bulk.plan import ExportPlan
from practicefusion_connector.bulk.polling import Patience
from practicefusion_connector.bulk.steps import Steps
from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import Cancelled, ConnectorError, InvalidConfig, InvalidInput
from practicefusion_connector.smart.provider import TokenProvider, TokensApart
from practicefusion_connector.transport import Policy, Transport


class Export:
    """Exports a practice's records into a folder, as NDJSON.

    A run may die at any moment: the next `run` of the same plan into the same folder goes on where
    it was, with the job at the server where that is still good. A finished export stays finished:
    `run` gives the same outcome again until `release` forgets it or its files are gone.

    Args:
        connection: which practice; a backend-services connection (level `system`).
        tokens: hands out access tokens, for hours where need be (`ManagedTokens`).
        folder: where the files go; one export in each folder. Only its owner can read them.
        jobs: keeps how far each job came.
        policy: timeouts, retries, pace and bounds of single requests; `max_body_bytes` is also the
            size of one resource at most.
        transport: to share its connection pool; its policy is used.
        concurrency: files, or in a crawl patients, at once.
        validation: `report` counts what breaks FHIR R4's rules, `quarantine` puts it aside, `none`
            does not look.
        progress: told what goes on, from one thread at a time; what it raises ends the run.
        patience: how to wait for the server.
    """

    def __init__(
        self,
        connection: Connection,
        tokens: TokenProvider,
        folder: Path,
        jobs: JobStore,
        *,
        policy: Policy | None = None,
        transport: Transport | None = None,
        concurrency: int = 4,
        validation: checking.Validation = "report",
        progress: Callable[[Progress], None] | None = None,
        patience: Patience | None = None,
    ) -> None:
        if not 1 <= concurrency <= 64 or validation not in ("report", "quarantine", "none"):
            raise InvalidInput(
                "An export takes a concurrency of 1 to 64, and validation report, quarantine or "
                "none."
            )
        self._connection = connection
        self._tokens = tokens
        self._folder = Folder(Path(folder))
        self._jobs = jobs
        self._policy = policy
        self._transport = transport
        self._handling = Handling(validation, concurrency, _one_at_a_time(progress))
        self._patience = patience or Patience()

    def job_id(self, plan: ExportPlan) -> str:
        """Return the id under which the job store keeps this plan's job."""
        where = str(self._folder.path.resolve())
        base = self._connection.fhir_base_url
        return f"export-{plan.digest(self._connection.id, base, where)}"

    def run(
        self, plan: ExportPlan, cancel: Event | None = None, *, abandon: bool = True
    ) -> ExportOutcome:
        """Export, or go on with an export, and return once everything is checked on the disk.

        Args:
            plan: what to export.
            cancel: ends the export when set: the server is told to drop the job, and the files
                fetched so far are removed.
            abandon: `False` to only stop when `cancel` is set: job and files stay, and the next
                run goes on, as after the end of a process.

        Raises:
            InvalidInput: the folder is in use, or holds another export.
            InvalidConfig: a library is missing, or the folder cannot be written.
            Rejected: the server does not take a parameter of the plan.
            Cancelled: `cancel` was set, or another process has taken this export over.
            ConnectorError: everything else; what is `retryable` can be run again.
        """
        checking.ready(self._handling.validation)
        with self._stepping(plan, self.job_id(plan), cancel) as steps:
            try:
                return steps.outcome()
            except Cancelled:
                if abandon and cancel is not None and cancel.is_set():
                    steps.abandon()
                raise

    @property
    def transaction_time(self) -> str | None:
        """What the export in the folder is of, whichever plan's it is; `None` until it is done."""
        return self._folder.transaction_time

    def abandon(self, plan: ExportPlan | None = None) -> None:
        """Drop a job, at the server too, and all it gave; it raises what `run` does.

        Args:
            plan: whose job; none given, the one whose export the folder holds, if any.
        """
        job_id = self._job_of(plan)
        if job_id is None:
            return
        # What a crawl of any plan may have left is among what one of everything would.
        with self._stepping(plan or ExportPlan(), job_id, None) as steps:
            steps.abandon()
        self._release(job_id, files=True)

    def release(self, plan: ExportPlan | None = None, *, files: bool = False) -> None:
        """Forget a job, so that the next `run` exports anew.

        Args:
            plan: whose job; none given, the one whose export the folder holds, if any.
            files: remove its files too.
        """
        job_id = self._job_of(plan)
        if job_id is not None:
            self._release(job_id, files=files)

    def _job_of(self, plan: ExportPlan | None) -> str | None:
        return self.job_id(plan) if plan else self._folder.job

    def _release(self, job_id: str, *, files: bool) -> None:
        if files and self._folder.path.is_dir():
            with self._folder.held(job_id):
                self._folder.remove(Ledger(self._jobs, job_id).parts)
        self._folder.disown(job_id)
        self._jobs.delete(job_id)

    @contextmanager
    def _stepping(self, plan: ExportPlan, job_id: str, cancel: Event | None) -> Iterator[Steps]:
        with self._named(), self._sending() as transport, self._folder.held(job_id):
            ledger = Ledger(self._jobs, job_id)
            tokens = TokensApart(self._tokens)
            exchange = Exchange(transport, self._connection.fhir_base_url, tokens, cancel)
            yield Steps(plan, exchange, self._folder, ledger, self._handling, self._patience)

    @contextmanager
    def _sending(self) -> Iterator[Transport]:
        if self._transport is not None:
            yield self._transport
            return
        with closing(Transport(self._policy)) as own:
            yield own

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Name the connection in every error, and give those that are none of ours a sentence."""
        stolen = False
        code: int | None = None
        try:
            yield
        except ConnectorError as error:
            error.connection_id = self._connection.id
            raise
        except StaleJob:
            stolen = True
        except OSError as error:
            # Its text may name a folder after a practice; the number says enough.
            code = error.errno
        else:
            return
        if stolen:
            raise Cancelled("Another process has taken this export over; it goes on there.")
        raise InvalidConfig(
            f"The export's folder cannot be written to (errno {code}): look at its rights and at "
            "the room on its disk. The next run goes on where this one stopped.",
            connection_id=self._connection.id,
        )


def _one_at_a_time(progress: Callable[[Progress], None] | None) -> Callable[[Progress], None]:
    lock = threading.Lock()

    def report(told: Progress) -> None:
        if progress is not None:
            with lock:
                progress(told)

    return report
