"""A downloaded file checked, resource by resource, and left as clean NDJSON.

Each resource is held against FHIR R4's rules. What is no resource is put aside, with file and
line, and never dropped; what breaks the rules is counted, or put aside too where that is asked for.
A file that needs no change is not written again. Memory does not grow with the file.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, Literal

import orjson

from practicefusion_connector.bulk import exact
from practicefusion_connector.bulk.documents import (
    BLANK,
    BROKEN,
    TOO_LONG,
    Document,
    documents,
    is_compressed,
    open_documents,
)
from practicefusion_connector.bulk.sections import unreadable_of
from practicefusion_connector.bulk.sieve import Aside, Sieve
from practicefusion_connector.errors import Cancelled
from practicefusion_connector.fhir.validation import Finding, Validate, validated, validator_for

Validation = Literal["report", "quarantine", "none"]

_INDEX = re.compile(r"\[\d+\]")
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
# Different findings of one file at most; a file that is wrong throughout says no more after them.
_MOST_FINDINGS = 1000


@dataclass(slots=True)
class Checked:
    """What a file held.

    Attributes:
        documents: JSON documents in the file as it came; more where a Bundle wraps several.
        given: resources as the server counts them, those put aside included.
        kept: resources in the file now.
        counts: of these, by type.
        aside: lines and resources put aside, and entries that name no deletion.
        findings: how often, and on which line first, by type, path and rule.
        unchecked: types without a schema to check them by.
    """

    documents: int = 0
    given: int = 0
    kept: int = 0
    bytes: int = 0
    aside: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    findings: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    unchecked: set[str] = field(default_factory=set)

    def note(self, kind: str, path: str, rule: str, line: int) -> None:
        """Count one finding."""
        place = (kind, _INDEX.sub("[]", path), rule)
        known = self.findings.get(place)
        if known is not None:
            self.findings[place] = (known[0] + 1, known[1])
        elif len(self.findings) < _MOST_FINDINGS:
            self.findings[place] = (1, line)


def ready(validation: Validation) -> None:
    """Raise `InvalidConfig` where validation is wanted and its library is not installed."""
    if validation != "none":
        _validator("Patient")


def check(
    part: Path,
    final: Path,
    aside: Path,
    kind: str,
    *,
    validation: Validation,
    longest: int,
    deletions: bool = False,
    halt: Event | None = None,
) -> Checked:
    """Check `part` and move it to `final`; what is put aside goes to the file `aside`.

    Args:
        kind: the resource type the file is said to hold.
        validation: what becomes of a resource that breaks the rules.
        longest: bytes of one resource at most.
        deletions: the file names what was deleted; an entry that cannot be read is put aside, too.
        halt: ends the check when set; `part` stays as it is.

    Raises:
        Cancelled: it was ended.
        OSError: the disk does not take it.
    """
    with (
        open_documents(part) as source,
        Sieve(part, final) as sieve,
        Aside(aside, final.name) as put_aside,
    ):
        sorting = _Sorting(kind, validation, sieve, put_aside, deletions)
        if is_compressed(part):
            sieve.leave_out(1)
        for document in _until_broken(documents(source, longest)):
            if halt is not None and halt.is_set():
                raise Cancelled("The check of a file was stopped.")
            sorting.take(document)
        done = sorting.done
        done.aside = put_aside.finish()
        done.bytes = sieve.finish(put_aside.original)
    return done


class _Sorting:
    """Sorts one file's documents into those to keep and those to put aside."""

    def __init__(
        self, kind: str, validation: Validation, sieve: Sieve, aside: Aside, deletions: bool
    ) -> None:
        self.done = Checked()
        self._kind = kind
        self._validation = validation
        self._sieve = sieve
        self._aside = aside
        self._deletions = deletions
        self._validate = None if validation == "none" else _validator(kind)

    def take(self, document: Document) -> None:
        line, raw, value, reason, plain = document
        if not plain:
            self._sieve.leave_out(1)
        elif reason is not None:
            self._sieve.leave_out(line)
        if reason == BLANK:
            return
        self.done.documents += 1
        if reason is not None:
            self._put_aside(line, raw, reason)
        elif self._is_wrapping(value):
            self._sieve.leave_out(line)
            for inner in _inside(exact.read(raw)):
                apart = exact.write(inner)
                self._one(line, apart, orjson.loads(apart))
        else:
            self._one(line, raw, value)

    def _is_wrapping(self, value: Any) -> bool:
        """Say whether a document is only the wrapping of resources: a list, or a Bundle."""
        if isinstance(value, list):
            return True
        is_bundle = isinstance(value, dict) and value.get("resourceType") == "Bundle"
        return is_bundle and self._kind != "Bundle"

    def _one(self, line: int, raw: bytes, value: Any) -> None:
        named = value.get("resourceType") if isinstance(value, dict) else None
        if named != self._kind and not (isinstance(named, str) and _TYPE.fullmatch(named)):
            self._sieve.leave_out(line)
            self._put_aside(line, raw, "is no FHIR resource")
            return
        if self._deletions:
            for entry in unreadable_of(value):
                # Beside the Bundle, whose other entries can be read.
                self._aside.text(line, orjson.dumps(entry), "names no deletion", whole=True)
        done = self.done
        done.given += 1
        findings = self._findings(value, named) if self._validation != "none" else None
        if findings:
            for found in findings:
                done.note(named, found.path, found.rule, line)
            if self._validation == "quarantine":
                self._sieve.leave_out(line)
                self._aside.resource(line, raw, findings)
                return
        self._sieve.keep(raw)
        done.kept += 1
        done.counts[named] = done.counts.get(named, 0) + 1

    def _findings(self, value: dict[str, Any], named: str) -> list[Finding]:
        if named == self._kind and self._validate is not None:
            return self._validate(value)
        validate = _validator(named)
        if validate is None:
            self.done.unchecked.add(named)
        found = validate(value) if validate else []
        if named != self._kind:
            found = [Finding(named, "resource_type", f"expected {self._kind}"), *found]
        return found

    def _put_aside(self, line: int, raw: bytes, reason: str) -> None:
        self.done.given += 1
        self._aside.text(line, raw, reason, whole=reason not in (TOO_LONG, BROKEN))


def _validator(kind: str) -> Validate | None:
    return validator_for(kind) if kind in validated() else None


def _inside(value: Any) -> Iterator[Any]:
    """Yield what a Bundle or a list holds; entries without a resource hold nothing to keep."""
    if isinstance(value, list):
        yield from value
        return
    entries = value.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or "resource" in entry:
            yield entry.get("resource") if isinstance(entry, dict) else entry


def _until_broken(found: Iterator[Document]) -> Iterator[Document]:
    """Yield documents; where the file cannot be decompressed further, say so and end."""
    line = 0
    try:
        for document in found:
            line = document.line
            yield document
        return
    except (EOFError, zlib.error, gzip.BadGzipFile):
        pass
    yield Document(line + 1, b"", None, BROKEN, False)
