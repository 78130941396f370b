"""The catalog: one record of everything a host needs to list, draw, run and map the actions.

A pure rendering of the registry, the error codes and the connection, in a fixed order, so that the
committed `schemas/catalog.json` changes only where the contract does.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from practicefusion_connector.catalog.connection import auth_methods, connection_schema
from practicefusion_connector.catalog.errors import error_codes, error_schema
from practicefusion_connector.catalog.inputs import input_schema
from practicefusion_connector.catalog.outputs import output_schema, sample_output
from practicefusion_connector.errors import CODES
from practicefusion_connector.registry import Action, Registry
from practicefusion_connector.registry.inputs import LEAST_OUTPUT_BYTES, MAX_OUTPUT_BYTES

CATALOG_VERSION = "1.0"
DOCS_URL = "https://www.practicefusion.com/fhir/api-specifications/"
LEVELS = ("patient", "user", "system")
# What the wire tries again by itself; the rest is for the host to decide.
RETRIED = ("rate_limited", "upstream_unavailable", "timeout", "network")
ATTEMPTS = 5
MAX_PAGES = 1000
_LETTERS = {"get": "r", "search": "s"}
_INTERACTIONS = {"get": "read", "search": "search-type"}
_SENSITIVE = ["$.resources", "$.rows", "$.included", "$.next_cursor"]


def catalog(registry: Registry) -> dict[str, Any]:
    """Return the whole catalog of the actions in `registry`."""
    return {
        "catalog_version": CATALOG_VERSION,
        "connector": {
            "key": "practicefusion",
            "title": "Practice Fusion",
            "description": "Reads patients' records, practitioners and organizations of a "
            "practice from Practice Fusion's FHIR R4 API.",
            "version": version("practicefusion-connector"),
            "docs_url": DOCS_URL,
            "categories": ["healthcare", "ehr", "fhir"],
        },
        "auth_methods": auth_methods(),
        "connection_schema": connection_schema(),
        "error_schema": error_schema(),
        "errors": error_codes(),
        "actions": [action_entry(action, registry) for action in registry],
    }


def action_entry(action: Action, registry: Registry) -> dict[str, Any]:
    """Return one action's record in the catalog; `registry` is the one it belongs to."""
    deprecation = action.deprecation
    return {
        "key": action.key,
        "title": action.title,
        "description": action.description,
        "audience": "both",
        "operation": action.operation,
        "resource": action.resource,
        "noun": action.noun,
        "extension": action.extension,
        "related": [
            other.key
            for other in registry
            if other.resource == action.resource and other.key != action.key
        ],
        "input_schema": input_schema(action),
        "output_schema": output_schema(action),
        "sample_input": action.sample,
        "sample_output": sample_output(action),
        "output_primary_key": ["id"],
        "auth_methods": [method["key"] for method in auth_methods()],
        "scope_requirements": scope_requirements(action),
        "annotations": _annotations(action),
        "pagination": _pagination(action),
        "rate_limit": {
            "scope": ["connection"],
            "limit": None,
            "window_seconds": None,
            "source": "unknown",
        },
        "retry": {
            "codes": list(RETRIED),
            "max_attempts": ATTEMPTS,
            "backoff": "exponential_jitter",
            "honors_retry_after": True,
        },
        "errors": list(CODES),
        "sensitivity": action.sensitivity,
        "sensitive_output_paths": _SENSITIVE if action.sensitivity == "phi" else [],
        "limits": {
            "max_output_bytes": {"default": MAX_OUTPUT_BYTES, "minimum": LEAST_OUTPUT_BYTES},
        },
        "version": action.version,
        "deprecated": deprecation is not None,
        "deprecation": deprecation.model_dump(exclude_none=True) if deprecation else None,
        "tags": [action.resource, action.operation, *action.categories],
        "docs_url": DOCS_URL,
        "fhir": _fhir(action),
    }


def scope_requirements(action: Action) -> dict[str, Any]:
    """Return the scopes that let `action` run: any one of them, in v1's or v2's spelling."""
    resource, letter = action.resource, _LETTERS[action.operation]
    return {
        "all_of": [
            {
                "any_of": [
                    f"{level}/{resource}.{permission}"
                    for level in LEVELS
                    for permission in ("read", "rs", letter)
                ]
            }
        ]
    }


def _annotations(action: Action) -> dict[str, Any]:
    """Return MCP's hints: every action reads, changes nothing, and asks a server out there."""
    return {
        "title": action.title,
        "readOnlyHint": True,
        "destructiveHint": False,
        "idempotentHint": True,
        "openWorldHint": True,
    }


def _pagination(action: Action) -> dict[str, Any]:
    if action.operation == "get":
        return {"type": "none"}
    size = next((p.input for p in action.parameters if p.name == "_count"), None)
    return {
        "type": "cursor",
        "input": "cursor",
        "output": "next_cursor",
        "more": "has_more",
        "page_size": {"input": size, "default": None, "maximum": None} if size else None,
        "max_items": {"input": "max_items", "default": None},
        "max_pages": MAX_PAGES,
    }


def _fhir(action: Action) -> dict[str, Any]:
    return {
        "version": "4.0.1",
        "interaction": _INTERACTIONS[action.operation],
        "resource": action.resource,
        "profiles": list(action.profiles),
        "compartment": action.compartment,
        "search_params": [parameter.name for parameter in action.parameters],
        "combinations": [
            combination.model_dump(mode="json", exclude_none=True)
            for combination in action.combinations
        ],
    }
