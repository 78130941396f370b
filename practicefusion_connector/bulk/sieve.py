"""What a check writes: the clean file, and beside it what was put aside.

Both appear whole or not at all, and what is put aside is on the disk before the original goes.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from practicefusion_connector.bulk.documents import open_documents
from practicefusion_connector.fhir.validation import Finding
from practicefusion_connector.files import open_private


class _Written:
    """A file that is written beside its place and moved there once it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(path.name + ".clean")
        self._out: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._out is not None:
            self._out.close()
            self._beside.unlink(missing_ok=True)

    def _open(self) -> BinaryIO:
        if self._out is None:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._out = open_private(self._beside, "wb")
        return self._out

    def _settle(self) -> None:
        if self._out is not None:
            self._out.flush()
            os.fsync(self._out.fileno())
            self._out.close()
            self._beside.replace(self._path)
            self._out = None


class Sieve(_Written):
    """Turns `part` into `final`, writing anew only where something has to be left out."""

    def __init__(self, part: Path, final: Path) -> None:
        super().__init__(final)
        self._part = part

    def leave_out(self, line: int) -> None:
        """Leave out what begins on `line`; from here on the file is written anew."""
        if self._out is not None:
            return
        out = self._open()
        with open_documents(self._part) as source:
            for _ in range(line - 1):
                out.write(source.readline())

    def keep(self, raw: bytes) -> None:
        """Keep a line."""
        if self._out is not None:
            self._out.write(raw if raw.endswith(b"\n") else raw + b"\n")

    def finish(self, original: Path | None) -> int:
        """Put the file in its place and return its size; `original` takes the file as it came."""
        if self._out is None:
            self._part.replace(self._path)
        else:
            self._settle()
            if original is not None:
                self._part.replace(original)
            self._part.unlink(missing_ok=True)
        return self._path.stat().st_size


class Aside(_Written):
    """The quarantine of one file: a line for each thing put aside, with where and why."""

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(path)
        self._name = name
        self._count = 0
        self._cut = False

    @property
    def original(self) -> Path | None:
        """Where to keep the file as it came, where a line of it was too long to put aside."""
        return self._path.with_name(f"{self._name}.original") if self._cut else None

    def text(self, line: int, raw: bytes, reason: str, *, whole: bool) -> None:
        """Put aside what is no resource."""
        if whole:
            self._entry(line, reason, _text_of(raw))
        else:
            self._cut = True
            self._entry(line, reason, {"original": f"{self._name}.original"})

    def resource(self, line: int, raw: bytes, findings: Iterable[Finding]) -> None:
        """Put aside a resource that breaks the rules, as it came."""
        said = [{"path": f.path, "rule": f.rule, "message": f.message} for f in findings]
        self._entry(line, "breaks FHIR R4's rules", {"findings": said}, raw.strip())

    def finish(self) -> int:
        """Put the quarantine in its place and return how much is in it."""
        if self._out is None:
            self._path.unlink(missing_ok=True)
        self._settle()
        return self._count

    def _entry(
        self, line: int, reason: str, more: dict[str, Any], resource: bytes | None = None
    ) -> None:
        entry = {"file": self._name, "line": line, "reason": reason, **more}
        text = json.dumps(entry, ensure_ascii=False).encode("utf-8", "surrogatepass")
        if resource is not None:
            # As it came, so that nothing in it changes on the way.
            text = text[:-1] + b',"resource":' + resource + b"}"
        self._open().write(text + b"\n")
        self._count += 1


def quarantined(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the entries of a quarantine file: `file`, `line`, `reason`, and what was put aside.

    It is under `resource` where it is one, under `raw` where it is text, and under `raw_base64`
    where it is not even that. What was too long is in the file that `original` names.
    """
    with path.open("rb") as lines:
        for line in lines:
            yield json.loads(line)


def _text_of(raw: bytes) -> dict[str, str]:
    try:
        return {"raw": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {"raw_base64": base64.b64encode(raw).decode()}
