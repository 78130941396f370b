"""Keeping a practice's whole record in step: into a FHIR server, tables or a folder.

    from practicefusion_connector.sync import DuckDBTarget, FolderSource, State, Sync

    state = State("sqlite:///sync.db", "clinic into tables")
    report = Sync(FolderSource(Path("export")), DuckDBTarget(Path("clinic.duckdb")), state).run()

Incremental by the export's own time, resumable at any moment, each target behind one protocol
(`target.Target`). This floor knows exports, stores and the wire; it knows no face and no sandbox.
It needs the extra `sync`; targets and schedules import what else they need when they are used.
"""

from __future__ import annotations

from practicefusion_connector.sync.bulk_source import BulkSource
from practicefusion_connector.sync.duckdb_target import DuckDBTarget
from practicefusion_connector.sync.engine import Sync, SyncProgress
from practicefusion_connector.sync.fhir_server import FhirServer
from practicefusion_connector.sync.fhir_target import FhirTarget
from practicefusion_connector.sync.folder_source import FolderSource
from practicefusion_connector.sync.folder_target import FolderTarget
from practicefusion_connector.sync.pace import Bounds, Pace
from practicefusion_connector.sync.parquet_target import ParquetTarget
from practicefusion_connector.sync.planning import SyncPlan
from practicefusion_connector.sync.report import SyncReport
from practicefusion_connector.sync.source import Source
from practicefusion_connector.sync.state import State, SyncBusy
from practicefusion_connector.sync.target import Target
from practicefusion_connector.sync.warehouse_target import WarehouseTarget

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
