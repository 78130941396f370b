"""Cursors: where a search goes on, as text a host can keep and give back.

Opaque to the host: the page's URL relative to the FHIR base, how many of its matches were already
given, and how many pages came before. Sealed with a key of the connection, so that one that was
changed, or belongs to another action or connection, is refused. A cursor holds the search's query
and is as sensitive as the result it came with.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass

from practicefusion_connector.errors import InvalidInput

_SEAL_BYTES = 16


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place within a search.

    Attributes:
        url: the page.
        skip: matches on it that were already given.
        pages: pages read before it.
        search: a fingerprint of the query the search began with.
    """

    url: str
    skip: int = 0
    pages: int = 0
    search: str = ""


def fingerprint(query: Iterable[tuple[str, str]]) -> str:
    """Return a short name of what a query looks for, by which its cursors know it."""
    filters = sorted((name, value) for name, value in query if name != "_count")
    return hashlib.sha256(repr(filters).encode()).hexdigest()[:12] if filters else ""


class CursorCodec:
    """Writes and reads the cursors of one connection."""

    def __init__(self, fhir_base_url: str, client_id: str, secret: str | None) -> None:
        self._base = fhir_base_url
        bound_to = f"{fhir_base_url}\n{client_id}\n{secret or ''}"
        self._key = hashlib.sha256(bound_to.encode()).digest()

    def write(self, action_key: str, cursor: Cursor) -> str:
        """Return the cursor as URL-safe text."""
        url = cursor.url.removeprefix(self._base)
        content = [url, cursor.skip, cursor.pages, cursor.search]
        body = json.dumps(content, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._seal(action_key, body) + body).decode().rstrip("=")

    def read(self, action_key: str, text: str) -> Cursor:
        """Return the place `text` names.

        Raises:
            InvalidInput: where it was changed, or was given by another action or connection.
        """
        try:
            raw = base64.urlsafe_b64decode(text.strip() + "=" * (-len(text.strip()) % 4))
        except ValueError:
            raw = b""
        seal, body = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._seal(action_key, body)):
            problem = "is not a next_cursor of this action on this connection; search again"
            raise InvalidInput(
                f"{action_key}: cursor {problem}.",
                problems=[{"path": "cursor", "message": problem}],
                action=action_key,
            )
        url, *rest = json.loads(body)
        return Cursor(self._base + url if url.startswith("/") else url, *rest)

    def _seal(self, action_key: str, body: bytes) -> bytes:
        sealed = action_key.encode() + b"\0" + body
        return hmac.new(self._key, sealed, hashlib.sha256).digest()[:_SEAL_BYTES]
