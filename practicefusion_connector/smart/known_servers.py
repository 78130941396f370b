"""What servers have said about themselves, remembered for a while: endpoints and signing keys.

Both are public and the same for every connection of a practice, so asking each of thousands of
connections' servers anew for each refresh would only cost time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any, Generic, TypeVar

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import InvalidResponse
from practicefusion_connector.smart.discovery import Endpoints, discover
from practicefusion_connector.transport import Run, Transport

T = TypeVar("T")


class KnownServers:
    """Discovery documents and JWK Sets; safe to share between threads.

    Args:
        time_to_live: seconds after which a server is asked again.
        bound: how many practices are remembered at most; the oldest go first.
        timer: monotonic seconds.
    """

    def __init__(
        self,
        *,
        time_to_live: float = 3600.0,
        bound: int = 10_000,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoints: _Memory[Endpoints] = _Memory(time_to_live, bound, timer)
        self._keys: _Memory[dict[str, Any]] = _Memory(time_to_live, bound, timer)

    def endpoints(self, transport: Transport, connection: Connection, run: Run) -> Endpoints:
        """Return the practice's endpoints; raises what `discover` raises."""
        place = (connection.fhir_base_url, connection.auth_base_url)
        known = self._endpoints.get(place)
        if known is None:
            known = discover(transport, connection, run)
            self._endpoints.keep(place, known)
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
        known = None if fresh else self._keys.get(jwks_uri)
        if known is None:
            headers = {"Accept": "application/json"}
            document = transport.get(jwks_uri, headers, run, practice=practice).json()
            if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
                raise InvalidResponse("The server's jwks_uri does not give a JWK Set.")
            known = document
            self._keys.keep(jwks_uri, known)
        return known


class _Memory(Generic[T]):
    """Values by key for a while, the oldest going first where there are too many."""

    def __init__(self, time_to_live: float, bound: int, timer: Callable[[], float]) -> None:
        self._time_to_live = time_to_live
        self._bound = bound
        self._timer = timer
        self._lock = Lock()
        self._kept: dict[object, tuple[float, T]] = {}

    def get(self, key: object) -> T | None:
        with self._lock:
            since, value = self._kept.get(key, (float("-inf"), None))
        return value if self._timer() - since < self._time_to_live else None

    def keep(self, key: object, value: T) -> None:
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (self._timer(), value)
            if len(self._kept) > self._bound:
                del self._kept[next(iter(self._kept))]


@cache
def shared() -> KnownServers:
    """Return the one of this process, for those who bring none of their own."""
    return KnownServers()
