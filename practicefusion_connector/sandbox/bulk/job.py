"""One export job: its files, how often it was asked for, and whether it is still there.

Knows the shape of a manifest; knows no route.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from practicefusion_connector.sandbox.bulk.lines import Lines
from practicefusion_connector.sandbox.bulk.settings import Body, ExportBehaviour

Section = Literal["output", "deleted", "error"]


@dataclass(frozen=True)
class ExportFile:
    """One file: a stretch of a type's lines. `number` counts within section and type, from 1."""

    section: Section
    type: str
    number: int
    lines: Lines
    start: int
    stop: int
    body: Body

    def etag(self, handle: str) -> str:
        """The same for the same file of the same job."""
        about = f"{handle} {self.section} {self.type} {self.number}".encode()
        return f'"{hashlib.sha256(about).hexdigest()[:16]}"'

    def content(self) -> tuple[int, Any]:
        """The size, and a function that gives the bytes from an offset on."""
        if self.body == "ndjson" or self.section != "output":
            size = self.lines.size(self.start, self.stop)
            return size, lambda offset: self.lines.read(self.start, self.stop, offset)
        shaped = self._shaped()
        return len(shaped), lambda offset: iter([shaped[offset:]])

    def _shaped(self) -> bytes:
        resources = [json.loads(line) for line in self.lines.read(self.start, self.stop)]
        if self.body == "pretty":
            return "\n".join(json.dumps(each, indent=2) for each in resources).encode()
        entries = [{"resource": each} for each in resources]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        return json.dumps(bundle, indent=2).encode()


@dataclass
class ExportJob:
    """A job and everything it will ever give."""

    handle: str
    request: str
    transaction_time: str
    files: list[ExportFile]
    client_id: str
    polls: int = 0
    signature: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    created: float = field(default_factory=time.monotonic)
    expired: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_expired(self, behaviour: ExportBehaviour) -> bool:
        """Whether the job's time is over."""
        life = behaviour.lifetime
        return self.expired or (life is not None and time.monotonic() - self.created > life)

    def poll(self, behaviour: ExportBehaviour) -> float | None:
        """Count one look at the status: how far it is in percent, or None once it is done."""
        with self.lock:
            self.polls += 1
            done = self.polls > behaviour.polls
            return None if done else 100.0 * self.polls / (behaviour.polls + 1)

    def file(self, section: str, kind: str, number: int) -> ExportFile | None:
        """The file of a URL, or None."""
        for found in self.files:
            if (found.section, found.type, found.number) == (section, kind, number):
                return found
        return None

    def manifest(self, base_url: str, origin: str, part: int, rules: ExportBehaviour) -> Any:
        """One part of the manifest, from 0. Signed URLs are signed anew for each."""
        size = rules.manifest_files or max(1, len(self.files))
        listed = self.files[part * size : (part + 1) * size]
        root = f"{base_url}/Binary/export" if rules.requires_access_token else f"{origin}/signed"
        manifest: dict[str, Any] = {
            "transactionTime": self.transaction_time,
            "request": self.request,
            "requiresAccessToken": rules.requires_access_token,
            "output": [],
            "error": [],
        }
        for found in listed:
            kind = found.type if found.section == "output" else found.section
            url = f"{root}/{self.handle}/{kind}/{found.number}"
            if not rules.requires_access_token:
                url += f"?signature={self.signature}"
            entry: dict[str, Any] = {"type": found.type, "url": url}
            if rules.counts:
                entry["count"] = found.stop - found.start
            manifest.setdefault(found.section, []).append(entry)
        if (part + 1) * size < len(self.files):
            url = f"{base_url}/Export/{self.handle}?part={part + 1}"
            manifest["link"] = [{"relation": "next", "url": url}]
        return manifest


def cut(section: Section, kind: str, lines: Lines, rules: ExportBehaviour) -> Iterator[ExportFile]:
    """The files of one type, so many resources in each."""
    for number, start in enumerate(range(0, lines.count, rules.file_resources), start=1):
        stop = min(start + rules.file_resources, lines.count)
        yield ExportFile(section, kind, number, lines, start, stop, rules.body)
