"""A declarative n8n node and its credential, as JSON.

n8n keeps the tokens and makes the requests; the node says which, in `routing`. A package wraps the
two descriptions in classes. They are checked with `n8n-workflow`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from practicefusion_connector.exports import direct

_CREDENTIAL = "practiceFusionOAuth2Api"
_CAMEL = {"fhir_base_url": "fhirBaseUrl", "auth_base_url": "authBaseUrl"}


def render(catalog: Mapping[str, Any]) -> dict[str, Any]:
    """Return the node's description and the credential type of a catalog."""
    return {"node": _node(catalog), "credential": _credential(catalog)}


def _credential(catalog: Mapping[str, Any]) -> dict[str, Any]:
    asked = [
        {
            "displayName": url["title"],
            "name": _CAMEL[name],
            "type": "string",
            "default": "",
            "required": True,
            "description": url["description"],
        }
        for name, url in direct.practice_urls(catalog).items()
    ]
    fixed = {
        "grantType": "pkce",
        "authUrl": '={{$self["authBaseUrl"]}}/authorize',
        "accessTokenUrl": '={{$self["authBaseUrl"]}}/token',
        "scope": " ".join(direct.scopes(catalog)),
        "authQueryParameters": '=aud={{encodeURIComponent($self["fhirBaseUrl"])}}',
        "authentication": "body",
    }
    hidden = [
        {"displayName": name, "name": name, "type": "hidden", "default": value}
        for name, value in fixed.items()
    ]
    return {
        "name": _CREDENTIAL,
        "displayName": f"{catalog['connector']['title']} OAuth2 API",
        "documentationUrl": catalog["connector"]["docs_url"],
        "extends": ["oAuth2Api"],
        "properties": [*asked, *hidden],
        "test": {
            "request": {"baseURL": "={{$credentials.fhirBaseUrl}}", "url": "/Organization?_count=1"}
        },
    }


def _node(catalog: Mapping[str, Any]) -> dict[str, Any]:
    connector = catalog["connector"]
    return {
        "displayName": connector["title"],
        "name": "practiceFusion",
        "group": ["input"],
        "version": 1,
        "subtitle": '={{$parameter["operation"] + ": " + $parameter["resource"]}}',
        "description": connector["description"],
        "documentationUrl": connector["docs_url"],
        "defaults": {"name": connector["title"]},
        "inputs": ["main"],
        "outputs": ["main"],
        "usableAsTool": True,
        "credentials": [{"name": _CREDENTIAL, "required": True}],
        "requestDefaults": {
            "baseURL": "={{$credentials.fhirBaseUrl}}",
            "headers": {"Accept": "application/fhir+json"},
            "arrayFormat": "repeat",
        },
        "properties": [
            _resources(catalog),
            *_operations(catalog),
            *(field for action in catalog["actions"] for field in _fields(action)),
        ],
    }


def _by_resource(catalog: Mapping[str, Any]) -> dict[str, list[direct.Action]]:
    found: dict[str, list[direct.Action]] = {}
    for action in catalog["actions"]:
        found.setdefault(action["resource"], []).append(action)
    return found


def _resources(catalog: Mapping[str, Any]) -> dict[str, Any]:
    options = [
        {"name": actions[0]["noun"].title(), "value": resource}
        for resource, actions in _by_resource(catalog).items()
    ]
    return {
        "displayName": "Resource",
        "name": "resource",
        "type": "options",
        "noDataExpression": True,
        "options": options,
        "default": options[0]["value"],
    }


def _operations(catalog: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "displayName": "Operation",
            "name": "operation",
            "type": "options",
            "noDataExpression": True,
            "displayOptions": {"show": {"resource": [resource]}},
            "options": [_operation(action) for action in actions],
            "default": actions[0]["operation"],
        }
        for resource, actions in _by_resource(catalog).items()
    ]


def _operation(action: direct.Action) -> dict[str, Any]:
    resource = action["resource"]
    if action["operation"] == "get":
        url = f'=/{resource}/{{{{encodeURIComponent($parameter["id"])}}}}'
        routing: dict[str, Any] = {"request": {"method": "GET", "url": url}}
    else:
        same_type = f'={{{{$responseItem.resourceType === "{resource}"}}}}'
        routing = {
            "request": {"method": "GET", "url": f"/{resource}"},
            "output": {
                "postReceive": [
                    {"type": "rootProperty", "properties": {"property": "entry"}},
                    {"type": "rootProperty", "properties": {"property": "resource"}},
                    {"type": "filter", "properties": {"pass": same_type}},
                ]
            },
        }
    return {
        "name": action["operation"].capitalize(),
        "value": action["operation"],
        "action": action["title"],
        "description": action["description"],
        "routing": routing,
    }


def _fields(action: direct.Action) -> list[dict[str, Any]]:
    """Return an action's fields: those it needs, and the others in a collection to add from."""
    show = {"show": {"resource": [action["resource"]], "operation": [action["operation"]]}}
    fields = direct.inputs(action)
    needed = [
        _property(field) | {"required": True, "displayOptions": show}
        for field in fields
        if field.required
    ]
    optional = [_property(field) | _sent(field) for field in fields if not field.required]
    if not optional:
        return needed
    collection = {
        "displayName": "Filters",
        "name": "filters",
        "type": "collection",
        "placeholder": "Add filter",
        "default": {},
        "displayOptions": show,
        "options": optional,
    }
    return [*needed, collection]


def _property(field: direct.Input) -> dict[str, Any]:
    drawn: dict[str, Any] = {
        "displayName": field.title,
        "name": field.key,
        "type": "number" if field.type == "integer" else "string",
        "default": "",
        "description": field.says,
    }
    if field.choices:
        drawn["type"] = "multiOptions" if field.several else "options"
        drawn["options"] = [
            {"name": label, "value": value} for value, label in field.choices.items()
        ]
        drawn["default"] = [] if field.several else next(iter(field.choices))
    elif field.type == "integer":
        drawn |= {"default": 50, "typeOptions": {"minValue": 1}}
    elif field.repeats:
        drawn |= {"default": [], "typeOptions": {"multipleValues": True}}
    if field.placeholder and not field.choices:
        drawn["placeholder"] = field.placeholder
    return drawn


def _sent(field: direct.Input) -> dict[str, Any]:
    joined = "={{$value.join(',')}}" if field.choices and field.several else "={{$value}}"
    send = {"type": "query", "property": field.wire, "value": joined}
    return {"routing": {"send": send}}
