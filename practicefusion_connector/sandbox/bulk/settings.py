"""How the practice's bulk export behaves. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Body = Literal["ndjson", "pretty", "bundle"]


@dataclass
class ExportBehaviour:
    """Knobs of the export, read at each request.

    The defaults are what is known of Practice Fusion's own server; where nothing is known the
    comment says so.
    """

    levels: frozenset[str] = frozenset({"patient", "group"})
    """Where there is an `$export`: `patient`, `group`, `system`."""
    refused: int | None = None
    """The status that answers every kick-off, in place of a job."""
    parameters: frozenset[str] = frozenset({"_outputFormat", "_since", "_type"})
    """Parameters a kick-off takes; any other is answered by 400."""
    polls: int = 1
    """How often the status is 202 before the export is done (not known)."""
    retry_after: str | None = None
    """What the status says in Retry-After while the export runs (not documented)."""
    progress: bool = False
    """Whether the status says in X-Progress how far it is (not documented)."""
    lifetime: float | None = None
    """Seconds after which a job and its files have expired (not documented)."""
    requires_access_token: bool = True
    """Whether files want the token. If not, their URLs are signed and a token is refused."""
    counts: bool = True
    """Whether the manifest counts the resources of a file (not known)."""
    file_resources: int = 1000
    """The most resources in one file (not known)."""
    manifest_files: int | None = None
    """The most files in one part of the manifest; parts are linked by `next`."""
    body: Body = "ndjson"
    """`pretty` writes resources over several lines, as the vendor's example shows one; `bundle`
    wraps a file's resources."""
    ranges: bool = True
    """Whether a file can be asked for in part (not known)."""
    patients: int | None = None
    """Patients an export of the practice has, where that is more than the practice itself: copies
    under ids of their own, made while a file is sent. Searches do not find them."""
