"""The catalog a host reads: actions, forms, outputs, errors and the connection, as plain data.

    registry ─┐
    errors    ├─► catalog ─► schemas/catalog.json ─► every host's own format
    connection┘

A rendering without I/O but for the data files it shows; it knows no transport and no host.
"""

from practicefusion_connector.catalog.changes import breaking_changes
from practicefusion_connector.catalog.connection import auth_methods, connection_schema
from practicefusion_connector.catalog.entry import action_entry, catalog, scope_requirements
from practicefusion_connector.catalog.errors import error_codes, error_schema
from practicefusion_connector.catalog.inputs import input_schema
from practicefusion_connector.catalog.outputs import output_schema, sample_output, summary_schema

__all__ = [
    "action_entry",
    "auth_methods",
    "breaking_changes",
    "catalog",
    "connection_schema",
    "error_codes",
    "error_schema",
    "input_schema",
    "output_schema",
    "sample_output",
    "scope_requirements",
    "summary_schema",
]
