"""Resources that between them have every element the summary views read. No real person.

Written for the tests: names, ids and numbers are invented, the shapes are FHIR R4's.
"""

from __future__ import annotations

from typing import Any

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
UPDATED = {"lastUpdated": "2026-03-01T08:00:00Z"}


def concept(code: str, display: str, system: str = SNOMED, **more: Any) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}], **more}


def reference(target: str, display: str) -> dict[str, Any]:
    return {"reference": target, "display": display}


PATIENT = reference("Patient/p1", "Ada Example")
DOCTOR = reference("Practitioner/d1", "Dr. Bo Sample")
CLINIC = reference("Organization/o1", "Sample Clinic")
PLACE = reference("Location/l1", "Room 1")
VISIT = {"reference": "Encounter/e1"}
NOTE = [{"text": "Seen twice."}]
PERIOD = {"start": "2026-01-02", "end": "2026-02-03"}


def quantity(value: float, unit: str) -> dict[str, Any]:
    return {
        "value": value,
        "unit": unit,
        "system": "http://unitsofmeasure.org",
        "code": unit,
    }


def race(name: str, code: str, text: str) -> dict[str, Any]:
    omb = {"system": "urn:oid:2.16.840.1.113883.6.238", "code": code, "display": text}
    return {
        "url": f"{US_CORE}us-core-{name}",
        "extension": [
            {"url": "ombCategory", "valueCoding": omb},
            {"url": "text", "valueString": text},
        ],
    }


HOME = {
    "use": "home",
    "line": ["1 Main St", "Apt 2"],
    "city": "Springfield",
    "state": "IL",
    "postalCode": "62701",
    "country": "US",
}
TELECOM = [
    {"system": "phone", "value": "555-0100", "use": "old"},
    {"system": "phone", "value": "555-0101", "use": "home"},
    {"system": "fax", "value": "555-0102"},
    {"system": "email", "value": "ada@example.com"},
]
NPI = [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "9999999999"}]


RESOURCES: list[dict[str, Any]] = [
    {
        "resourceType": "Patient",
        "id": "p1",
        "meta": UPDATED,
        "extension": [
            race("race", "2106-3", "White"),
            race("ethnicity", "2186-5", "Not Hispanic or Latino"),
            {"url": f"{US_CORE}us-core-birthsex", "valueCode": "F"},
        ],
        "identifier": [
            {"system": "urn:example", "value": "other"},
            {
                "type": concept("MR", "Medical record number", "urn:v2-0203"),
                "system": "https://practicefusion-prod.medicasoft.us/PF",
                "value": "AB123456",
            },
        ],
        "active": True,
        "name": [
            {"use": "maiden", "family": "Before", "given": ["Ada"]},
            {"use": "official", "family": "Example", "given": ["Ada", "Bea"], "prefix": ["Ms."]},
        ],
        "telecom": TELECOM,
        "gender": "female",
        "birthDate": "1980-05-06",
        "deceasedDateTime": "2026-02-01",
        "address": [{"use": "old", "city": "Elsewhere"}, HOME],
        "maritalStatus": concept("M", "Married"),
        "communication": [
            {"language": concept("es", "Spanish")},
            {"language": concept("en", "English"), "preferred": True},
        ],
        "generalPractitioner": [DOCTOR],
        "managingOrganization": CLINIC,
    },
    {
        "resourceType": "Observation",
        "id": "glucose",
        "meta": UPDATED,
        "status": "final",
        "category": [concept("laboratory", "Laboratory")],
        "code": concept("2339-0", "Glucose", LOINC, text="Glucose; 2026-01-02; final; Dr. X"),
        "subject": PATIENT,
        "encounter": VISIT,
        "effectiveDateTime": "2026-01-02T10:00:00Z",
        "issued": "2026-01-02T11:00:00Z",
        "performer": [{"reference": "Practitioner/d1", "display": "Dr. Bo Sample"}],
        "valueQuantity": {**quantity(6.3, "mmol/L"), "comparator": ">"},
        "interpretation": [concept("H", "High")],
        "referenceRange": [{"low": quantity(3.1, "mmol/L"), "high": quantity(6.2, "mmol/L")}],
        "note": NOTE,
        "bodySite": concept("1", "Arm"),
        "method": concept("2", "Test strip"),
        "device": {"display": "Meter"},
        "specimen": {"display": "Blood"},
    },
    {
        "resourceType": "Observation",
        "id": "pressure",
        "status": "final",
        "code": concept("85354-9", "Blood pressure", LOINC),
        "subject": PATIENT,
        "effectivePeriod": PERIOD,
        "component": [
            {
                "code": concept("8462-4", "Diastolic blood pressure", LOINC),
                "valueQuantity": quantity(80, "mmHg"),
            },
            {
                "code": concept("8480-6", "Systolic blood pressure", LOINC),
                "valueQuantity": quantity(120, "mmHg"),
            },
            {"code": concept("1", "Posture"), "dataAbsentReason": concept("unknown", "Unknown")},
        ],
    },
    {
        "resourceType": "Observation",
        "id": "smoking",
        "status": "final",
        "code": {"text": "Smoking"},
        "subject": PATIENT,
        "effectiveInstant": "2026-01-02T10:00:00Z",
        "valueCodeableConcept": concept("266919005", "Never smoked"),
    },
    {
        "resourceType": "Observation",
        "id": "absent",
        "status": "final",
        "code": concept("1", "Weight"),
        "dataAbsentReason": concept("refused", "Refused"),
        "referenceRange": [{"text": "any"}],
    },
    {
        "resourceType": "Condition",
        "id": "c1",
        "meta": UPDATED,
        "clinicalStatus": concept("active", "Active"),
        "verificationStatus": {"text": "confirmed"},
        "category": [concept("problem-list-item", "Problem List Item")],
        "severity": concept("1", "Mild"),
        "code": concept("44054006", "Diabetes"),
        "bodySite": [concept("1", "Arm")],
        "subject": PATIENT,
        "encounter": VISIT,
        "onsetPeriod": PERIOD,
        "abatementDateTime": "2026-02-03",
        "recordedDate": "2026-01-02",
        "recorder": DOCTOR,
        "asserter": PATIENT,
        "note": NOTE,
    },
    {
        "resourceType": "AllergyIntolerance",
        "id": "a1",
        "meta": UPDATED,
        "clinicalStatus": concept("active", "Active"),
        "verificationStatus": concept("confirmed", "Confirmed"),
        "type": "allergy",
        "category": ["food", "medication"],
        "criticality": "high",
        "code": concept("91935009", "Peanut"),
        "patient": PATIENT,
        "encounter": VISIT,
        "onsetDateTime": "2010",
        "recordedDate": "2026-01-02",
        "recorder": DOCTOR,
        "asserter": PATIENT,
        "lastOccurrence": "2025-12",
        "note": NOTE,
        "reaction": [{"manifestation": [concept("1", "Hives")], "severity": "mild"}],
    },
    {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "meta": UPDATED,
        "status": "active",
        "statusReason": concept("1", "Renewed"),
        "intent": "order",
        "category": [concept("community", "Community")],
        "reportedBoolean": False,
        "medicationCodeableConcept": concept(
            "314076", "lisinopril 10 MG Oral Tablet", "http://www.nlm.nih.gov/research/umls/rxnorm"
        ),
        "subject": PATIENT,
        "encounter": VISIT,
        "authoredOn": "2026-01-02",
        "requester": DOCTOR,
        "reasonCode": [concept("1", "Hypertension")],
        "note": NOTE,
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": 2, "period": 1.0, "periodUnit": "d"}},
                "asNeededBoolean": True,
                "route": concept("1", "Oral"),
                "doseAndRate": [{"doseQuantity": quantity(1, "tablet")}],
            }
        ],
        "dispenseRequest": {
            "numberOfRepeatsAllowed": 3,
            "quantity": quantity(60, "tablet"),
            "expectedSupplyDuration": quantity(30, "days"),
        },
    },
    {
        "resourceType": "MedicationRequest",
        "id": "m2",
        "contained": [
            {"resourceType": "Medication", "id": "x", "code": concept("1", "Contained syrup")}
        ],
        "status": "active",
        "intent": "order",
        "medicationReference": {"reference": "#x"},
        "subject": PATIENT,
    },
    {
        "resourceType": "MedicationRequest",
        "id": "m3",
        "status": "active",
        "intent": "order",
        "medicationReference": reference("Medication/m9", "Referenced syrup"),
        "subject": PATIENT,
    },
    {
        "resourceType": "Procedure",
        "id": "pr1",
        "meta": UPDATED,
        "status": "completed",
        "category": concept("1", "Surgical procedure"),
        "code": concept("80146002", "Appendectomy"),
        "subject": PATIENT,
        "encounter": VISIT,
        "performedPeriod": PERIOD,
        "recorder": DOCTOR,
        "performer": [{"actor": DOCTOR}],
        "location": PLACE,
        "reasonReference": [reference("Condition/c1", "Appendicitis")],
        "bodySite": [concept("1", "Abdomen")],
        "outcome": concept("1", "Successful"),
        "note": NOTE,
    },
    {
        "resourceType": "Immunization",
        "id": "i1",
        "meta": UPDATED,
        "status": "completed",
        "statusReason": concept("1", "Booster due"),
        "vaccineCode": concept("140", "Influenza", "http://hl7.org/fhir/sid/cvx"),
        "patient": PATIENT,
        "encounter": VISIT,
        "occurrenceDateTime": "2026-01-02",
        "recorded": "2026-01-03",
        "primarySource": True,
        "location": PLACE,
        "manufacturer": CLINIC,
        "lotNumber": "L1",
        "expirationDate": "2027-01-01",
        "site": concept("LA", "Left arm"),
        "route": concept("IM", "Injection"),
        "doseQuantity": quantity(0.5, "mL"),
        "performer": [{"actor": DOCTOR}],
        "note": NOTE,
        "protocolApplied": [{"doseNumberPositiveInt": 2}],
    },
    {
        "resourceType": "Encounter",
        "id": "e1",
        "meta": UPDATED,
        "status": "finished",
        "class": {"code": "AMB", "display": "ambulatory"},
        "type": [concept("185349003", "Check up")],
        "serviceType": concept("1", "General practice"),
        "subject": PATIENT,
        "participant": [{"individual": DOCTOR}],
        "period": PERIOD,
        "reasonCode": [concept("1", "Cough")],
        "hospitalization": {"dischargeDisposition": concept("home", "Home")},
        "location": [{"location": PLACE}],
        "serviceProvider": CLINIC,
    },
    {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "meta": UPDATED,
        "status": "final",
        "category": [concept("LAB", "Laboratory")],
        "code": concept("58410-2", "CBC", LOINC),
        "subject": PATIENT,
        "encounter": VISIT,
        "effectiveDateTime": "2026-01-02",
        "issued": "2026-01-02T11:00:00Z",
        "performer": [CLINIC],
        "result": [
            reference("Observation/1", "Hemoglobin"),
            reference("Observation/2", "Platelets"),
        ],
        "conclusion": "Normal.",
        "conclusionCode": [concept("1", "Normal")],
        "presentedForm": [
            {"contentType": "application/pdf", "url": "Binary/1", "title": "CBC report"}
        ],
    },
    {
        "resourceType": "DocumentReference",
        "id": "d1",
        "meta": UPDATED,
        "status": "current",
        "docStatus": "final",
        "type": concept("34133-9", "Summary", LOINC),
        "category": [concept("clinical-note", "Clinical Note")],
        "subject": PATIENT,
        "date": "2026-01-02T10:00:00Z",
        "author": [DOCTOR],
        "custodian": CLINIC,
        "description": "Visit summary",
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain",
                    "url": "Binary/2",
                    "title": "Summary",
                    "size": 10,
                },
                "format": {"code": "urn:x", "display": "Plain text"},
            }
        ],
        "context": {"encounter": [VISIT], "period": PERIOD},
    },
    {
        "resourceType": "CarePlan",
        "id": "cp1",
        "meta": UPDATED,
        "text": {
            "status": "additional",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Eat &amp; <b>walk</b></p></div>',
        },
        "status": "active",
        "intent": "plan",
        "category": [concept("assess-plan", "Assessment and plan")],
        "title": "Plan",
        "description": "Lose weight",
        "subject": PATIENT,
        "encounter": VISIT,
        "period": PERIOD,
        "created": "2026-01-02",
        "author": DOCTOR,
        "careTeam": [reference("CareTeam/t1", "Team")],
        "addresses": [reference("Condition/c1", "Obesity")],
        "goal": [reference("Goal/g1", "Weight")],
        "activity": [
            {"detail": {"description": "Walk daily", "status": "scheduled"}},
            {"detail": {"description": "Eat less", "status": "scheduled"}},
        ],
        "note": NOTE,
    },
    {
        "resourceType": "CareTeam",
        "id": "t1",
        "meta": UPDATED,
        "status": "active",
        "category": [concept("1", "Longitudinal")],
        "name": "Team",
        "subject": PATIENT,
        "encounter": VISIT,
        "period": PERIOD,
        "participant": [
            {"role": [concept("1", "Cardiologist")], "member": DOCTOR},
            {"role": [concept("2", "Caregiver")], "member": {"reference": "RelatedPerson/r1"}},
        ],
        "reasonCode": [concept("1", "Diabetes")],
        "managingOrganization": [CLINIC],
        "note": NOTE,
    },
    {
        "resourceType": "Goal",
        "id": "g1",
        "meta": UPDATED,
        "lifecycleStatus": "active",
        "achievementStatus": concept("improving", "Improving"),
        "category": [concept("dietary", "Dietary")],
        "priority": concept("high", "High"),
        "description": concept("1", "Lose weight"),
        "subject": PATIENT,
        "startDate": "2026-01-02",
        "target": [
            {
                "measure": concept("29463-7", "Body weight", LOINC),
                "detailRange": {"low": quantity(60, "kg"), "high": quantity(70, "kg")},
                "dueDate": "2026-12-31",
            }
        ],
        "statusDate": "2026-02-01",
        "expressedBy": DOCTOR,
        "addresses": [reference("Condition/c1", "Obesity")],
        "note": NOTE,
    },
    {
        "resourceType": "Device",
        "id": "dv1",
        "meta": UPDATED,
        "udiCarrier": [{"deviceIdentifier": "0950400", "carrierHRF": "(01)0950400(17)141120"}],
        "status": "active",
        "distinctIdentifier": "D1",
        "manufacturer": "Acme",
        "manufactureDate": "2025-01-01",
        "expirationDate": "2030-01-01",
        "lotNumber": "L1",
        "serialNumber": "S1",
        "deviceName": [{"name": "Stent", "type": "user-friendly-name"}],
        "modelNumber": "M1",
        "type": concept("1", "Coronary stent"),
        "patient": PATIENT,
        "owner": CLINIC,
        "location": PLACE,
        "note": NOTE,
    },
    {
        "resourceType": "Organization",
        "id": "o1",
        "meta": UPDATED,
        "identifier": NPI,
        "active": True,
        "type": [concept("prov", "Healthcare Provider")],
        "name": "Sample Clinic",
        "telecom": TELECOM,
        "address": [HOME],
        "partOf": reference("Organization/o2", "Sample Group"),
    },
    {
        "resourceType": "Practitioner",
        "id": "d1",
        "meta": UPDATED,
        "identifier": NPI,
        "active": True,
        "name": [{"family": "Sample", "given": ["Bo"], "prefix": ["Dr."], "suffix": ["MD"]}],
        "telecom": TELECOM,
        "address": [HOME],
        "gender": "male",
        "qualification": [{"code": concept("MD", "Doctor of Medicine")}],
    },
    {
        "resourceType": "Provenance",
        "id": "pv1",
        "meta": UPDATED,
        "target": [{"reference": "DocumentReference/d1"}],
        "occurredPeriod": PERIOD,
        "recorded": "2026-01-02T10:00:00Z",
        "location": PLACE,
        "reason": [concept("TREAT", "Treatment")],
        "activity": concept("CREATE", "Create"),
        "agent": [{"type": concept("author", "Author"), "who": DOCTOR, "onBehalfOf": CLINIC}],
        "entity": [{"role": "source", "what": reference("DocumentReference/d2", "Draft")}],
    },
]
