"""The files of a manifest brought into the folder: several at once, each checked as it arrives.

What an earlier run fetched stays. A URL that has lapsed is asked for anew with the manifest; what
the server no longer has ends the job as expired.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from practicefusion_connector.bulk.checking import Checked, Validation, check
from practicefusion_connector.bulk.download import Download
from practicefusion_connector.bulk.exchange import Exchange
from practicefusion_connector.bulk.folder import Folder
from practicefusion_connector.bulk.ledger import FilePart, Ledger
from practicefusion_connector.bulk.manifest import Item
from practicefusion_connector.bulk.marks import Marks
from practicefusion_connector.bulk.outcome import Progress, Report, Stage

_LOOK_UP = 0.25
# How much of a file comes between two reports of progress, in bytes.
_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Handling:
    """How files are handled: how many at once, and what becomes of what breaks the rules."""

    validation: Validation
    concurrency: int
    report: Report


class Fetching:
    """Fetches the files of one job."""

    def __init__(
        self, exchange: Exchange, folder: Folder, ledger: Ledger, handling: Handling
    ) -> None:
        self._halt = threading.Event()
        self._asked = exchange.cancel
        # Downloads stop when one of them fails, and when the caller says so.
        self._exchange = Exchange(
            exchange.transport, exchange.base_url, exchange.tokens, self._halt
        )
        self._folder = folder
        self._ledger = ledger
        self._handling = handling
        self._total = 0

    def fetch(self, items: list[Item]) -> None:
        """Fetch and check what is not here yet; raises the first error.

        Files come in threads and are checked in this one: fetching is the network's work and
        checking the processor's, and one thread that parses keeps memory small.

        Raises:
            ConnectorError: a file cannot be had.
            StaleJob: another process has the job now.
            OSError: the disk does not take it.
        """
        self._total = len(items)
        missing = [item for item in items if not self._here(item)]
        with ThreadPoolExecutor(self._handling.concurrency, "bulk-download") as pool:
            try:
                self._check_as_they_come(
                    pool, {pool.submit(self._download, each) for each in missing}
                )
            except BaseException:
                self._halt.set()
                pool.shutdown(cancel_futures=True)
                raise

    def _check_as_they_come(self, pool: ThreadPoolExecutor, pending: set[Future[Download]]) -> None:
        again: set[str] = set()
        while pending:
            if self._asked is not None and self._asked.is_set():
                self._halt.set()
            done, pending = wait(pending, timeout=_LOOK_UP, return_when=FIRST_COMPLETED)
            for download in [each.result() for each in done]:
                item = download.item
                checked = self._checked(item)
                complete = item.count in (None, checked.given, checked.documents)
                if not complete and item.name not in again:
                    # Once more: the break of a connection may have looked like the file's end.
                    again.add(item.name)
                    pending.add(pool.submit(download.again))
                    continue
                part = self._ledger.parts[item.name]
                self._ledger.part(item.name, part.checked(checked, complete=complete))
                told = self._progress(item, "checked", checked.bytes, count=checked.kept)
                self._handling.report(told)

    def _here(self, item: Item) -> bool:
        part = self._ledger.parts.get(item.name)
        path = self._folder.file(item.name)
        return (
            part is not None
            and part.state == "checked"
            and part.fingerprint == item.fingerprint
            and _size(path) == part.bytes
        )

    def _download(self, item: Item) -> Download:
        part, path = self._begun(item), self._folder.part(item.name)

        def noted(**changes: Any) -> None:
            known = self._ledger.parts[item.name]
            self._ledger.part(item.name, known.model_copy(update=changes))

        download = Download(
            item,
            self._exchange,
            path,
            None if part.marks is None else Marks.from_dict(part.marks),
            marked=lambda now: noted(state="coming", marks=now.to_dict()),
            moved=self._moved(item),
        )
        if part.state != "fetched" or _size(path) != part.bytes:
            download.fetch()
            noted(state="fetched", bytes=_size(path))
        return download

    def _begun(self, item: Item) -> FilePart:
        """Return the part of a file that was begun, or begin it."""
        known = self._ledger.parts.get(item.name)
        if known is not None and known.fingerprint == item.fingerprint and known.state != "checked":
            return known
        self._folder.part(item.name).unlink(missing_ok=True)
        self._ledger.parts[item.name] = FilePart.of(item)
        return self._ledger.parts[item.name]

    def _checked(self, item: Item) -> Checked:
        return check(
            self._folder.part(item.name),
            self._folder.file(item.name),
            self._folder.quarantine(item.name),
            item.resource_type,
            # Bundles of deletions and OperationOutcomes are read by us, not handed on.
            validation=self._handling.validation if item.section == "output" else "none",
            longest=self._exchange.transport.policy.max_body_bytes,
            deletions=item.section == "deleted",
            halt=self._asked,
        )

    def _moved(self, item: Item) -> Callable[[int, int | None], None]:
        told = 0

        def moved(size: int, total: int | None) -> None:
            nonlocal told
            if size - told >= _STEP or size < told or size == total:
                told = size
                progress = self._progress(item, "downloading", size)
                self._handling.report(replace(progress, total_bytes=total))

        return moved

    def _progress(self, item: Item, stage: Stage, size: int, count: int = 0) -> Progress:
        return Progress(
            stage,
            resource_type=item.resource_type,
            file=item.name,
            bytes=size,
            count=count,
            total=self._total,
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1
