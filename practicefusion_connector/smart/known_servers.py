"""What servers have said about themselves, remembered for a while: endpoints and signing keys.

Both are public and the same for every connection of a practice, so asking each of thousands of
connections' servers anew for each refresh would only cost time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any

from cachetools import TTLCache

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import InvalidResponse
from practicefusion_connector.smart.discovery import Endpoints, discover
from practicefusion_connector.transport import Run, Transport


class KnownServers:
    """Discovery documents and JWK Sets; safe to share between threads.

    Args:
        time_to_live: seconds after which a server is asked again.
        bound: how many practices are remembered at most; the least recently used go first.
        timer: monotonic seconds.
    """

    def __init__(
        self,
        *,
        time_to_live: float = 3600.0,
        bound: int = 10_000,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = Lock()
        self._endpoints: TTLCache[tuple[str, str | None], Endpoints] = TTLCache(
            bound, time_to_live, timer
        )
        self._keys: TTLCache[str, dict[str, Any]] = TTLCache(bound, time_to_live, timer)

    def endpoints(self, transport: Transport, connection: Connection, run: Run) -> Endpoints:
        """Return the practice's endpoints; raises what `discover` raises."""
        place = (connection.fhir_base_url, connection.auth_base_url)
        with self._lock:
            known = self._endpoints.get(place)
        if known is None:
            known = discover(transport, connection, run)
            with self._lock:
                self._endpoints[place] = known
        return known

    def keys(
        self,
        transport: Transport,
        jwks_uri: str,
        run: Run,
        *,
        fresh: bool = False,
        practice: str | None = None,
    ) -> dict[str, Any]:
        """Return the JWK Set a server signs with (RFC 7517 §5), asked for anew where `fresh`.

        `practice` is the FHIR base URL of the connection, whose server named the URI.
        """
        with self._lock:
            known = None if fresh else self._keys.get(jwks_uri)
        if known is None:
            headers = {"Accept": "application/json"}
            document = transport.get(jwks_uri, headers, run, practice=practice).json()
            if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
                raise InvalidResponse("The server's jwks_uri does not give a JWK Set.")
            known = document
            with self._lock:
                self._keys[jwks_uri] = known
        return known


@cache
def shared() -> KnownServers:
    """Return the one of this process, for those who bring none of their own."""
    return KnownServers()
