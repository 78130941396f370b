"""Runs as OpenTelemetry spans and metrics, read back through the SDK's in-memory exporters."""

from __future__ import annotations

from typing import Any

import pytest

from practicefusion_connector import errors
from practicefusion_connector.history import History
from tests.robustness.practice import faulty, one, without_sleeping

pytest.importorskip("opentelemetry.sdk", reason="library missing: opentelemetry-sdk")

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from practicefusion_connector.history import TelemetrySink


class Observed:
    """An SDK with exporters in memory."""

    def __init__(self) -> None:
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider([self.reader])

    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def points(self) -> dict[tuple[str, str], Any]:
        """Sums and counts by metric and by its reason or code."""
        found: dict[tuple[str, str], Any] = {}
        data = self.reader.get_metrics_data()
        assert data is not None
        for resource in data.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        named: Any = point.attributes or {}
                        by = named.get("practicefusion.reason") or named.get("practicefusion.code")
                        value = getattr(point, "value", getattr(point, "count", None))
                        found[metric.name, by or ""] = value
        return found

    def close(self) -> None:
        self.tracers.shutdown()
        self.meters.shutdown()


def test_a_run_is_a_span_and_some_metrics() -> None:
    seen = Observed()
    history = History(TelemetrySink(seen.tracers, seen.meters), telemetry=False)
    profile = one("429-seconds", retry_after=30)
    with without_sleeping(), faulty(profile, history=history) as (pf, sandbox, _):
        patient = next(iter(sandbox.resources["Patient"]))
        with seen.tracers.get_tracer("host").start_as_current_span("workflow") as parent:
            pf.run("get_patient", {"id": patient})
        with pytest.raises(errors.NotFound):
            pf.run("get_patient", {"id": "none"})
    worked, _, failed = seen.spans()
    told = dict(worked.attributes or {})
    assert (worked.name, worked.kind) == ("practicefusion get_patient", SpanKind.CLIENT)
    assert worked.parent == parent.get_span_context()
    assert told["practicefusion.code"] == "ok"
    assert (told["practicefusion.requests"], told["practicefusion.results"]) == (4, 1)
    assert told["server.address"] == "127.0.0.1"
    assert (worked.end_time or 0) > (worked.start_time or 0)
    assert failed.status.status_code is StatusCode.ERROR
    assert (failed.attributes or {})["error.type"] == "not_found"
    assert patient not in str([(span.name, span.attributes) for span in seen.spans()])
    points = seen.points()
    assert points["practicefusion.run.duration", "ok"] == 1
    assert points["practicefusion.run.duration", "not_found"] == 1
    assert points["practicefusion.run.waited", "rate_limited"] >= 30
    assert points["practicefusion.run.results", "ok"] == 1
    assert points["practicefusion.run.token_refreshes", ""] == 1
    seen.close()


def test_it_is_there_by_default_and_can_be_left_out() -> None:
    assert [type(sink).__name__ for sink in History()._sinks] == ["TelemetrySink"]
    assert History(telemetry=False)._sinks == []


def test_without_the_library_nothing_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "practicefusion_connector.history.telemetry", None)
    assert History()._sinks == []
