"""One file of an export onto the disk, whatever breaks on the way.

The body goes straight into a `.part` file. After a break it goes on by Range (RFC 9110 §14), with a
stretch asked for twice, so that what is on disk and what comes are seen to be the same file; where
they are not, or the server ignores Range, it begins anew. It knows nothing of what the file holds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Self
from urllib.parse import urljoin

from practicefusion_connector.bulk.exchange import Exchange
from practicefusion_connector.bulk.manifest import Item, same_origin
from practicefusion_connector.bulk.marks import Marks
from practicefusion_connector.errors import (
    ConnectorError,
    InvalidResponse,
    NetworkFailure,
    Rejected,
    ResponseTooLarge,
)
from practicefusion_connector.files import open_private
from practicefusion_connector.transport import Incoming, Run

# Long enough for a file of many gigabytes; silence is bounded by the policy's read timeout.
_DEADLINE = 12 * 3600.0
_OVERLAP = 4096
_REDIRECTS = 3
# In bytes on the disk; what a compressed body may grow to.
_LARGEST = 1 << 40
# Breaks without a single new byte before the download is given up.
_BREAKS = 5
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_ACCEPT = "application/fhir+ndjson, application/json;q=0.9, */*;q=0.1"


class Download:
    """Fetches one file; made for each, used in one thread.

    Args:
        part: where the bytes go; what lies there from an earlier run is gone on with.
        marks: of the state the bytes in `part` are of, `None` where nobody knows.
        marked: told the marks as soon as they are known, before the bytes are.
        moved: told the size on disk after each piece.
    """

    def __init__(
        self,
        item: Item,
        exchange: Exchange,
        part: Path,
        marks: Marks | None,
        *,
        marked: Callable[[Marks], None],
        moved: Callable[[int, int | None], None],
    ) -> None:
        self.item = item
        self._exchange = exchange
        self._part = part
        self._marks = marks
        self._marked = marked
        self._moved = moved

    def fetch(self) -> Self:
        """Return once all of the file is on the disk.

        Raises:
            ConnectorError: it cannot be had: gone, refused, or broken too often.
            OSError: the disk does not take it.
        """
        run = self._exchange.run(_DEADLINE)
        breaks, furthest = 0, 0
        while True:
            with open_private(self._part, "ab") as out:
                have = self._usable(out)
                if self._marks is not None and self._marks.length == have:
                    return self
                outcome = self._attempt(out, have, run)
                out.flush()
                os.fsync(out.fileno())
                size = out.tell()
            if outcome is None:
                return self
            breaks = 1 if size > furthest else breaks + 1
            furthest = max(furthest, size)
            policy = self._exchange.transport.policy
            if breaks > _BREAKS or not policy.worth_another(outcome, 1, idempotent=True):
                raise outcome
            wait = self._exchange.transport.wait_before_next(outcome, breaks)
            if wait > policy.longest_wait:
                raise outcome
            run.sleep(wait, outcome.code)

    def again(self) -> Self:
        """Fetch the file whole, whatever lies on the disk."""
        self._marks = None
        return self.fetch()

    def _usable(self, out: BinaryIO) -> int:
        """Return how many bytes on disk can be gone on from; without marks, none."""
        have = out.tell()
        if have and (self._marks is None or have > (self._marks.length or have)):
            self._anew(out)
            return 0
        return have

    def _anew(self, out: BinaryIO) -> None:
        out.truncate(0)
        out.seek(0)
        self._marks = None

    def _attempt(self, out: BinaryIO, have: int, run: Run) -> ConnectorError | None:
        """Fetch what is missing; return what broke it, raise what no other attempt will change."""
        overlap = min(have, _OVERLAP)
        try:
            if self._receive(out, have - overlap, overlap, run):
                return None
        except Rejected as error:
            # 416: the file has become shorter than what is here.
            if error.http_status != 416 or not have:
                raise
        except ConnectorError as error:
            return error
        self._anew(out)
        try:
            self._receive(out, 0, 0, run)
        except ConnectorError as error:
            return error
        return None

    def _receive(self, out: BinaryIO, start: int, overlap: int, run: Run) -> bool:
        """Write what comes from `start` on; return `False` where it is another state of the file.

        The first `overlap` bytes are on disk already and are only compared.
        """
        headers = {"Accept": _ACCEPT}
        if overlap:
            # A range is of the bytes as they lie on disk, so they must come uncompressed.
            headers |= {"Range": f"bytes={start}-", "Accept-Encoding": "identity"}
        url, entitled = self.item.url, self.item.entitled
        for _ in range(_REDIRECTS + 1):
            with self._exchange.stream(url, run, headers, entitled=entitled) as incoming:
                if incoming.status >= 300:
                    url, entitled = self._redirected(incoming)
                    continue
                if incoming.status == 206:
                    return self._go_on(incoming, out, start, overlap)
                if overlap:
                    # Range was ignored: here is the file whole.
                    self._anew(out)
                self._note(incoming)
                self._write(incoming, out)
                return True
        raise InvalidResponse("The server redirects a file of the export without end.")

    def _redirected(self, incoming: Incoming) -> tuple[str, bool]:
        """Return where a redirect leads, and whether the token goes along there."""
        location = incoming.headers.get("Location")
        if incoming.status not in (301, 302, 303, 307, 308) or not location:
            raise InvalidResponse(
                f"The server answered a file of the export with HTTP {incoming.status}.",
                http_status=incoming.status,
            )
        url = urljoin(incoming.url, location)
        if incoming.url.startswith("https:") and not url.startswith("https:"):
            raise InvalidResponse("The server redirects a file of the export away from https.")
        return url, self.item.entitled and same_origin(self._exchange.base_url, url)

    def _go_on(self, incoming: Incoming, out: BinaryIO, start: int, overlap: int) -> bool:
        found = _RANGE.fullmatch(incoming.headers.get("Content-Range", ""))
        total = None if found is None or found[3] == "*" else int(found[3])
        now = replace(Marks.of(incoming), length=total)
        coded = incoming.headers.get("Content-Encoding", "identity") != "identity"
        if found is None or int(found[1]) != start or coded:
            return False
        if self._marks is not None and self._marks.contradict(now):
            return False
        same = self._write(incoming, out, expected=_tail(self._part, overlap))
        if same and total is not None and out.tell() < total:
            # A server may send less of a range than was asked for (RFC 9110 §15.3.7).
            raise NetworkFailure("The server sent a part of what is left of the file.")
        return same

    def _note(self, incoming: Incoming) -> None:
        self._marks = Marks.of(incoming)
        self._marked(self._marks)

    def _write(self, incoming: Incoming, out: BinaryIO, expected: bytes = b"") -> bool:
        """Append the body; where its beginning is not `expected`, write nothing and say so."""
        total = self._marks.length if self._marks else None
        for piece in incoming.chunks():
            known = piece[: len(expected)]
            if not expected.startswith(known):
                return False
            expected = expected[len(known) :]
            out.write(piece[len(known) :])
            size = out.tell()
            if size > _LARGEST:
                raise ResponseTooLarge(
                    f"A file of the export is larger than the limit of {_LARGEST} bytes."
                )
            self._moved(size, total)
        return not expected


def _tail(path: Path, count: int) -> bytes:
    with path.open("rb") as written:
        written.seek(-count, os.SEEK_END)
        return written.read(count)
