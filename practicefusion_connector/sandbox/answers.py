"""The three shapes in which the server says no, and the correlation id they all carry.

OAuth errors are Authlib's; this room holds the vendor's own shape, the gateway's, and FHIR's
OperationOutcome. Knows no endpoint.
"""

from __future__ import annotations

import json
import uuid
from typing import Any, Final

from werkzeug.wrappers import Response

CORRELATION_HEADER: Final = "pfCorrelationId"
FHIR_JSON: Final = "application/fhir+json"


def json_response(body: Any, status: int = 200, mimetype: str = "application/json") -> Response:
    """A JSON answer with its members in the order they were given."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status=status, mimetype=mimetype)


def with_correlation(body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The body of an error with a fresh correlation id, and the header that repeats it."""
    correlation_id = uuid.uuid4().hex
    return {**body, CORRELATION_HEADER: correlation_id}, {CORRELATION_HEADER: correlation_id}


def vendor_error(status: int, subcode: str, message: str) -> Response:
    """Practice Fusion's own error shape, seen at the token endpoint."""
    body, headers = with_correlation({"subcode": subcode, "message": message})
    response = json_response(body, status)
    response.headers.extend(headers)
    return response


def no_route() -> Response:
    """The gateway's answer to a path it does not know."""
    body = {"message": "no Route matched with those values", "request_id": uuid.uuid4().hex}
    return json_response(body, 404)


def operation_outcome(status: int, code: str, diagnostics: str) -> Response:
    """A FHIR error: one issue, with a code of http://hl7.org/fhir/issue-type."""
    issue = {"severity": "error", "code": code, "diagnostics": diagnostics}
    body, headers = with_correlation({"resourceType": "OperationOutcome", "issue": [issue]})
    response = json_response(body, status, FHIR_JSON)
    response.headers.extend(headers)
    return response


def unauthorized(diagnostics: str) -> Response:
    """401 for a missing, unknown, expired or superseded access token (RFC 6750 section 3)."""
    response = operation_outcome(401, "login", diagnostics)
    response.headers["WWW-Authenticate"] = (
        f'Bearer realm="fhir", error="invalid_token", error_description="{diagnostics}"'
    )
    return response
