"""Keeping a practice's whole record in step: into a FHIR server, tables or a folder.

    from practicefusion_connector.sync import DuckDBTarget, FolderSource, State, Sync

    state = State("sqlite:///sync.db", "clinic into tables")
    report = Sync(FolderSource(Path("export")), DuckDBTarget(Path("clinic.duckdb")), state).run()

Incremental by the export's own time, resumable at any moment, each target behind one protocol
(`target.Target`). This floor knows exports, stores and the wire; it knows no face and no sandbox.
It needs the extra `sync`; targets and schedules import what else they need when they are used.
"""

from __future__ import annotations

from practicefusion_connector.sync.engine import Sync, SyncProgress
from practicefusion_connector.sync.planning import SyncPlan
from practicefusion_connector.sync.reports.report import SyncReport
from practicefusion_connector.sync.sources.base import Source
from practicefusion_connector.sync.sources.bulk import BulkSource
from practicefusion_connector.sync.sources.folder import FolderSource
from practicefusion_connector.sync.state.state import State, SyncBusy
from practicefusion_connector.sync.targets.base import Target
from practicefusion_connector.sync.targets.duckdb import DuckDBTarget
from practicefusion_connector.sync.targets.fhir import FhirTarget
from practicefusion_connector.sync.targets.fhir_server import FhirServer
from practicefusion_connector.sync.targets.folder import FolderTarget
from practicefusion_connector.sync.targets.pace import Bounds, Pace
from practicefusion_connector.sync.targets.parquet import ParquetTarget
from practicefusion_connector.sync.targets.warehouse import WarehouseTarget

__all__ = [
    "Bounds",
    "BulkSource",
    "DuckDBTarget",
    "FhirServer",
    "FhirTarget",
    "FolderSource",
    "FolderTarget",
    "Pace",
    "ParquetTarget",
    "Source",
    "State",
    "Sync",
    "SyncBusy",
    "SyncPlan",
    "SyncProgress",
    "SyncReport",
    "Target",
    "WarehouseTarget",
]
