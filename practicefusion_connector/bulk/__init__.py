"""Bulk export: a practice's records as NDJSON files, complete, checked, and safe to interrupt.

    plan = ExportPlan(scope="patient", since=last_transaction_time)
    with closing(JobStore("sqlite:///jobs.db")) as jobs:
        outcome = Export(connection, tokens, folder, jobs).run(plan)

It knows FHIR's Bulk Data Access and searches; it does not know what becomes of the files.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from practicefusion_connector.bulk.outcome import (
    ExportedFile,
    ExportOutcome,
    FindingCount,
    Progress,
)
from practicefusion_connector.bulk.plan import ExportPlan
from practicefusion_connector.bulk.polling import Patience
from practicefusion_connector.bulk.sections import Deletion, read_deletions

if TYPE_CHECKING:
    from practicefusion_connector.bulk.export import Export
    from practicefusion_connector.bulk.jobs import JobStore, StaleJob
    from practicefusion_connector.bulk.sieve import quarantined

__all__ = [
    "Deletion",
    "Export",
    "ExportOutcome",
    "ExportPlan",
    "ExportedFile",
    "FindingCount",
    "JobStore",
    "Patience",
    "Progress",
    "StaleJob",
    "quarantined",
    "read_deletions",
]

# Where the names that need the extra `bulk` live.
_LAZY = {"Export": "export", "JobStore": "jobs", "StaleJob": "jobs", "quarantined": "sieve"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    except ImportError as error:
        raise ImportError(
            f"{name} needs a library that is not installed ({error.name}): "
            "pip install 'practicefusion-connector[bulk]'",
            name=error.name,
        ) from error


def __dir__() -> list[str]:
    return __all__
