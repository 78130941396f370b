"""The lines of an exported type: a snapshot, multiplied where a large practice is wanted.

A line is rendered when it is sent, so that a hundred thousand patients cost no more memory than the
twenty they are copies of. Copies differ in the ids of what lies in a patient's compartment, and in
the references to it. Knows no HTTP.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from practicefusion_connector.sandbox.store import Resource

_UUID = re.compile(rb"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
Template = list[bytes]


def template(resource: Resource, own: frozenset[bytes]) -> Template:
    """A resource as a line, cut at the ids that differ from copy to copy: every second piece."""
    text = json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    pieces: Template = [b""]
    for number, piece in enumerate(_UUID.split(text)):
        if number % 2 and piece in own:
            pieces += [piece, b""]
        else:
            pieces[-1] += piece
    return pieces


def render(pieces: Template, copy: int) -> bytes:
    """The line of one copy; copy 0 is the original."""
    if not copy or len(pieces) == 1:
        return b"".join(pieces)
    return b"".join(
        b"%08x%s" % (int(piece[:8], 16) ^ copy, piece[8:]) if number % 2 else piece
        for number, piece in enumerate(pieces)
    )


class Lines:
    """All lines of one type: first those that are in no patient's record, then copy by copy.

    `owners` holds for each of the other templates the number of its patient, from 0, rising.
    """

    def __init__(
        self,
        shared: Sequence[bytes],
        owned: Sequence[Template],
        owners: Sequence[int],
        base_patients: int,
        patients: int,
    ) -> None:
        self._shared = shared
        self._owned = owned
        full, rest = divmod(patients, base_patients) if base_patients else (1, 0)
        partial = sum(owner < rest for owner in owners)
        self.count = len(shared) + full * len(owned) + partial
        self._shared_ends = _ends(len(line) for line in shared)
        self._owned_ends = _ends(sum(map(len, pieces)) for pieces in owned)

    def size(self, start: int, stop: int) -> int:
        """Bytes of the lines from `start` to before `stop`."""
        return self._end(stop) - self._end(start)

    def read(self, start: int, stop: int, offset: int = 0) -> Iterator[bytes]:
        """The lines from `start` to before `stop`, from a byte offset within them on."""
        first = self._line_at(self._end(start) + offset)
        skip = self._end(start) + offset - self._end(first)
        for number in range(first, stop):
            line = self._render(number)
            yield line[skip:]
            skip = 0

    def _render(self, number: int) -> bytes:
        if number < len(self._shared):
            return self._shared[number]
        copy, place = divmod(number - len(self._shared), len(self._owned))
        return render(self._owned[place], copy)

    def _end(self, number: int) -> int:
        """Bytes of the first lines, so many of them."""
        if number <= len(self._shared):
            return self._shared_ends[number]
        copy, place = divmod(number - len(self._shared), len(self._owned))
        return self._shared_ends[-1] + copy * self._owned_ends[-1] + self._owned_ends[place]

    def _line_at(self, position: int) -> int:
        """The line that holds a byte."""
        shared = self._shared_ends[-1]
        if position < shared or not self._owned:
            return min(bisect_right(self._shared_ends, position) - 1, len(self._shared))
        copy, within = divmod(position - shared, self._owned_ends[-1])
        place = bisect_right(self._owned_ends, within) - 1
        return len(self._shared) + copy * len(self._owned) + place


def _ends(sizes: Iterable[int]) -> list[int]:
    return [0, *accumulate(sizes)]
