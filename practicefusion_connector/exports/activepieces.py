"""An Activepieces piece, as the text of a JavaScript module.

It needs `@activepieces/pieces-framework` beside it and nothing else. Activepieces keeps the tokens
and runs the actions, which ask the FHIR server themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from practicefusion_connector.exports import direct, javascript

_LOGO = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E"
    "%3Cpath fill='%23177' d='M3 0h2v3h3v2H5v3H3V5H0V3h3z'/%3E%3C/svg%3E"
)

_MODULE = """\
// Generated from the catalog of practicefusion-connector %(version)s.
import { createAction, createPiece, PieceAuth, Property } from "@activepieces/pieces-framework";

const definition = %(definition)s;

const text = ({ displayName, description, required }) =>
  Property.ShortText({ displayName, description, required });

const draw = {
  text,
  number: (prop) => Property.Number(prop),
  list: (prop) =>
    Property.Array({ ...prop, properties: { value: text({ ...prop, required: true }) } }),
  choice: ({ options, ...prop }) => Property.StaticDropdown({ ...prop, options: { options } }),
  choices: ({ options, ...prop }) =>
    Property.StaticMultiSelectDropdown({ ...prop, options: { options } }),
};

export const auth = PieceAuth.OAuth2({
  ...definition.auth,
  props: Object.fromEntries(
    Object.entries(definition.auth.props).map(([name, prop]) => [name, text(prop)]),
  ),
});

// A list property holds objects with one value each.
const flat = (props) =>
  Object.fromEntries(
    Object.entries(props).map(([name, given]) => [
      name,
      Array.isArray(given) ? given.map((item) => item?.value ?? item) : given,
    ]),
  );

async function ask(auth, path) {
  const response = await fetch(`${auth.props.fhir_base_url}/${path}`, {
    headers: { Accept: "application/fhir+json", Authorization: `Bearer ${auth.access_token}` },
    redirect: "error",
  });
  if (!response.ok) throw new Error(`Practice Fusion answered with status ${response.status}.`);
  return response.json();
}

async function get(type, auth, given) {
  return ask(auth, `${type}/${encodeURIComponent(given.id)}`);
}

async function search(type, inputs, auth, given) {
%(query)s  const bundle = await ask(auth, `${type}?${query}`);
  return %(resources)s;
}

const actions = definition.actions.map(({ type, operation, inputs, props, ...about }) =>
  createAction({
    ...about,
    auth,
    props: Object.fromEntries(
      Object.entries(props).map(([name, { kind, ...prop }]) => [name, draw[kind](prop)]),
    ),
    run: ({ auth, propsValue }) =>
      operation === "get"
        ? get(type, auth, propsValue)
        : search(type, inputs, auth, flat(propsValue)),
  }),
);

export const practiceFusion = createPiece({ ...definition.piece, auth, actions, triggers: [] });
"""


def render(catalog: Mapping[str, Any]) -> str:
    """Return the module's text."""
    connector = catalog["connector"]
    definition = {
        "piece": {
            "displayName": connector["title"],
            "description": connector["description"],
            "logoUrl": _LOGO,
            "authors": [],
            "minimumSupportedRelease": "0.30.0",
        },
        "auth": _auth(catalog),
        "actions": [_action(action) for action in catalog["actions"]],
    }
    query = "".join(f"  {line}\n" for line in javascript.QUERY.splitlines())
    return _MODULE % {
        "version": connector["version"],
        "definition": json.dumps(definition, indent=2, ensure_ascii=False),
        "query": query,
        "resources": javascript.RESOURCES.strip(),
    }


def _auth(catalog: Mapping[str, Any]) -> dict[str, Any]:
    props = {
        name: {"displayName": url["title"], "description": url["description"], "required": True}
        for name, url in direct.practice_urls(catalog).items()
    }
    return {
        "required": True,
        "props": props,
        "authUrl": "{auth_base_url}/authorize",
        "tokenUrl": "{auth_base_url}/token",
        "extra": {"aud": "{fhir_base_url}"},
        "scope": direct.scopes(catalog),
        "pkce": True,
        "pkceMethod": "S256",
        "authorizationMethod": "BODY",
    }


def _action(action: direct.Action) -> dict[str, Any]:
    fields = direct.inputs(action)
    return {
        "name": action["key"],
        "displayName": action["title"],
        "description": action["description"],
        "audience": action["audience"],
        "aiMetadata": {
            "description": action["description"],
            "idempotent": action["annotations"]["idempotentHint"],
        },
        "type": action["resource"],
        "operation": action["operation"],
        "inputs": {field.key: {"name": field.wire, "repeats": field.repeats} for field in fields},
        "props": {field.key: _prop(field) for field in fields},
        "outputSchema": _output_schema(action),
    }


def _prop(field: direct.Input) -> dict[str, Any]:
    kind = "number" if field.type == "integer" else "list" if field.repeats else "text"
    drawn: dict[str, Any] = {
        "displayName": field.title,
        "description": field.says,
        "required": field.required,
    }
    if field.choices:
        kind = "choices" if field.several else "choice"
        drawn["options"] = [
            {"label": label, "value": value} for value, label in field.choices.items()
        ]
    return {"kind": kind} | drawn


def _output_schema(action: direct.Action) -> dict[str, Any]:
    resource = action["output_schema"]["$defs"][action["resource"]]
    fields = [
        {"key": name, "label": field["title"], "description": field["description"]}
        for name, field in resource["properties"].items()
        if "title" in field
    ]
    label = {} if action["operation"] == "get" else {"itemLabel": "{id}"}
    return {"fields": fields} | label
