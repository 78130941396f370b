"""Tables in any SQL warehouse that dlt loads: PostgreSQL, Snowflake, BigQuery, Redshift and others.

dlt names the tables (`MedicationRequest` becomes `medication_request`), makes and widens them, and
merges by id; deletions travel as rows that carry its mark for a hard delete. A load that a kill cut
off is dropped and done again. It needs the extra `warehouse`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from practicefusion_connector.errors import InvalidConfig, UpstreamUnavailable
from practicefusion_connector.sync.items import Applied, Item, Key
from practicefusion_connector.sync.targets.base import Finished, Memory, new_mark
from practicefusion_connector.sync.targets.rows import ID, RESOURCE, Kind, Rows

_TYPES: dict[Kind, str] = {
    "text": "text",
    "boolean": "bool",
    "integer": "bigint",
    "number": "double",
    "texts": "json",
}
_DELETED = "deleted_at_source"
_MARK_TABLE = "_practicefusion_sync"


class WarehouseTarget:
    """A dataset of a warehouse to sync into; used by one process at a time.

    Args:
        destination: a dlt destination, such as `dlt.destinations.postgres(url)`.
        dataset: the schema or dataset the tables lie in.
        folder: where dlt keeps what it is loading.
        views: a folder with the user's own summary views.
    """

    whole_files = False
    keeps_versions = True
    # A load costs seconds whatever it holds.
    batch = (20_000, 32 * 1024 * 1024)
    workers = 1

    def __init__(
        self, destination: Any, dataset: str, folder: Path, *, views: Path | None = None
    ) -> None:
        self.name = "warehouse"
        self._destination = destination
        self._dataset = dataset
        self._folder = folder
        self._rows = Rows(views)
        self._pipeline: Any = None
        self._memory: Memory | None = None

    def open(self, memory: Memory) -> str | None:
        """See `Target`; the mark lies in a table of its own."""
        dlt = _dlt()
        self._memory = memory
        self._pipeline = dlt.pipeline(
            pipeline_name="practicefusion",
            destination=self._destination,
            dataset_name=self._dataset,
            pipelines_dir=str(self._folder),
        )
        # The library counts its users over the network, from when a pipeline is made.
        from dlt.common.runtime.anon_tracker import disable_anon_tracker

        disable_anon_tracker()
        # Its files are applied again from their checkpoint.
        self._pipeline.abort_packages()
        mark = self._mark()
        if mark is None:
            mark = new_mark()
            self._run([dlt.resource([{"mark": mark}], name=_MARK_TABLE)], _MARK_TABLE)
        return mark

    def apply(self, resource_type: str, items: Sequence[Item]) -> list[Applied]:
        """See `Target`."""
        rows = [{**self._rows.row(item), _DELETED: None} for item in items]
        self._load({resource_type: rows})
        there = self._memory.held(item.key for item in items) if self._memory else {}
        return [
            Applied("updated" if item.key in there else "created", item.key.id) for item in items
        ]

    def take(self, run: int, path: Path, name: str) -> None:
        """See `Target`; tables take no files."""
        raise InvalidConfig("Tables take resources, not files.")

    def delete(self, keys: Sequence[tuple[Key, str | None]]) -> list[Applied]:
        """See `Target`."""
        by_type: dict[str, list[dict[str, Any]]] = {}
        for key, _ in keys:
            by_type.setdefault(key.type, []).append({ID: key.id, _DELETED: True})
        self._load(by_type)
        return [Applied("updated") for _ in keys]

    def finish(self, run: int, progress: Callable[[int], None]) -> Finished:
        """See `Target`; every load is whole by itself."""
        return Finished()

    def close(self) -> None:
        """See `Target`."""
        if self._pipeline is not None:
            self._pipeline.deactivate()
            self._pipeline = None

    def _mark(self) -> str | None:
        from dlt.destinations.exceptions import DatabaseUndefinedRelation

        try:
            with self._pipeline.sql_client() as client:
                table = client.make_qualified_table_name(_MARK_TABLE)
                found = client.execute_sql(f"SELECT mark FROM {table}")  # noqa: S608 - our own name
            return str(found[0][0]) if found else None
        except DatabaseUndefinedRelation:
            return None
        except Exception as error:  # each warehouse's library has its own
            kind = type(error).__name__
        # Raised outside the handler: their texts name addresses and users.
        raise UpstreamUnavailable(f"The warehouse cannot be reached, or not be read ({kind}).")

    def _load(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        dlt = _dlt()
        resources = [
            dlt.resource(
                listed,
                name=kind,
                primary_key=ID,
                write_disposition={"disposition": "merge", "strategy": "delete-insert"},
                columns=self._columns(kind),
                max_table_nesting=0,
            )
            for kind, listed in rows.items()
            if listed
        ]
        if resources:
            self._run(resources, ", ".join(rows))

    def _run(self, resources: list[Any], named: str) -> None:
        from dlt.pipeline.exceptions import PipelineStepFailed

        try:
            self._pipeline.run(resources).raise_on_failed_jobs()
            return
        except PipelineStepFailed as failed:
            step = failed.step
        # The library's text quotes rows and addresses, so only the step is told.
        raise UpstreamUnavailable(
            f"The warehouse did not take the rows of {named} (step {step}). Where a "
            "column of your own view has another type than it had, give it another name, too."
        )

    def _columns(self, resource_type: str) -> dict[str, dict[str, Any]]:
        declared: dict[str, dict[str, Any]] = {
            column.name: {"data_type": _TYPES[column.kind], "nullable": column.name != ID}
            for column in self._rows.columns(resource_type)
        }
        declared[RESOURCE]["data_type"] = "text"
        declared[_DELETED] = {"data_type": "bool", "nullable": True, "hard_delete": True}
        return declared


def destination_of(url: str) -> Any:
    """Return the dlt destination of a URL: PostgreSQL's own, SQLAlchemy's for the rest.

    Others (`dlt.destinations.snowflake(…)`) are passed to `WarehouseTarget` as they are.

    Raises:
        InvalidConfig: it cannot be read, or a library for it is missing.
    """
    dlt = _dlt()
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parts = make_url(url)
        parts.get_dialect().import_dbapi()
        readable = True
    except (ArgumentError, ImportError, ValueError):
        # NoSuchModuleError is an ArgumentError; the URL may hold a password and is not repeated.
        readable = False
    if not readable:
        raise InvalidConfig(
            "The target is not known: give a FHIR base URL, duckdb:FILE, parquet:FOLDER, "
            "ndjson:FOLDER, or the SQLAlchemy URL of a database whose driver is installed."
        )
    if parts.get_backend_name() != "postgresql":
        return dlt.destinations.sqlalchemy(url)
    socket = parts.query.get("host")
    # libpq takes a socket's folder for a host, percent-encoded.
    elsewhere = quote(socket, safe="") if isinstance(socket, str) else "localhost"
    # PostgreSQL's own loads by COPY. Where the server trusts its socket there is no password, which
    # dlt insists on all the same.
    return dlt.destinations.postgres(
        {
            "drivername": "postgresql",
            "host": parts.host or elsewhere,
            "port": parts.port or 5432,
            "username": parts.username,
            "password": parts.password or "none",
            "database": parts.database,
        }
    )


def _dlt() -> Any:
    try:
        import dlt
    except ImportError as error:
        raise InvalidConfig(
            f"A warehouse needs a library that is not installed ({error.name}): "
            "pip install 'practicefusion-connector[warehouse]'"
        ) from error
    # Its errors are told as errors; as it logs them, they quote rows.
    logging.getLogger("dlt").setLevel(logging.CRITICAL + 1)
    return dlt
