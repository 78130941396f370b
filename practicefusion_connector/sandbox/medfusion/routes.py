"""The portal's API: OAuth, patients in and out, processing status."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Iterable

from flask import Blueprint, request
from lxml import etree
from werkzeug.wrappers import Response

from practicefusion_connector.sandbox.answers import json_response
from practicefusion_connector.sandbox.medfusion import settings
from practicefusion_connector.sandbox.medfusion.portal import Job, Portal
from practicefusion_connector.sandbox.medfusion.schema import Invalid, Node, valid_patients

_XML = "application/xml"
_SINCE = re.compile(r"([0-9]{1,20})(,[0-9]{1,20})?")


def portal_routes(portal: Portal, origin: str) -> Blueprint:
    """The routes of Medfusion's Patient API; `origin` is where the sandbox can be reached."""
    routes = Blueprint("portal", __name__)

    @routes.get("/v1/oauth2/oauthapplication/<token>")
    def application(token: str) -> Response:
        return _application(portal, token)

    @routes.post("/v1/oauth2/token")
    def token() -> Response:
        return _token(portal)

    @routes.post("/<version>/practice/<uuid:practice>/patient")
    def invite(version: str, practice: str) -> Response:
        return _refusal(portal, version, practice) or _invite(portal, version, origin)

    @routes.get("/<version>/practice/<uuid:practice>/patient")
    def changes(version: str, practice: str) -> Response:
        return _refusal(portal, version, practice) or _changes(portal, version)

    @routes.get("/<version>/practice/<uuid:practice>/processingStatus/<job>")
    def status(version: str, practice: str, job: str) -> Response:
        return _refusal(portal, version, practice) or _status(portal, version, job)

    return routes


def _application(portal: Portal, token: str) -> Response:
    portal.application_look_ups += 1
    if not _same(token, settings.APPLICATION_TOKEN):
        return json_response({"message": "There is no application of this token."}, 404)
    return json_response(
        {
            "applicationName": settings.APPLICATION_NAME,
            "grantTypes": ["password"],
            "clientId": settings.CLIENT_ID,
            "clientSecret": settings.CLIENT_SECRET,
            "oauthVersion": "2.0",
        }
    )


def _token(portal: Portal) -> Response:
    form = request.form
    good = (
        _same(_basic(), f"{settings.CLIENT_ID}:{settings.CLIENT_SECRET}")
        and _same(form.get("username", ""), settings.USERNAME)
        and _same(form.get("password", ""), settings.PASSWORD)
    )
    if form.get("grant_type") != "password":
        return json_response({"message": "The grant type is not supported."}, 400)
    if not good:
        return json_response({"message": "Check the OAuth attributes."}, 401)
    return json_response(
        {
            "tokenType": "BEARER",
            "expiresIn": portal.behaviour.token_seconds,
            "refreshToken": None,
            "accessToken": portal.issue_token(),
            "accessTokenSecret": None,
        }
    )


def _basic() -> str:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        return base64.b64decode(encoded, validate=True).decode() if scheme == "Basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _refusal(portal: Portal, version: str, practice: object) -> Response | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not portal.knows_token(token):
        return _problem(401, "Check the OAuth attributes.")
    if str(practice).lower() != settings.PRACTICE_ID or version not in settings.NAMESPACES:
        return _problem(404, "There is no such practice.")
    return None


def _invite(portal: Portal, version: str, origin: str) -> Response:
    if request.mimetype != _XML:
        return _problem(415, "The content type is not supported.")
    try:
        patients = valid_patients(request.get_data(), version)
    except Invalid as problem:
        return _problem(400, str(problem))
    job = portal.accept(patients)
    if portal.behaviour.answers_lost > 0:
        portal.behaviour.answers_lost -= 1
        return _problem(504, "The gateway gave up waiting.")
    ids = [("dataJobId", job.data_job_id), *(("messageId", one.id) for one in job.messages)]
    answer = _answer(_element(version, "ProcessingResponse", ids), 202)
    base = f"{origin}/{version}/practice/{settings.PRACTICE_ID}"
    answer.headers["Location"] = f"{base}/processingStatus/{job.id}"
    return answer


def _changes(portal: Portal, version: str) -> Response:
    asked = _SINCE.fullmatch(request.args.get("since", ""))
    if asked is None:
        return _problem(400, "since must be a number.")
    found, stamp = portal.changes(int(asked[1]))
    if not found:
        return Response(status=204)
    batch = _element(version, "PatientBatch", [("BatchSize", str(len(found)))])
    batch.extend([record.as_version(version) for record in found])
    answer = _answer(batch, 200)
    if portal.behaviour.tells_last_timestamp:
        answer.headers["Last-Timestamp"] = str(stamp)
    return answer


def _status(portal: Portal, version: str, job_id: str) -> Response:
    portal.process_due()
    job = portal.jobs.get(job_id)
    if job is None:
        return _problem(404, "There is no such job.")
    return _answer(_told(version, job), 200)


def _told(version: str, job: Job) -> Node:
    root = _element(version, "ProcessingStatuses", [("DataJobId", job.data_job_id)])
    for message in job.messages:
        one: Node = etree.SubElement(root, "ProcessingStatus")
        etree.SubElement(one, "MessageId").text = message.id
        etree.SubElement(one, "State").text = message.state
        if message.error:
            etree.SubElement(one, "Error").text = message.error
    return root


def _element(version: str, name: str, children: Iterable[tuple[str, str]]) -> Node:
    namespace = settings.NAMESPACES[version]
    root: Node = etree.Element(f"{{{namespace}}}{name}", nsmap={"ns2": namespace})
    for tag, text in children:
        etree.SubElement(root, tag).text = text
    return root


def _problem(status: int, message: str) -> Response:
    root: Node = etree.Element("Error")
    etree.SubElement(root, "Message").text = message
    return _answer(root, status)


def _answer(root: Node, status: int) -> Response:
    body = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return Response(body, status=status, mimetype=_XML)


def _same(given: str, known: str) -> bool:
    return secrets.compare_digest(given.encode(), known.encode())
