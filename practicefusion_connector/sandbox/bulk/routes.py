"""The HTTP routes of bulk export, as far as they are known of Practice Fusion's server.

Kick-off 202 with Content-Location, status 202 then 200, files under Binary/export, DELETE 202.
"""

from __future__ import annotations

import math
from datetime import datetime

from flask import Blueprint, request
from werkzeug.wrappers import Response

from practicefusion_connector.sandbox.answers import FHIR_JSON, json_response, operation_outcome
from practicefusion_connector.sandbox.bulk.control import Bulk
from practicefusion_connector.sandbox.bulk.job import ExportJob
from practicefusion_connector.sandbox.bulk.sending import send_file
from practicefusion_connector.sandbox.bulk.snapshot import Asked, exportable
from practicefusion_connector.sandbox.fhir.access import Access, access_of, forbidden_type
from practicefusion_connector.sandbox.oauth.scopes import resource_scopes

_FORMATS = frozenset({"application/fhir+ndjson", "application/ndjson", "ndjson"})


class _Refused(Exception):
    """A request that is answered by an error."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def bulk_routes(bulk: Bulk) -> Blueprint:
    """The routes below the FHIR base URL."""
    routes = Blueprint("bulk", __name__)

    @routes.errorhandler(_Refused)
    def refused(error: _Refused) -> Response:
        return error.response

    @routes.get("/$export")
    def system_export() -> Response:
        return _kick_off(bulk, "system")

    @routes.get("/Patient/$export")
    def patient_export() -> Response:
        return _kick_off(bulk, "patient")

    @routes.get("/Group/<resource_id>/$export")
    def group_export(resource_id: str) -> Response:
        return _kick_off(bulk, "group", resource_id)

    @routes.get("/Group/<resource_id>")
    def group(resource_id: str) -> Response:
        access = _access(bulk)
        if not access.may_read("Group"):
            return forbidden_type("Group")
        found = bulk.group(resource_id)
        if found is None:
            return operation_outcome(404, "not-found", "There is no Group with this id.")
        return json_response(found, mimetype=FHIR_JSON)

    @routes.route("/Export/<handle>", methods=["GET", "DELETE"])
    def job(handle: str) -> Response:
        _system_types(_access(bulk))
        if request.method == "DELETE":
            _known(bulk, handle)
            bulk.drop(handle)
            return Response(status=202)
        return _status(bulk, handle)

    @routes.get("/Binary/export/<handle>/<resource_type>/<int:part>")
    def file(handle: str, resource_type: str, part: int) -> Response:
        _system_types(_access(bulk))
        return send_file(bulk, handle, resource_type, part)

    return routes


def signed_routes(bulk: Bulk) -> Blueprint:
    """The place of files whose URLs are signed: outside the FHIR base, and no token is welcome."""
    routes = Blueprint("signed", __name__)

    @routes.get("/signed/<handle>/<resource_type>/<int:part>")
    def file(handle: str, resource_type: str, part: int) -> Response:
        job = bulk.jobs.get(handle)
        if "Authorization" in request.headers:
            bulk.authorized_downloads.append(True)
            return Response("Only one way to authorize is allowed.", status=400)
        if job is None or request.args.get("signature") != job.signature:
            return Response("The signature has lapsed.", status=403)
        return send_file(bulk, handle, resource_type, part)

    return routes


def _kick_off(bulk: Bulk, level: str, group: str | None = None) -> Response:
    types = _system_types(_access(bulk))
    rules = bulk.rules
    if rules.refused is not None:
        return operation_outcome(rules.refused, "forbidden", "There is no export for this app.")
    if level not in rules.levels:
        return operation_outcome(404, "not-supported", "There is no such operation here.")
    _hold_off(bulk)
    _check_parameters(bulk)
    members = None if group is None else bulk.members(group)
    if group is not None and members is None:
        return operation_outcome(404, "not-found", "There is no Group with this id.")
    asked = Asked(
        types=_types(types),
        patients=None if members is None else frozenset(members),
        since=_since(),
        everything=level == "system",
    )
    response = Response(status=202)
    job = bulk.start(asked, request.url, request.headers.get("User-Agent", ""))
    response.headers["Content-Location"] = f"{bulk.practice.base_url}/Export/{job.handle}"
    return response


def _check_parameters(bulk: Bulk) -> None:
    if FHIR_JSON not in request.headers.get("Accept", ""):
        raise _Refused(operation_outcome(400, "invalid", f"Accept must be {FHIR_JSON}."))
    for name in request.args:
        if name not in bulk.rules.parameters:
            raise _Refused(operation_outcome(400, "not-supported", f"{name} is not supported."))
    if request.args.get("_outputFormat", "ndjson") not in _FORMATS:
        raise _Refused(operation_outcome(400, "value", "_outputFormat must be NDJSON."))


def _types(granted: frozenset[str]) -> frozenset[str]:
    asked = {name for name in request.args.get("_type", "").split(",") if name}
    if not asked:
        return granted
    if not asked <= granted:
        raise _Refused(operation_outcome(400, "value", "_type names a type that is not granted."))
    return granted & asked


def _since() -> datetime | None:
    text = request.args.get("_since")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _Refused(operation_outcome(400, "value", "_since must be an instant."))
    return moment


def _status(bulk: Bulk, handle: str) -> Response:
    _hold_off(bulk)
    failure = bulk.faults.status()
    if failure is not None:
        return operation_outcome(failure, "transient", "The export cannot be looked at now.")
    job, rules = _known(bulk, handle), bulk.rules
    part = request.args.get("part")
    if part is not None and part.isdigit():
        origin = bulk.practice.origin
        return json_response(job.manifest(bulk.practice.base_url, origin, int(part), rules))
    percent = job.poll(rules)
    if percent is None:
        return json_response(job.manifest(bulk.practice.base_url, bulk.practice.origin, 0, rules))
    response = Response(status=202)
    if rules.retry_after is not None:
        response.headers["Retry-After"] = rules.retry_after
    if rules.progress:
        response.headers["X-Progress"] = f"{math.floor(percent)}% complete"
    return response


def _known(bulk: Bulk, handle: str) -> ExportJob:
    job = bulk.jobs.get(handle)
    if job is None:
        raise _Refused(operation_outcome(404, "not-found", "There is no such export."))
    if job.is_expired(bulk.rules):
        raise _Refused(operation_outcome(410, "expired", "The export has expired."))
    return job


def _hold_off(bulk: Bulk) -> None:
    wait = bulk.faults.limited()
    if wait is not None:
        response = operation_outcome(429, "throttled", "Too many requests.")
        response.headers["Retry-After"] = str(wait)
        raise _Refused(response)


def _access(bulk: Bulk) -> Access:
    found = access_of(request, bulk.practice.tokens, bulk.practice.store)
    if isinstance(found, Response):
        raise _Refused(found)
    return found


def _system_types(access: Access) -> frozenset[str]:
    """The types a backend app may read; nobody else exports."""
    scopes = resource_scopes(access.token.scope.split())
    granted = {scope.type for scope in scopes if scope.context == "system" and scope.read}
    if not granted:
        message = "Only a backend app may export."
        raise _Refused(operation_outcome(403, "forbidden", message))
    return exportable(granted)
