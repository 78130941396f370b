"""The connection schema and the ways to authorize, made from `connection.Connection`."""

from __future__ import annotations

from typing import Any

from practicefusion_connector.catalog.inputs import DIALECT
from practicefusion_connector.connection import Connection

_LOOPBACK = r"http://(localhost|127\.0\.0\.1|\[::1\])"
_URL = rf"^(https://[A-Za-z0-9.-]+|{_LOOPBACK})(:[0-9]{{1,5}})?(/[^\s?#@]*)?$"
# What the model's own schema cannot say: the checks its validators make, and how to draw a field.
_BESIDES: dict[str, dict[str, Any]] = {
    "fhir_base_url": {"format": "uri", "pattern": _URL},
    "auth_base_url": {
        "format": "uri",
        "pattern": _URL,
        "examples": [
            "https://api.practicefusion.com/fhir/r4/v1/118b460b-8390-4754-8e4a-1dd5ee20f599"
        ],
    },
    "jwks_url": {
        "format": "uri",
        "pattern": _URL,
        "examples": ["https://app.example.com/.well-known/jwks.json"],
    },
    "redirect_uri": {"format": "uri", "examples": ["https://app.example.com/callback"]},
    "client_id": {"examples": ["my-application"]},
    "scopes": {"examples": [["openid", "fhirUser", "offline_access", "user/Patient.read"]]},
}
_IMPORTANT = ("fhir_base_url", "auth_base_url", "client_id", "client_secret")


def connection_schema() -> dict[str, Any]:
    """Return the JSON Schema of a connection form; secrets are `writeOnly` passwords."""
    declared = Connection.model_json_schema()
    properties = {
        name: _field(name, field, order)
        for order, (name, field) in enumerate(declared["properties"].items(), start=1)
    }
    return {
        "$schema": DIALECT,
        "title": "Connection",
        "description": "One practice, reached by one application on one level of authority.",
        "type": "object",
        "properties": properties,
        "required": declared["required"],
        "additionalProperties": False,
    }


def _field(name: str, declared: dict[str, Any], order: int) -> dict[str, Any]:
    """Return one field without the null that stands for leaving it out."""
    about = {key: value for key, value in declared.items() if key not in ("anyOf", "default")}
    taken = [form for form in declared.get("anyOf", []) if form != {"type": "null"}]
    default = {} if declared.get("default") is None else {"default": declared["default"]}
    ui = {"order": order, "visibility": "important" if name in _IMPORTANT else "advanced"}
    return {**about, **(taken[0] if taken else {}), **default, **_BESIDES.get(name, {}), "x-ui": ui}


def auth_methods() -> list[dict[str, Any]]:
    """Return the ways a connection gets its access token, for hosts that choose or draw one."""
    return [
        {
            "key": "authorization_code",
            "title": "Sign in at Practice Fusion",
            "grant_type": "authorization_code",
            "pkce": "S256",
            "refreshes": True,
            "levels": ["user", "patient"],
            "fields": [
                *("fhir_base_url", "auth_base_url", "client_id", "client_secret"),
                *("redirect_uri", "scopes", "level", "auth_method"),
            ],
        },
        {
            "key": "client_credentials",
            "title": "Backend service",
            "grant_type": "client_credentials",
            "pkce": None,
            "refreshes": False,
            "levels": ["system"],
            "fields": [
                *("fhir_base_url", "auth_base_url", "client_id", "client_secret", "private_key"),
                *("key_id", "algorithm", "jwks_url", "scopes", "level", "auth_method"),
            ],
        },
        {
            "key": "host_managed",
            "title": "Access token from the host",
            "grant_type": None,
            "pkce": None,
            "refreshes": False,
            "levels": ["user", "patient", "system"],
            "fields": ["fhir_base_url", "client_id", "level"],
        },
    ]
