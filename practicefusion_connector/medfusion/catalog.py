"""The portal's catalog, in the form of the practice's own: what a host lists, draws, runs and maps.

A pure rendering of the declared actions and columns, the connection and the error codes.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from practicefusion_connector.catalog.entry import ATTEMPTS, CATALOG_VERSION, RETRIED
from practicefusion_connector.catalog.errors import error_codes, error_schema
from practicefusion_connector.catalog.inputs import DIALECT, title_of
from practicefusion_connector.errors import CODES
from practicefusion_connector.medfusion.actions import Input, MedfusionAction, actions
from practicefusion_connector.medfusion.columns import columns
from practicefusion_connector.medfusion.connection import MedfusionConnection

Schema = dict[str, Any]

DOCS_URL = "http://portal-apis.medfusion.com/patient-api-overview/"
_TEXT: Schema = {"type": ["string", "null"]}
_INVITED: Schema = {
    "type": "object",
    "properties": {
        "practice_patient_id": {"type": "string"},
        "outcome": {"enum": ["accepted", "refused", "already_invited", "undecided", "not_sent"]},
        "batch_id": _TEXT,
        "message_id": _TEXT,
        "status_url": _TEXT,
        "problem": _TEXT,
    },
}
_MESSAGE: Schema = {
    "type": "object",
    "properties": {
        "status_url": {"type": "string"},
        "message_id": _TEXT,
        "practice_patient_id": _TEXT,
        "state": {"enum": ["pending", "completed", "failed"]},
        "error": _TEXT,
    },
}
_ROWS: dict[str, Schema] = {
    "medfusion_invite_patient": _INVITED,
    "medfusion_invite_patients": _INVITED,
    "medfusion_get_processing_status": _MESSAGE,
    "medfusion_wait_for_batch": _MESSAGE,
    "medfusion_list_updated_patients": {"type": "object"},
}


def catalog() -> dict[str, Any]:
    """Return the catalog of the portal's actions."""
    return {
        "catalog_version": CATALOG_VERSION,
        "connector": {
            "key": "medfusion",
            "title": "Medfusion patient portal",
            "description": "Invites a practice's patients to its patient portal and follows what "
            "they register and change there.",
            "version": version("practicefusion-connector"),
            "docs_url": DOCS_URL,
            "categories": ["healthcare", "patient portal"],
        },
        "auth_methods": [_auth_method()],
        "connection_schema": connection_schema(),
        "error_schema": error_schema(),
        "errors": error_codes(),
        "actions": [action_entry(action) for action in actions().values()],
    }


def connection_schema() -> Schema:
    """Return the JSON Schema of a portal's connection form; secrets are `writeOnly` passwords."""
    declared = MedfusionConnection.model_json_schema()
    properties = {}
    for order, (name, field) in enumerate(declared["properties"].items(), start=1):
        about = {key: value for key, value in field.items() if key not in ("anyOf", "default")}
        taken = [form for form in field.get("anyOf", []) if form != {"type": "null"}]
        default = {} if field.get("default") is None else {"default": field["default"]}
        properties[name] = (
            about | (taken[0] if taken else {}) | default | {"x-ui": {"order": order}}
        )
    return {
        "$schema": DIALECT,
        "title": "Medfusion connection",
        "description": "One practice's portal, reached by one application as one user.",
        "type": "object",
        "properties": properties,
        "required": declared["required"],
        "additionalProperties": False,
    }


def action_entry(action: MedfusionAction) -> dict[str, Any]:
    """Return one action's record in the catalog."""
    reads = action.key in ("medfusion_get_processing_status", "medfusion_list_updated_patients")
    listed = action.key == "medfusion_list_updated_patients"
    return {
        "key": action.key,
        "title": action.title,
        "description": action.description,
        "audience": "both",
        "input_schema": input_schema(action),
        "output_schema": output_schema(action),
        "sample_input": action.sample,
        "auth_methods": ["password"],
        "annotations": {
            "title": action.title,
            "readOnlyHint": reads or action.key == "medfusion_wait_for_batch",
            "destructiveHint": False,
            "idempotentHint": action.idempotent,
            "openWorldHint": True,
        },
        "pagination": {"type": "cursor", "input": "since", "output": "next_cursor"}
        if listed
        else {"type": "none"},
        "retry": {
            "codes": list(RETRIED) if action.idempotent else ["rate_limited"],
            "max_attempts": ATTEMPTS,
            "backoff": "exponential_jitter",
            "honors_retry_after": True,
        },
        "errors": list(CODES),
        "sensitivity": action.sensitivity,
        "sensitive_output_paths": ["$.resources"],
        "version": "1.0.0",
        "docs_url": DOCS_URL,
    }


def input_schema(action: MedfusionAction) -> Schema:
    """Return the JSON Schema of what the action takes."""
    fields = {
        name: {"title": title_of(name), "description": declared.says}
        | _form(declared)
        | ({} if declared.default is None else {"default": declared.default})
        | {"x-ui": {"order": order}}
        for order, (name, declared) in enumerate(action.inputs.items(), start=1)
    }
    return {
        "$schema": DIALECT,
        "title": action.title,
        "type": "object",
        "properties": fields,
        "required": [name for name, declared in action.inputs.items() if declared.required],
        "additionalProperties": False,
    }


def output_schema(action: MedfusionAction) -> Schema:
    """Return the JSON Schema of `Result.to_dict()` for the action."""
    properties: Schema = {
        "action": {"const": action.key},
        "count": {"type": "integer", "minimum": 0},
        "has_more": {"type": "boolean"},
        "next_cursor": _TEXT,
        "resources": {"type": "array", "items": _ROWS[action.key]},
        "warnings": {"type": "array", "items": {"type": "object"}},
    }
    return {
        "$schema": DIALECT,
        "title": f"Result of {action.title}",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": True,
    }


def _form(declared: Input) -> Schema:
    url: Schema = {"type": "string", "format": "uri"}
    forms: dict[str, Schema] = {
        "boolean": {"type": "boolean"},
        "choice": {"type": "string", "enum": list(declared.choices)},
        "number": {"type": "number", "minimum": declared.minimum or 0},
        "patient": _patient(),
        "patients": {"type": "array", "minItems": 1, "items": _patient()},
        "since": {"type": "string"},
        "url": url,
        "urls": {"anyOf": [url, {"type": "array", "minItems": 1, "items": url}]},
    }
    return forms[declared.type]


def _patient() -> Schema:
    """Return a patient as a flat object, the first of the forms one may be given in."""
    flat = {
        "title": "Fields",
        "type": "object",
        "properties": {
            name: {"type": "string", "title": title_of(name), "description": column.says}
            for name, column in columns().items()
        },
        "required": [name for name, column in columns().items() if column.required],
        "additionalProperties": False,
    }
    resource = {
        "title": "FHIR Patient",
        "type": "object",
        "properties": {"resourceType": {"const": "Patient"}},
        "required": ["resourceType"],
    }
    return {"anyOf": [flat, resource]}


def _auth_method() -> dict[str, Any]:
    return {
        "key": "password",
        "title": "Application and integration user",
        "grant_type": "password",
        "pkce": None,
        "refreshes": False,
        "fields": [
            *("server", "practice_id", "application_token", "client_id", "client_secret"),
            *("username", "password"),
        ],
    }
