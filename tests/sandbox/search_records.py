"""The records the search rules are tested on: small, and different where a rule decides."""

from __future__ import annotations

from typing import Any

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"


def _patient(key: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": key, **more}


def _observation(key: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": key, "status": "final", **more}


def _encounter(key: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Encounter", "id": key, "status": "finished", **more}


def _quantity(value: float, unit: str = "mg/dL", code: str = "mg/dL") -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": UCUM, "code": code}


def _document(key: str, *relations: tuple[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "id": key,
        "status": "current",
        "relatesTo": [
            {"code": code, "target": {"reference": f"DocumentReference/{target}"}}
            for code, target in relations
        ],
        "content": [{"attachment": {"url": f"https://files.example/{key}?a=1,b=2"}}],
    }


RECORDS: list[dict[str, Any]] = [
    _patient(
        "p1",
        active=True,
        gender="female",
        name=[{"family": "Núñez", "given": ["María José", "Ana"], "text": "Dr. M. Núñez"}],
        birthDate="1980-05-17",
        deceasedBoolean=False,
        telecom=[{"system": "phone", "value": "(716) 361-9276"}],
        address=[{"line": ["12, Rue d'Été"], "city": "Saint-Malo", "country": "FR"}],
        identifier=[{"system": "urn:mrn", "value": "A|1"}, {"value": "bare"}],
        communication=[{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "es"}]}}],
    ),
    _patient(
        "p2",
        active=False,
        gender="male",
        name=[{"family": "Nunes", "given": ["Tom"]}],
        birthDate="1980-05",
        deceasedDateTime="2020-02-29T10:00:00-05:00",
        telecom=[{"system": "email", "value": "tom@example.com"}],
        address=[{"line": ["7 Main St, Apt 4"], "city": "Buffalo", "country": "US"}],
        identifier=[{"system": "urn:mrn", "value": "B2"}],
        link=[{"other": {"reference": "Patient/p1"}, "type": "replaced-by"}],
    ),
    _patient("p3", name=[{"family": "O'Malley"}], birthDate="1981"),
    _observation(
        "q-5.4",
        subject={"reference": "Patient/p1"},
        code={"coding": [{"system": LOINC, "code": "2345-7"}]},
        valueQuantity=_quantity(5.4),
        performer=[{"reference": "Practitioner/d1"}, {"reference": "https://other.example/P/9"}],
    ),
    _observation(
        "q-5.44",
        subject={"reference": "Patient/p2/_history/3"},
        code={"coding": [{"system": LOINC, "code": "2345-7"}, {"code": "local"}]},
        valueQuantity=_quantity(5.44),
        performer=[{"reference": "Practitioner?identifier=urn:npi|77"}],
    ),
    _observation("q-54-mmol", valueQuantity=_quantity(54, "mmol/L", "mmol/L")),
    _observation("q-unit", valueQuantity={"value": 100, "unit": "steps"}),
    _observation("v-text", valueString="Clear, no sediment"),
    _observation("v-code", valueCodeableConcept={"text": "Clearly yellow"}),
    _observation("v-date", valueDateTime="2026-03"),
    _encounter("e-day", period={"start": "2026-03-10", "end": "2026-03-10"}),
    _encounter("e-hours", period={"start": "2026-03-10T09:00:00Z", "end": "2026-03-10T10:00:00Z"}),
    _encounter("e-open", period={"start": "2026-03-09T23:30:00Z"}),
    _encounter("e-zone", period={"start": "2026-03-10T23:30:00-05:00", "end": "2026-03-11T05:00Z"}),
    _encounter("e-2025", period={"start": "2025-06", "end": "2025-06"}),
    _encounter("e-none"),
    {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "dosageInstruction": [{"timing": {"event": ["2026-04-01", "2026-04-03"]}}],
        "medicationReference": {"reference": "Medication/x1"},
    },
    _document("doc-a", ("replaces", "doc-b"), ("appends", "doc-c")),
    _document("doc-b", ("appends", "doc-b")),
    _document("doc-c"),
    {
        "resourceType": "Practitioner",
        "id": "d1",
        "identifier": [{"system": "urn:npi", "value": "77"}],
    },
    {
        "resourceType": "Provenance",
        "id": "prov-1",
        "recorded": "2026-03-10T09:00:00.250Z",
        "target": [{"reference": "Patient/p1"}, {"reference": "Observation/q-5.4"}],
    },
]
