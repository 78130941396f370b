"""What goes wrong in an export on purpose, so many times each. Knows nothing of the practice."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass
class _Fault:
    left: int = 0
    value: int = 0


@dataclass
class ExportFaults:
    """Switched on by tests, and used up by requests. Safe to share between threads."""

    _status: _Fault = field(default_factory=_Fault)
    _limit: _Fault = field(default_factory=_Fault)
    _break: _Fault = field(default_factory=_Fault)
    _missing: _Fault = field(default_factory=_Fault)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fail_status(self, times: int, status: int = 500) -> None:
        """Answer the next looks at a status with an OperationOutcome that passes."""
        self._status = _Fault(times, status)

    def limit(self, times: int, retry_after: int = 1) -> None:
        """Answer the next requests of exports with 429."""
        self._limit = _Fault(times, retry_after)

    def break_downloads(self, times: int, after_bytes: int) -> None:
        """End the connection of the next downloads after so many bytes of the body."""
        self._break = _Fault(times, after_bytes)

    def lose_files(self, times: int, status: int = 410) -> None:
        """Answer the next downloads as if the file were gone, or as another refusal."""
        self._missing = _Fault(times, status)

    def status(self) -> int | None:
        """Use up one failure of the status."""
        return self._used(self._status)

    def limited(self) -> int | None:
        """Use up one 429."""
        return self._used(self._limit)

    def broken(self) -> int | None:
        """Use up one broken download."""
        return self._used(self._break)

    def missing(self) -> int | None:
        """Use up one lost file."""
        return self._used(self._missing)

    def _used(self, fault: _Fault) -> int | None:
        with self._lock:
            if fault.left < 1:
                return None
            fault.left -= 1
            return fault.value
