"""The last records, in memory."""

from __future__ import annotations

import threading
from collections import deque

from practicefusion_connector.history.record import RunRecord


class MemorySink:
    """A ring: it keeps the last `limit` records and forgets the others."""

    def __init__(self, limit: int = 1000) -> None:
        self._records: deque[RunRecord] = deque(maxlen=limit)
        self._lock = threading.Lock()

    def write(self, record: RunRecord) -> None:
        """See `Sink.write`."""
        with self._lock:
            self._records.append(record)

    def read(self, limit: int | None = None) -> list[RunRecord]:
        """See `Source.read`."""
        with self._lock:
            records = list(self._records)
        return records if limit is None else records[max(0, len(records) - limit) :]
