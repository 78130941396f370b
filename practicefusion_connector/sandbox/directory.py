"""The vendor's public directory of practices, as an invented ServiceBaseURLs.json.

A Bundle of Organization and Endpoint with the oddities readers of the real file meet: names padded
with spaces, missing NPIs, endpoints with `fullUrl` and no `address`, names in other capitals. The
first practice is this sandbox; the others point at hosts that do not exist.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any, Final

from flask import Blueprint, request
from werkzeug.wrappers import Response

from practicefusion_connector.sandbox.practice import Practice
from practicefusion_connector.sandbox.settings import PRACTICE_ID, PRACTICE_NAME

_PLACES: Final = (
    *("Amber Falls", "Birch Lake", "Copper Ridge", "Dover Point", "Elm Grove", "Fox Meadow"),
    *("Granite Bay", "Hazel Park", "Iron Bridge", "Juniper Flats"),
)
_KINDS: Final = ("Pediatrics", "Family Medicine", "Internal Medicine, P.C.", "Women's Health")
_PROVIDER, _PATIENT = "Provider / System Access", "Patient Access"
_NPI: Final = "http://hl7.org/fhir/sid/us-npi"
_TIN: Final = "urn:oid:2.16.840.1.113883.4.4"
_GUID: Final = "urn:practicefusion:practice"


def directory_routes(practice: Practice) -> Blueprint:
    """The directory at the sandbox's origin, with an ETag."""
    routes = Blueprint("directory", __name__)

    @routes.get("/ServiceBaseURLs.json")
    def service_base_urls() -> Response:
        text = json.dumps(directory_bundle(practice.base_url), indent=1)
        response = Response(text, mimetype="application/json")
        response.set_etag(hashlib.sha256(text.encode()).hexdigest()[:32])
        response.cache_control.public = True
        return response.make_conditional(request)

    return routes


def directory_bundle(base_url: str) -> dict[str, Any]:
    """The whole directory."""
    entries = _practice_entries(0, PRACTICE_NAME, PRACTICE_ID, base_url, base_url)
    names = [f"{place} {kind}" for kind in _KINDS for place in _PLACES]
    for number, name in enumerate(names, start=1):
        guid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://sandbox.practicefusion.example/{name}"))
        entries += _practice_entries(
            number,
            name,
            guid,
            f"https://api.practice.example/fhir/r4/v1/{guid}",
            f"https://api.patient.example/fhir/r4/v1/{guid}",
        )
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _practice_entries(
    number: int, name: str, guid: str, provider_url: str, patient_url: str
) -> list[dict[str, Any]]:
    surfaces = (
        ("ProviderSystemAccess", _PROVIDER, provider_url),
        ("PatientAccess", _PATIENT, patient_url),
    )
    endpoints = [
        _endpoint(number, f"{kind}-{number + 1}", label, url) for kind, label, url in surfaces
    ]
    identifiers = [{"system": _TIN, "value": f"98-{1000000 + number}"}]
    if number % 3 != 1:
        identifiers.append({"system": _NPI, "value": f"{1200000000 + number * 977}"})
    elif number % 2:
        identifiers.append({"system": _NPI, "value": ""})
    organization = {
        "resourceType": "Organization",
        "identifier": [*identifiers, {"system": _GUID, "value": guid}],
        "active": number % 11 != 10,
        "name": f"  {name} " if number % 7 == 3 else name.replace(" ", "  ", number % 5 == 4),
        "address": [{"city": name.split()[0], "state": "NY", "country": "US"}],
        "endpoint": [{"reference": f"Endpoint/{entry['resource']['id']}"} for entry in endpoints],
    }
    return [*endpoints, {"resource": organization}]


def _endpoint(number: int, endpoint_id: str, label: str, url: str) -> dict[str, Any]:
    resource = {"resourceType": "Endpoint", "id": endpoint_id, "status": "active", "name": label}
    if number % 6 == 5:
        resource["name"] = f" {label.upper()}"
    if number % 8 == 6:
        return {"fullUrl": url, "resource": resource}
    return {"resource": {**resource, "address": url}}
