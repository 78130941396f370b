"""Follows runs and writes their records, whatever their outcome; a failing sink fails no action."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from pydantic import SecretStr

from practicefusion_connector.errors import ActionWarning, ConnectorError
from practicefusion_connector.history.record import RunRecord
from practicefusion_connector.registry import Request
from practicefusion_connector.transport import Run, Trace

_logger = logging.getLogger("practicefusion_connector.runs")
logging.getLogger("practicefusion_connector").addHandler(logging.NullHandler())

_HASH_LENGTH = 32


class Given(Protocol):
    """What is told of a result: how many resources, and what was odd."""

    @property
    def warnings(self) -> list[ActionWarning]:
        """What the caller should know."""
        ...

    def __len__(self) -> int: ...


G = TypeVar("G", bound=Given)


class Sink(Protocol):
    """Where records go."""

    def write(self, record: RunRecord) -> None:
        """Keep a record; called by many threads. What it raises is logged once, and no more."""
        ...


class Source(Protocol):
    """Where records come from again."""

    def read(self, limit: int | None = None) -> list[RunRecord]:
        """Return the last records, at most `limit`, the oldest first."""
        ...


class History:
    """Records runs; safe to share between threads and connectors.

    Each run is a line of the logger `practicefusion_connector.runs` at INFO, which says nothing
    until the host listens, and where opentelemetry-api is installed a span and some metrics.

    Args:
        sinks: where else records go.
        key: with it a record holds a keyed hash of the resource's or patient's id, so that runs
            for the same one can be told without saying which it is. Keep it secret: whoever has it
            can try ids.
        telemetry: whether to tell OpenTelemetry, where it is installed.
        clock: POSIX seconds.
    """

    def __init__(
        self,
        *sinks: Sink,
        key: SecretStr | None = None,
        telemetry: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sinks: list[Sink] = [*sinks, *(_telemetry() if telemetry else ())]
        self._key = key
        self._clock = clock
        self._failing: set[int] = set()

    def entry(self, action: str, connection_id: str, practice: str) -> Entry:
        """Return the entry of a run that is about to begin."""
        return Entry(self, action, connection_id, practice)

    def hashed(self, subject: str) -> str | None:
        """Return the keyed hash of an id, `None` without a key or an id."""
        if self._key is None or not subject:
            return None
        digest = hmac.new(self._key.get_secret_value().encode(), subject.encode(), hashlib.sha256)
        return digest.hexdigest()[:_HASH_LENGTH]

    def now(self) -> float:
        """Return the time of day in POSIX seconds."""
        return self._clock()

    def write(self, record: RunRecord) -> None:
        """Give a record to every sink."""
        if _logger.isEnabledFor(logging.INFO):
            said = "%s %s, %.0f ms, %d results"
            told = (record.action, record.code, record.duration_ms, record.results)
            _logger.info(said, *told, extra={"run": record.to_dict()})
        for sink in self._sinks:
            try:
                sink.write(record)
            except Exception as error:  # an action that worked must not fail for its record
                self._tell_once(sink, error)

    def _tell_once(self, sink: Sink, error: Exception) -> None:
        if id(sink) not in self._failing:
            self._failing.add(id(sink))
            # The reason's own text may hold a URL with a password.
            _logger.warning(
                "Run history cannot be written: %s raised %s. This is said once.",
                type(sink).__name__,
                type(error).__name__,
            )


class Entry:
    """Follows one call of an action: every run in it leaves one record.

    A context manager: what is raised in it is recorded, and raised on.
    """

    def __init__(self, history: History, action: str, connection_id: str, practice: str) -> None:
        self._history = history
        self._named: dict[str, Any] = {
            "action": action,
            "connection_id": connection_id,
            "practice": practice,
        }
        self._subject: str | None = None
        self._run: Run | None = None
        self._results = 0
        self._warnings: dict[str, None] = {}

    def about(self, request: Request) -> None:
        """Say what is asked for; kept as a keyed hash, and only where there is a key."""
        self._subject = self._history.hashed(_subject(request))

    def begin(self, run: Run) -> Run:
        """Go on with a run, which is returned; the one before it has ended well."""
        self._close("ok")
        self._run = run
        return run

    def add(self, given: G) -> G:
        """Count the resources of a result, note the codes of its warnings, and return it."""
        self._results += len(given)
        self._warnings.update((warning.code, None) for warning in given.warnings)
        return given

    def follow(self, results: Iterator[G]) -> Iterator[G]:
        """Yield results as they are asked for, to the end of the call."""
        with self:
            for given in results:
                yield self.add(given)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, ConnectorError):
            self._close(error.code, error, begun=True)
        elif error is None or isinstance(error, GeneratorExit):
            # Whoever stops asking for pages has had what was wanted.
            self._close("ok")
        else:
            self._close("internal" if isinstance(error, Exception) else "cancelled", begun=True)

    def _close(
        self, code: str, error: ConnectorError | None = None, *, begun: bool = False
    ) -> None:
        """Write the record of the run under way; without one only where `begun` says so."""
        if self._run is None and not begun:
            return
        trace = self._run.finish() if self._run else Trace()
        record = RunRecord(
            at=round(self._history.now() - trace.duration_ms / 1000, 3),
            **self._named,
            code=code,
            http_status=error.http_status if error else None,
            results=self._results,
            warnings=list(self._warnings),
            subject=self._subject,
            **_counts(trace),
        )
        self._run, self._results, self._warnings = None, 0, {}
        self._history.write(record)


def _counts(trace: Trace) -> dict[str, Any]:
    return {
        "duration_ms": trace.duration_ms,
        "attempts": trace.attempts,
        "pages": trace.pages,
        "refreshes": trace.refreshes,
        "waits": list(trace.waits),
        "correlation_ids": list(trace.correlation_ids),
    }


def _subject(request: Request) -> str:
    """Return the id asked for, or the patient's a search is about; empty where there is none."""
    if request.logical_id:
        return request.logical_id
    patients = [value for name, value in request.query if name == request.action.compartment]
    return patients[0].rpartition("/")[2] if patients else ""


def _telemetry() -> list[Sink]:
    try:
        from practicefusion_connector.history.telemetry import TelemetrySink
    except ImportError:
        return []
    return [TelemetrySink()]
