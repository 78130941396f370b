"""The JSON documents in a file, one after another, whatever shape the server gave it.

NDJSON is the rule: a document on a line. But servers also send one pretty-printed resource, several
in a row, or a Bundle, compressed or not; so the file is looked at and nothing is assumed. One
document is in memory at a time. It knows JSON and nothing of FHIR.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import orjson

_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_CLOSING = (b"}", b"]")
_PIECE = 1 << 20
# Lines looked at before the file is taken for one that is not a document on a line.
_LOOKED_AT = 50
# The reasons why a stretch of a file is no document.
BLANK = "is blank"
TOO_LONG = "is too long to be read"
NO_JSON = "is not JSON"
BROKEN = "cannot be decompressed"


class Document(NamedTuple):
    """One document of a file, or a stretch of it that is none.

    Attributes:
        line: where it begins, from 1.
        raw: its bytes; of one that is too long, only the beginning.
        value: what it says; `None` with a reason.
        reason: why it is no document, as words safe to show.
        plain: whether the file holds it as a line of its own, to be left where it is.
    """

    line: int
    raw: bytes
    value: Any
    reason: str | None
    plain: bool


def open_documents(path: Path) -> BinaryIO:
    """Open a file for `documents`, decompressing where it is compressed in itself."""
    with path.open("rb") as file:
        compressed = file.read(2) == _GZIP
    return cast(BinaryIO, gzip.open(path, "rb") if compressed else path.open("rb"))


def is_compressed(path: Path) -> bool:
    """Say whether the file is compressed in itself."""
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def documents(file: BinaryIO, longest: int) -> Iterator[Document]:
    """Yield the documents of a file from its beginning.

    Args:
        file: open for reading, at its beginning; it must be able to seek.
        longest: bytes of one document at most; what is longer is given as none.
    """
    by_line = _is_by_line(file, longest)
    file.seek(0)
    yield from _by_line(file, longest) if by_line else _by_shape(file, longest)


def _is_by_line(file: BinaryIO, longest: int) -> bool:
    """Look at the first lines: is the first a document, or any of them a resource by itself?"""
    seen = 0
    while seen < _LOOKED_AT and (line := file.readline(longest + 1)):
        text = line.removeprefix(_BOM).strip()
        if not text:
            continue
        seen += 1
        if seen == 1 and text in (b"{", b"[", b"[{"):
            return False
        value, reason = _parsed(text) if len(line) <= longest else (None, TOO_LONG)
        if reason is None and (seen == 1 or (isinstance(value, dict) and "resourceType" in value)):
            return True
        if reason == TOO_LONG:
            return True
    # One line that is no document is still a line; several are taken for a document in pieces.
    return seen < 2


def _by_line(file: BinaryIO, longest: int) -> Iterator[Document]:
    number = 0
    while line := file.readline(longest + 1):
        number += 1
        if len(line) > longest:
            _skip_line(file, line)
            yield Document(number, line, None, TOO_LONG, True)
            continue
        marked = number == 1 and line.startswith(_BOM)
        text = line.removeprefix(_BOM) if marked else line
        value, reason = _parsed(text) if not text.isspace() else (None, BLANK)
        yield Document(number, text, value, reason, not marked)


def _by_shape(file: BinaryIO, longest: int) -> Iterator[Document]:
    """Yield documents of several lines; each ends with a line that is only a closing bracket."""
    held: list[bytes] = []
    size, began, number = 0, 1, 0
    while line := file.readline(longest + 1):
        number += 1
        # No line breaks within a JSON string, so what stands around one says nothing.
        text = line.removeprefix(_BOM).strip()
        if not held:
            began = number
        if text:
            held.append(text)
            size += len(text)
        closes = line.rstrip() in _CLOSING
        if size > longest:
            yield Document(began, b"".join(held)[:longest], None, TOO_LONG, False)
            held, size = [], 0
        elif closes and held:
            raw = b"".join(held)
            value, reason = _parsed(raw)
            if reason is None:
                yield Document(began, raw, value, None, False)
                held, size = [], 0
    if held:
        raw = b"".join(held)
        value, reason = _parsed(raw)
        yield Document(began, raw, value, reason, False)


def _parsed(text: bytes) -> tuple[Any, str | None]:
    try:
        return orjson.loads(text), None
    except ValueError:
        # The parser's own words may quote the text.
        return None, NO_JSON


def _skip_line(file: BinaryIO, line: bytes) -> None:
    while not line.endswith(b"\n") and (line := file.readline(_PIECE)):
        pass
