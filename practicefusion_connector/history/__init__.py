"""Run history: one record for each run of an action, and the sinks it goes to.

    from practicefusion_connector.history import History, JsonLinesSink

    pf = PracticeFusion(connection, tokens, history=History(JsonLinesSink("runs.jsonl")))

A record holds counts, times and codes; no query values, no ids, no resource content. This room
knows the trace of a run and neither OAuth nor FHIR. Names are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from practicefusion_connector.history.record import RunRecord
from practicefusion_connector.history.recorder import Entry, History, Sink, Source

if TYPE_CHECKING:
    from practicefusion_connector.history.lines import JsonLinesSink
    from practicefusion_connector.history.memory import MemorySink
    from practicefusion_connector.history.opening import open_history
    from practicefusion_connector.history.sql import SqlSink
    from practicefusion_connector.history.telemetry import TelemetrySink

_HOMES = {
    "JsonLinesSink": "lines",
    "MemorySink": "memory",
    "SqlSink": "sql",
    "TelemetrySink": "telemetry",
    "open_history": "opening",
}

__all__ = [
    "Entry",
    "History",
    "JsonLinesSink",
    "MemorySink",
    "RunRecord",
    "Sink",
    "Source",
    "SqlSink",
    "TelemetrySink",
    "open_history",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
