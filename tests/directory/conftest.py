"""A practice directory as the vendor publishes it: mostly tidy, with the faults it is known for."""

from __future__ import annotations

import json
from typing import Any

import pytest

GUID = "118b460b-8390-4754-8e4a-1dd5ee20f599"


def endpoint(number: str, name: str, address: str | None, **extra: Any) -> dict[str, Any]:
    resource = {"resourceType": "Endpoint", "id": number, "status": "active", "name": name}
    if address is not None:
        resource["address"] = address
    return {"resource": resource, **extra}


def organization(name: object, *references: str, **extra: Any) -> dict[str, Any]:
    listed = [{"reference": reference} for reference in references]
    resource = {"resourceType": "Organization", "name": name, "active": True, "endpoint": listed}
    return {"resource": resource | extra}


def provider(guid: str) -> str:
    return f"https://api.practicefusion.com/fhir/r4/v1/{guid}"


def patient(guid: str) -> str:
    return f"https://api.patientfusion.com/fhir/r4/v1/{guid}"


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


@pytest.fixture
def bundle() -> dict[str, Any]:
    fmh = "https://api.practicefusion.com/fhir/fmh/r4/v1/"
    return {
        "resourceType": "Bundle",
        "entry": [
            endpoint("p1", "Provider / System Access", provider(GUID)),
            endpoint("c1", "Patient Access", patient(GUID)),
            organization(
                "  Las Vegas   Pediatric Urology ",
                "Endpoint/p1",
                "Endpoint/c1",
                identifier=[
                    {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"},
                    {"system": "urn:oid:2.16.840.1.113883.4.4", "value": "12-3456789"},
                    {"system": "https://www.practicefusion.com", "value": GUID},
                    {"system": "http://hl7.org/fhir/sid/us-npi"},
                ],
                address=[{"city": "Las Vegas", "state": "NV"}],
            ),
            # No address: the full URL stands in for it; the reference is the full URL as well.
            endpoint("p2", "PROVIDER/SYSTEM  ACCESS", None, fullUrl=provider(guid(2)) + "/"),
            endpoint("c2", " patient access ", f"{fmh}{guid(2)}"),
            organization("Clínica Peña de Niños", provider(guid(2)) + "/", "c2"),
            # No names at all: the addresses say which is which; references are absolute.
            endpoint("p3", "", provider(guid(3))),
            endpoint("c3", "", patient(guid(3))),
            organization(
                "St. Mary's Pediatrics",
                "https://directory.example/Endpoint/p3",
                "https://directory.example/Endpoint/c3",
                active=False,
            ),
            # One kind of access only.
            endpoint("c4", "Patient Access", patient(guid(4))),
            organization("PediatricCare Partners", "Endpoint/c4"),
            # What cannot be used.
            endpoint("p5", "Provider / System Access", "http://api.practicefusion.com/fhir"),
            organization("Broken Address Clinic", "Endpoint/p5"),
            organization("Nowhere Clinic", "Endpoint/missing"),
            organization(None, "Endpoint/p1"),
            organization("No Endpoints Clinic"),
            {"resource": {"resourceType": "Location"}},
            {"resource": None},
            "not an entry",
            {},
        ],
    }


@pytest.fixture
def body(bundle: dict[str, Any]) -> bytes:
    return json.dumps(bundle).encode()
