"""The error schema and the table of error codes, both made from `errors.CODES`."""

from __future__ import annotations

from typing import Any

from practicefusion_connector.catalog.inputs import DIALECT
from practicefusion_connector.errors import CODES, Code

_URN = "urn:practicefusion-connector:error:"


def error_codes() -> list[dict[str, Any]]:
    """Return what is true of each error code, wherever it is raised."""
    return [
        {
            "code": code,
            "title": entry.title,
            "retryable": entry.retryable,
            "remedy": entry.remedy,
            "advice": entry.advice,
            "http_status": entry.http_status,
        }
        for code, entry in CODES.items()
    ]


def error_schema() -> dict[str, Any]:
    """Return the JSON Schema of `ConnectorError.to_dict()`: RFC 9457 problem details."""
    text = {"type": "string"}
    return {
        "$schema": DIALECT,
        "title": "Error",
        "description": "Why an action failed, as RFC 9457 problem details. No field holds "
        "protected health information, a token or a response body.",
        "type": "object",
        "properties": {
            "type": text | {"pattern": f"^{_URN}[a-z_]+$"},
            "title": text | {"description": "What kind of error it is."},
            "status": {"type": "integer", "description": "The HTTP status a gateway answers with."},
            "detail": text
            | {"description": "What happened, in one sentence that is safe to show."},
            "code": text | {"enum": list(CODES), "description": "What a program branches on."},
            "retryable": {"type": "boolean", "description": "Whether trying again can help."},
            "remedy": text
            | {
                "enum": sorted({entry.remedy for entry in CODES.values()}),
                "description": "What helps, as one word.",
            },
            "advice": text | {"description": "What helps, as a sentence."},
            **_optional(),
        },
        "required": [
            *("type", "title", "status", "detail", "code", "retryable", "remedy", "advice")
        ],
        "additionalProperties": False,
        "oneOf": [_fixed(code, entry) for code, entry in CODES.items()],
    }


def _optional() -> dict[str, Any]:
    text = {"type": "string"}

    def table(*columns: str) -> dict[str, Any]:
        row = {"type": "object", "properties": dict.fromkeys(columns, text)}
        return {"type": "array", "items": row}

    return {
        "retry_after_seconds": {
            "type": "number",
            "description": "How long to wait before trying again.",
        },
        "upstream_status": {"type": "integer", "description": "The FHIR server's HTTP status."},
        "correlation_id": text | {"description": "The server's own id for the exchange."},
        "issues": table("severity", "code")
        | {"description": "The issues of the server's OperationOutcome, without their text."},
        "problems": table("path", "message") | {"description": "What is wrong with which input."},
        "missing_scopes": {
            "type": "array",
            "items": text,
            "description": "The scopes the grant lacks.",
        },
        "action": text | {"description": "The key of the action."},
        "connection_id": text | {"description": "The host's own name for the connection."},
    }


def _fixed(code: str, entry: Code) -> dict[str, Any]:
    """Return what one code fixes, so that typed clients can tell the errors apart."""
    fixed = {
        "code": code,
        "type": _URN + code,
        "title": entry.title,
        "status": entry.http_status,
        "retryable": entry.retryable,
        "remedy": entry.remedy,
        "advice": entry.advice,
    }
    return {"properties": {name: {"const": value} for name, value in fixed.items()}}
