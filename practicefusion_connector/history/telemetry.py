"""Runs as OpenTelemetry spans and metrics, through the API package.

Without an SDK, which is the host's to choose, the API does nothing. A span is made when its run
has ended, with the times of the run, as a child of whatever span the caller is in.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from opentelemetry.metrics import MeterProvider, get_meter
from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider, get_tracer

from practicefusion_connector.history.record import RunRecord

_NAME = "practicefusion_connector"
_NANOSECONDS = 1_000_000_000


class TelemetrySink:
    """Tells OpenTelemetry of each run.

    Args:
        tracers: the process's own provider where left out.
        meters: as `tracers`.
    """

    def __init__(
        self, tracers: TracerProvider | None = None, meters: MeterProvider | None = None
    ) -> None:
        self._tracer = get_tracer(_NAME, tracer_provider=tracers)
        meter = get_meter(_NAME, meter_provider=meters)
        self._duration = meter.create_histogram(
            "practicefusion.run.duration", "s", "How long runs of actions take."
        )
        self._waited = meter.create_counter(
            "practicefusion.run.waited", "s", "Time spent waiting, by reason."
        )
        self._attempts = meter.create_counter(
            "practicefusion.run.requests", "{request}", "Requests sent."
        )
        self._refreshes = meter.create_counter(
            "practicefusion.run.token_refreshes", "{refresh}", "Access tokens refreshed."
        )
        self._results = meter.create_counter(
            "practicefusion.run.results", "{resource}", "Resources given."
        )

    def write(self, record: RunRecord) -> None:
        """See `Sink.write`."""
        named = {"practicefusion.action": record.action, "practicefusion.code": record.code}
        self._trace(record, named)
        self._duration.record(record.duration_ms / 1000, named)
        self._attempts.add(record.attempts, named)
        self._results.add(record.results, named)
        self._refreshes.add(record.refreshes, {"practicefusion.action": record.action})
        for seconds, reason in record.waits:
            self._waited.add(
                seconds, {"practicefusion.action": record.action, "practicefusion.reason": reason}
            )

    def _trace(self, record: RunRecord, named: dict[str, str]) -> None:
        began = int(record.at * _NANOSECONDS)
        span = self._tracer.start_span(
            f"practicefusion {record.action}",
            kind=SpanKind.CLIENT,
            start_time=began,
            attributes={
                **named,
                "practicefusion.connection_id": record.connection_id,
                "practicefusion.requests": record.attempts,
                "practicefusion.pages": record.pages,
                "practicefusion.token_refreshes": record.refreshes,
                "practicefusion.results": record.results,
                "practicefusion.waited": record.waited,
                "practicefusion.correlation_ids": record.correlation_ids,
                "server.address": urlsplit(record.practice).hostname or "",
            },
        )
        if record.code != "ok":
            span.set_attribute("error.type", record.code)
            span.set_status(Status(StatusCode.ERROR, record.code))
        span.end(began + int(record.duration_ms * 1_000_000))
