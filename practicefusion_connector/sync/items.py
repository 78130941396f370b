"""What is synced: lines of NDJSON files, read in batches from any line, and what became of each.

Pure but for reading files. It knows no target and no state.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson

from practicefusion_connector.bulk import exact

Resource = dict[str, Any]
Status = Literal["created", "updated", "unchanged", "failed"]

TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
# Wider than FHIR's id, whose 64 characters some servers outgrow.
ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")
# What a FHIR server sets itself: it does not travel to another one.
_VOLATILE_META = ("versionId", "lastUpdated")


class Key(NamedTuple):
    """A resource of the source: its type and its id there."""

    type: str
    id: str


class Position(NamedTuple):
    """How far a file is applied: lines read, and the byte that follows them."""

    line: int = 0
    offset: int = 0


class Batch(NamedTuple):
    """Some lines of a file, each with its number (the first is 1), and where they end."""

    lines: tuple[tuple[int, bytes], ...]
    end: Position


@dataclass(frozen=True, slots=True)
class Item:
    """One resource as the source gives it."""

    key: Key
    line: int
    raw: bytes = field(repr=False)
    resource: Resource = field(repr=False)
    digest: bytes = field(repr=False)

    @property
    def exact(self) -> Resource:
        """The resource for `bulk.exact.write`, which gives its decimals back digit by digit."""
        found: Resource = exact.read(self.raw)
        return found


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one item.

    Attributes:
        target_id: the id the target gave it, where the target gives ids of its own.
        wanted: what its references name and the target does not hold yet, see `references`.
        aliases: the identifiers it can be referred to by, as `references.alias` gives them.
        code: why it failed, as a word.
        http_status: what the server answered, where there is one.
    """

    status: Status
    target_id: str | None = None
    wanted: tuple[Key, ...] = ()
    aliases: tuple[str, ...] = ()
    code: str = ""
    http_status: int | None = None


class Refusal(NamedTuple):
    """A line that does not reach the target, and why.

    Attributes:
        type: of the resource or, where the line is none, of the file.
        source_id: the resource's id, where it can be told.
        file: the file's name.
        line: the first is 1; 0 for a deletion.
        code: a word.
        http_status: what the target answered, where it was asked.
        body: the line as it came; `None` for a deletion.
    """

    type: str
    source_id: str | None
    file: str
    line: int
    code: str
    http_status: int | None = None
    body: bytes | None = None

    @property
    def key(self) -> Key | None:
        """The resource, where it can be told."""
        return Key(self.type, self.source_id) if self.source_id else None


class Unusable(Exception):
    """A line that is no resource; the text is a word, see `read_item`."""


def read_batches(
    path: Path, start: Position, limits: Callable[[], tuple[int, int]]
) -> Iterator[Batch]:
    """Yield a file's lines from `start` on, in batches.

    Args:
        path: an NDJSON file; its empty lines are counted and left out.
        start: where to begin.
        limits: how many lines and bytes the next batch may hold; it holds one line at least.
    """
    lines, size = limits()
    with path.open("rb") as file:
        file.seek(start.offset)
        number, offset = start
        held: list[tuple[int, bytes]] = []
        weight = 0
        for line in file:
            number, offset = number + 1, offset + len(line)
            if line.strip():
                held.append((number, line.rstrip(b"\r\n")))
                weight += len(line)
            if len(held) >= lines or weight >= size:
                yield Batch(tuple(held), Position(number, offset))
                lines, size = limits()
                held, weight = [], 0
        if held:
            yield Batch(tuple(held), Position(number, offset))


def read_item(line: int, raw: bytes, *, whole: bool = False) -> Item:
    """Return the resource on a line.

    Args:
        line: its number.
        raw: what is on it.
        whole: whether the target keeps the source's version and time of update, so that they
            belong to the content.

    Raises:
        Unusable: `unparsable` (not a JSON object), `no_type`, `no_id` or `too_deep`.
    """
    try:
        resource = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Unusable("unparsable") from None
    if not isinstance(resource, dict):
        raise Unusable("unparsable")
    kind, logical_id = resource.get("resourceType"), resource.get("id")
    if not isinstance(kind, str) or not TYPE.fullmatch(kind):
        raise Unusable("no_type")
    if not isinstance(logical_id, str) or not ID.fullmatch(logical_id):
        raise Unusable("no_id")
    return Item(Key(kind, logical_id), line, raw, resource, digest_of(resource, whole=whole))


def digest_of(resource: Resource, *, whole: bool = False) -> bytes:
    """Return the digest of a resource's content: the same for the same content, in any order.

    Raises:
        Unusable: `too_deep`.
    """
    meta = resource.get("meta")
    if isinstance(meta, dict) and not whole:
        kept = {name: value for name, value in meta.items() if name not in _VOLATILE_META}
        resource = {**resource, "meta": kept}
        if not kept:
            del resource["meta"]
    try:
        canonical = orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # the library writes 254 levels at most
        raise Unusable("too_deep") from None
    return hashlib.blake2b(canonical, digest_size=16).digest()
