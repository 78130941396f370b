"""A Zapier app definition: OAuth 2.0 with PKCE, and every action as a Zapier search.

Zapier keeps the tokens and calls the FHIR server itself. Client id and secret are the app's
environment variables CLIENT_ID and CLIENT_SECRET; the practice's two URLs are fields of the
connection. It is valid by `zapier-platform-schema`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from practicefusion_connector.exports import direct, javascript

PLATFORM_VERSION = "19.1.0"
_LONGEST_HELP = 1000
_BASE = "{{bundle.authData.fhir_base_url}}"
_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean"}


def render(catalog: Mapping[str, Any]) -> dict[str, Any]:
    """Return the app definition of a catalog."""
    return {
        "version": catalog["connector"]["version"],
        "platformVersion": PLATFORM_VERSION,
        "authentication": _authentication(catalog),
        "requestTemplate": {
            "headers": {
                "Accept": "application/fhir+json",
                "Authorization": "Bearer {{bundle.authData.access_token}}",
            }
        },
        "searches": {action["key"]: _search(action) for action in catalog["actions"]},
    }


def _authentication(catalog: Mapping[str, Any]) -> dict[str, Any]:
    client = {"client_id": "{{process.env.CLIENT_ID}}"}
    secret = {"client_secret": "{{process.env.CLIENT_SECRET}}"}
    return {
        "type": "oauth2",
        "fields": [
            {
                "key": name,
                "label": field["title"],
                "helpText": field["description"],
                "type": "string",
                "required": True,
            }
            for name, field in direct.practice_urls(catalog).items()
        ],
        "oauth2Config": {
            "authorizeUrl": {
                "url": "{{bundle.inputData.auth_base_url}}/authorize",
                "params": {
                    **client,
                    "response_type": "code",
                    "state": "{{bundle.inputData.state}}",
                    "redirect_uri": "{{bundle.inputData.redirect_uri}}",
                    "aud": "{{bundle.inputData.fhir_base_url}}",
                },
            },
            "getAccessToken": _token(
                "{{bundle.inputData.auth_base_url}}/token",
                {
                    **client,
                    **secret,
                    "grant_type": "authorization_code",
                    "code": "{{bundle.inputData.code}}",
                    "redirect_uri": "{{bundle.inputData.redirect_uri}}",
                    "code_verifier": "{{bundle.inputData.code_verifier}}",
                },
            ),
            "refreshAccessToken": _token(
                "{{bundle.authData.auth_base_url}}/token",
                {
                    **client,
                    **secret,
                    "grant_type": "refresh_token",
                    "refresh_token": "{{bundle.authData.refresh_token}}",
                },
            ),
            "scope": " ".join(direct.scopes(catalog)),
            "autoRefresh": True,
            "enablePkce": True,
        },
        "test": {"url": f"{_BASE}/Organization", "params": {"_count": "1"}},
        "connectionLabel": _BASE,
    }


def _token(url: str, body: Mapping[str, str]) -> dict[str, Any]:
    return {
        "method": "POST",
        "url": url,
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        "body": dict(body),
    }


def _search(action: direct.Action) -> dict[str, Any]:
    source = _get(action) if action["operation"] == "get" else _find(action)
    return {
        "key": action["key"],
        "noun": action["noun"].capitalize(),
        "display": {
            "label": action["title"],
            "description": action["description"],
            "hidden": action["deprecated"],
        },
        "operation": {
            "inputFields": [_field(field) for field in direct.inputs(action)],
            "perform": {"source": source, "args": ["z", "bundle"]},
            "sample": direct.sample(action),
            "outputFields": [_output(field) for field in direct.outputs(action)],
        },
    }


def _get(action: direct.Action) -> str:
    return (
        f"const url = `${{bundle.authData.fhir_base_url}}/{action['resource']}/`;\n"
        "const id = encodeURIComponent(bundle.inputData.id);\n"
        "return z.request({ url: url + id }).then((response) => [response.data]);\n"
    )


def _find(action: direct.Action) -> str:
    names = {
        field.key: {"name": field.wire, "repeats": field.repeats} for field in direct.inputs(action)
    }
    return (
        f"const type = {json.dumps(action['resource'])};\n"
        f"const inputs = {json.dumps(names)};\n"
        "const given = bundle.inputData;\n"
        f"{javascript.QUERY}"
        "const url = `${bundle.authData.fhir_base_url}/${type}?${query}`;\n"
        f"const resources = (bundle) => {javascript.RESOURCES.strip()};\n"
        "return z.request({ url }).then((response) => resources(response.data));\n"
    )


def _field(field: direct.Input) -> dict[str, Any]:
    drawn: dict[str, Any] = {
        "key": field.key,
        "label": field.title,
        "helpText": field.says[:_LONGEST_HELP],
        "type": "integer" if field.type == "integer" else "string",
        "required": field.required,
        "list": field.several,
    }
    if field.choices:
        drawn["choices"] = field.choices
    if field.placeholder and not field.choices:
        drawn["placeholder"] = field.placeholder
    return drawn


def _output(field: direct.Output) -> dict[str, Any]:
    # Zapier writes what is below an object behind two underscores, and below a list behind [].
    key = "__".join(field.path).replace("[]__", "[]")
    drawn: dict[str, Any] = {"key": key.removesuffix("[]"), "label": field.title}
    if field.type in _TYPES:
        drawn["type"] = _TYPES[field.type]
    return drawn | ({"primary": True} if field.path == ("id",) else {})
