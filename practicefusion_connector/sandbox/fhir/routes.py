"""The HTTP routes of the FHIR endpoint."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from practicefusion_connector.sandbox.answers import FHIR_JSON, json_response, operation_outcome
from practicefusion_connector.sandbox.fhir.access import (
    access_of,
    forbidden_record,
    forbidden_type,
)
from practicefusion_connector.sandbox.fhir.capability import (
    capability_statement,
    smart_configuration,
)
from practicefusion_connector.sandbox.fhir.searchset import answer_search, read_search
from practicefusion_connector.sandbox.oauth.scopes import RESOURCE_TYPES
from practicefusion_connector.sandbox.practice import Practice
from practicefusion_connector.sandbox.search import SearchError


def fhir_routes(practice: Practice) -> Blueprint:
    """The routes below the FHIR base URL, but for the OAuth endpoints."""
    routes = Blueprint("fhir", __name__)

    @routes.get("/.well-known/smart-configuration")
    def smart() -> Response:
        return json_response(smart_configuration(practice.base_url, practice.behaviour))

    @routes.get("/metadata")
    def metadata() -> Response:
        return json_response(capability_statement(practice.base_url), mimetype=FHIR_JSON)

    @routes.get("/<resource_type>/<resource_id>")
    def read(resource_type: str, resource_id: str) -> Response:
        return _read(practice, resource_type, resource_id)

    @routes.get("/<resource_type>")
    def search(resource_type: str) -> Response:
        return _search(practice, resource_type)

    return routes


def _read(practice: Practice, resource_type: str, resource_id: str) -> Response:
    access = access_of(request, practice.tokens, practice.store)
    if isinstance(access, Response):
        return access
    refusal = _unknown_type(practice, resource_type)
    if refusal is not None:
        return refusal
    if not access.may_read(resource_type):
        return forbidden_type(resource_type)
    resource = practice.store.get(resource_type, resource_id)
    if resource is None:
        return operation_outcome(404, "not-found", f"There is no {resource_type} with this id.")
    if not access.visible(resource_type, [resource]):
        return forbidden_record()
    return json_response(resource, mimetype=FHIR_JSON)


def _search(practice: Practice, resource_type: str) -> Response:
    access = access_of(request, practice.tokens, practice.store)
    if isinstance(access, Response):
        return access
    refusal = _unknown_type(practice, resource_type)
    if refusal is not None:
        return refusal
    if not access.may_search(resource_type):
        return forbidden_type(resource_type)
    arguments: Any = request.args.items(multi=True)
    try:
        asked = read_search(resource_type, arguments, practice.behaviour)
        bundle = answer_search(practice, access, asked)
    except SearchError as error:
        return operation_outcome(400, error.code, str(error))
    return json_response(bundle, mimetype=FHIR_JSON)


def _unknown_type(practice: Practice, resource_type: str) -> Response | None:
    if resource_type in RESOURCE_TYPES or resource_type in practice.store.by_type:
        return None
    return operation_outcome(404, "not-supported", "This resource type does not exist here.")
