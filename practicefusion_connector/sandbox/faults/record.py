"""Which faults were injected: enough to explain an error, nothing that identifies."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class InjectedFault:
    """One fault."""

    kind: str
    method: str
    path: str
    """The path with its ids masked, as in `Patient/{id}`."""
    request: str
    """The request's fingerprint: equal requests have equal ones, see `fingerprint`."""


class FaultRecord:
    """A thread-safe list of injected faults; iterating works on a copy."""

    def __init__(self) -> None:
        self._items: list[InjectedFault] = []
        self._lock = threading.Lock()

    def add(self, fault: InjectedFault) -> None:
        """Remember one more."""
        with self._lock:
            self._items.append(fault)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._items.clear()

    def __iter__(self) -> Iterator[InjectedFault]:
        with self._lock:
            return iter(list(self._items))

    def __len__(self) -> int:
        return len(self._items)


def fingerprint(method: str, target: str) -> str:
    """A digest of a request's method and target: path and query, as they were sent."""
    return hashlib.blake2b(f"{method} {target}".encode(), digest_size=12).hexdigest()
