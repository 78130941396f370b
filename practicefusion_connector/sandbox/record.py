"""What the practice was asked: enough to prove behaviour in a test, nothing that identifies.

Ids are masked in the path, and of parameters only the names are kept.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class RecordedRequest:
    """One request and the status of its answer."""

    method: str
    path: str
    """The path with its ids masked, e.g. `/fhir/r4/v1/{practice}/Patient/{id}`."""
    status: int
    query: tuple[str, ...]
    """Names of the query parameters, in the order they were sent."""


class RequestRecord:
    """A thread-safe list of recorded requests; iterating works on a copy."""

    def __init__(self) -> None:
        self._items: list[RecordedRequest] = []
        self._lock = threading.Lock()

    def add(self, request: RecordedRequest) -> None:
        """Remember one more."""
        with self._lock:
            self._items.append(request)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._items.clear()

    def __iter__(self) -> Iterator[RecordedRequest]:
        with self._lock:
            return iter(list(self._items))

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> RecordedRequest:
        return self._items[index]
