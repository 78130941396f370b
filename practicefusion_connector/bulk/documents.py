"""The JSON documents in a file, one after another, whatever shape the server gave it.

NDJSON is the rule: a document on a line. But servers also send one pretty-printed resource, several
in a row, or a Bundle, compressed or not; so the file is looked at and nothing is assumed. One
document is in memory at a time, and one that is broken takes no other along where they can be told
apart. It knows JSON and nothing of FHIR.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import orjson

_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
# Of a string that does not end on its line, all that follows.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?')
# The first member of an object, where it is text: resources of a type begin alike.
_FIRST_MEMBER = re.compile(rb'\{\s*("[^"\\]*+"\s*:\s*"[^"\\]*+")')
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_AS_BRACES = bytes.maketrans(b"[]", b"{}")
# Levels of a document at most: neither its check nor who reads it later goes deeper.
_LEVELS = 200
# Levels that are told apart; the parser reads 1024 at most.
_DEEPEST = 2000
_PIECE = 1 << 20
# Bytes of a line that its first member lies in.
_HEAD = 200
# Lines looked at before the file is taken for one that is not a document on a line.
_LOOKED_AT = 50
# The reasons why a stretch of a file is no document.
BLANK = "is blank"
TOO_LONG = "is too long to be read"
TOO_DEEP = "is nested too deep to be read"
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
        if seen == 1 and text.startswith(b"["):
            # No resource begins so: it is a list with a resource on each line.
            return False
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
    """Yield documents of several lines."""
    stretch: _Stretch | None = None
    after: list[tuple[int, bytes, bool]] = [(0, b"", True)]
    for (number, line, whole), (_, following, _) in pairwise(chain(_lines(file, longest), after)):
        text = line.strip()
        if (
            stretch is not None
            and text[0] in b"{["
            and stretch.ends_before(_indent(line), text, following)
        ):
            yield stretch.document()
            stretch = None
        if stretch is None:
            stretch = _Stretch(number, _indent(line), _head(text, following), longest)
        elif stretch.lines == 1:
            stretch.goes_on(_indent(line))
        stretch.add(text, whole=whole)
        if not stretch.open and stretch.complete():
            yield stretch.document()
            stretch = None
    if stretch is not None:
        yield stretch.document()


def _lines(file: BinaryIO, longest: int) -> Iterator[tuple[int, bytes, bool]]:
    """Yield number and text of each line that is not blank, and whether that is all of it."""
    number = 0
    while line := file.readline(longest + 1):
        number += 1
        whole = len(line) <= longest
        if not whole:
            _skip_line(file, line)
        line = line.removeprefix(_BOM)
        if line.strip():
            yield number, line, whole


class _Stretch:
    """Lines that are one document, or that nobody can tell apart.

    A document ends with the line that closes its brackets. One that is broken may close too many or
    too few; it ends where another certainly begins, and not before: a part of it that happens to be
    JSON must not pass for a document.
    """

    def __init__(self, began: int, indent: int, head: bytes | None, longest: int) -> None:
        self.lines = 0
        self.open = bytearray()
        self._began = began
        self._indent = indent
        self._head = head
        self._longest = longest
        self._indented = False
        self._last = b""
        self._held = bytearray()
        self._too_long = False
        self._found: tuple[Any, str | None] | None = None

    def goes_on(self, indent: int) -> None:
        """Note how far the second line is indented; all within follows suit."""
        self._indented = len(self.open) == 1 and indent > self._indent

    def add(self, text: bytes, *, whole: bool) -> None:
        """Add a line; of one that is not `whole`, nothing but the beginning is known."""
        self.lines += 1
        if not self._too_long:
            self._held += text
            # A string that goes on over lines is no JSON.
            self._held += b"\n"
            self._too_long = not whole or len(self._held) > self._longest
        if not whole:
            return
        self._last = text[-1:]
        if not text.translate(None, _NO_BRACKETS):
            return
        for bracket in _STRING.sub(b"", text).translate(None, _NO_BRACKETS):
            if bracket in b"{[":
                self.open.append(bracket)
            else:
                del self.open[-1:]
        del self.open[_DEEPEST:]

    def complete(self) -> bool:
        """Say whether what has closed all its brackets is a document, or too long to be one."""
        if self._found is not None:
            return False
        self._found = self._read()
        return self._found[1] != NO_JSON

    def ends_before(self, indent: int, text: bytes, following: bytes) -> bool:
        """Say whether the bracket that opens the next line certainly begins another document.

        Args:
            indent: of the next line.
            text: of it.
            following: the line after it.
        """
        outermost = indent <= self._indent
        if not self.open:
            return outermost or not self._indented
        # In JSON a bracket opens after these only; else the end of what was begun is missing.
        within = self._last in b"[:" or (self._last == b"," and self.open[-1:] == b"[")
        if not outermost or within:
            return False
        if self._indented or self.lines == 1:
            return True
        # Without indents nothing but its beginning tells a document from what lies within one.
        return self._head is not None and _head(text, following) == self._head

    def document(self) -> Document:
        """Return what the lines are."""
        value, reason = self._read() if self._found is None or self._too_long else self._found
        raw = bytes(self._held)
        if reason is None:
            # No string of a document goes on over lines, so that their ends say nothing.
            raw = raw.replace(b"\n", b"")
        elif reason == TOO_LONG:
            raw = raw[: self._longest]
        return Document(self._began, raw, value, reason, False)

    def _read(self) -> tuple[Any, str | None]:
        return (None, TOO_LONG) if self._too_long else _parsed(bytes(self._held))


def _head(text: bytes, following: bytes) -> bytes | None:
    """Return the first member of the object that begins with a line, the next one perhaps."""
    found = _FIRST_MEMBER.match(text[:_HEAD] + following[:_HEAD].strip())
    return found[1] if found else None


def _indent(line: bytes) -> int:
    return len(line) - len(line.lstrip())


def _parsed(text: bytes) -> tuple[Any, str | None]:
    try:
        value = orjson.loads(text)
    except ValueError:
        # The parser's own words may quote the text.
        return None, NO_JSON
    # Nearly every document has so few brackets that nothing more need be looked at.
    deep = text.count(b"{") + text.count(b"[") > _LEVELS and _is_too_deep(text)
    return (None, TOO_DEEP) if deep else (value, None)


def _is_too_deep(text: bytes) -> bool:
    brackets = _STRING.sub(b"", text).translate(_AS_BRACES).translate(None, _NO_BRACKETS)
    for _ in range(_LEVELS):
        brackets = brackets.replace(b"{}", b"")
    return bool(brackets)


def _skip_line(file: BinaryIO, line: bytes) -> None:
    while not line.endswith(b"\n") and (line := file.readline(_PIECE)):
        pass
