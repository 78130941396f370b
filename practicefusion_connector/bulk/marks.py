"""What tells one state of a file at the server from another. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from practicefusion_connector.transport import Incoming


@dataclass(frozen=True, slots=True)
class Marks:
    """What tells one state of a file at the server from another.

    Attributes:
        etag: without the mark of weakness; a server weakens the tag of what it compresses.
        length: in bytes as they lie on disk; `None` where the body is compressed on its way.
    """

    etag: str | None = None
    last_modified: str | None = None
    length: int | None = None

    @classmethod
    def of(cls, incoming: Incoming) -> Marks:
        """Read the marks off an answer's header."""
        headers = incoming.headers
        etag = headers.get("ETag")
        return cls(
            etag=etag.removeprefix("W/") if etag else None,
            last_modified=headers.get("Last-Modified"),
            length=_length(incoming),
        )

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Marks:
        """Rebuild what `to_dict` gave."""
        return cls(**kept)

    def to_dict(self) -> dict[str, Any]:
        """Return the marks as JSON-ready data."""
        return asdict(self)

    def contradict(self, other: Marks) -> bool:
        """Say whether the two cannot be of the same state of a file."""
        pairs = (
            (self.etag, other.etag),
            (self.last_modified, other.last_modified),
            (self.length, other.length),
        )
        return any(a is not None and b is not None and a != b for a, b in pairs)


def _length(incoming: Incoming) -> int | None:
    text = incoming.headers.get("Content-Length", "")
    coded = incoming.headers.get("Content-Encoding", "identity") != "identity"
    return int(text) if text.isascii() and text.isdigit() and not coded else None
