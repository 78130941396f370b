"""Medfusion's Patient as a FHIR R4 Patient, and back: demographics, contacts, who pays.

Values to values, by tables where the two only name things differently. What one side has no place
for is left out and listed in `docs/medfusion.md`. Insurance is in `coverage`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from practicefusion_connector.medfusion.contacts import contacts, from_contacts
from practicefusion_connector.medfusion.coverage import coverages, insurances
from practicefusion_connector.medfusion.elements import (
    OVER,
    Json,
    address_of,
    as_dict,
    as_dicts,
    contact_point,
    filled,
    human_name,
    name_of,
    point,
    postal,
    preferred,
    text_of,
)
from practicefusion_connector.medfusion.models import (
    Patient,
    PatientIdentifier,
    PracticeIdentifier,
)
from practicefusion_connector.medfusion.states import state_of

PORTAL_ID = "urn:practicefusion-connector:medfusion:patient-id"
PORTAL_PRACTICE = "urn:practicefusion-connector:medfusion:practice-id"
STATUS = "urn:practicefusion-connector:medfusion:status"
SSN = "http://hl7.org/fhir/sid/us-ssn"
_IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_ACTIVE = {"PROVISIONED": True, "REGISTERED": True, "DEACTIVATED": False, "DELETED": False}


_PHONES = (("home_phone", "home"), ("mobile_phone", "mobile"), ("work_phone", "work"))


def to_fhir(patient: Patient) -> Json:
    """Return a FHIR R4 Patient; the portal's state is its `meta.tag`."""
    state = state_of(patient.status)
    meta = {
        "lastUpdated": patient.to_dict().get("last_update_date"),
        "tag": [{"system": STATUS, "code": patient.status}] if patient.status else None,
    }
    practice = patient.practice_identifier and patient.practice_identifier.portal_practice_id
    language = {"language": {"text": patient.preferred_language}, "preferred": True}
    resource: Json = {
        "resourceType": "Patient",
        "meta": filled(meta),
        "extension": _origins(patient),
        "identifier": _identifiers(patient),
        "active": _ACTIVE[state] if state else None,
        "name": [human_name(patient.name, "official")] if patient.name else None,
        "telecom": _telecom(patient),
        "gender": patient.gender.lower() if patient.gender else None,
        "birthDate": patient.date_of_birth.isoformat() if patient.date_of_birth else None,
        "address": [
            postal(address, use)
            for address, use in ((patient.home_address, "home"), (patient.work_address, "work"))
            if address
        ],
        "maritalStatus": {"text": patient.marital_status} if patient.marital_status else None,
        "contact": contacts(patient),
        "communication": [language] if patient.preferred_language else None,
        "managingOrganization": {"identifier": {"system": PORTAL_PRACTICE, "value": practice}}
        if practice
        else None,
    }
    if resource["gender"] not in (None, "male", "female", "other", "unknown"):
        resource["gender"] = "unknown"
    return filled(resource)


def from_fhir(resource: Mapping[str, Any], insured_by: Iterable[Mapping[str, Any]] = ()) -> Patient:
    """Return the portal's Patient of a FHIR R4 Patient, and of the Coverages it is insured by.

    The practice's own id of the patient is the medical record number (type MR), else the
    resource's id.
    """
    identifiers = as_dicts(resource.get("identifier"))
    practice = as_dict(as_dict(resource.get("managingOrganization")).get("identifier"))
    meta = as_dict(resource.get("meta"))
    status, portal_id = _status(meta), _of_system(identifiers, PORTAL_ID)
    addresses = [one for one in as_dicts(resource.get("address")) if one.get("use") not in OVER]
    around = from_contacts(as_dicts(resource.get("contact"))) | insurances(insured_by)
    return Patient(
        patient_identifier=PatientIdentifier(
            practice_patient_id=_typed(identifiers, "MR") or resource.get("id"),
            patient_account_number=_typed(identifiers, "AN"),
            portal_patient_id=portal_id,
        ),
        practice_identifier=PracticeIdentifier(
            portal_practice_id=_of_system([practice], PORTAL_PRACTICE)
        ),
        status=status,
        # Of a resource that is not the portal's, it tells of another system's changes.
        last_update_date=meta.get("lastUpdated") if status or portal_id else None,
        name=name_of(preferred(resource.get("name"), ("official", "usual", None))),
        date_of_birth=_whole_day(resource.get("birthDate")),
        race=_origin(resource, "race"),
        ethnicity=_origin(resource, "ethnicity"),
        gender=str(resource["gender"]).upper() if resource.get("gender") else None,
        preferred_language=_language(resource),
        social_security_number=_of_system(identifiers, SSN),
        email_address=contact_point(resource, "email", None),
        home_address=address_of(preferred(addresses, ("home", None))),
        work_address=address_of(preferred(addresses, ("work",))),
        home_phone=contact_point(resource, "phone", "home"),
        mobile_phone=contact_point(resource, "phone", "mobile"),
        work_phone=contact_point(resource, "phone", "work"),
        marital_status=text_of(resource.get("maritalStatus")),
        **around,
    )


def _status(meta: Json) -> str | None:
    tags = as_dicts(meta.get("tag"))
    return next((tag.get("code") for tag in tags if tag.get("system") == STATUS), None)


def _whole_day(day: Any) -> date | None:
    """Return a FHIR date that names a day; a month or a year alone is no date of birth here."""
    try:
        return date.fromisoformat(day)
    except (TypeError, ValueError):
        return None


def _origins(patient: Patient) -> list[Json]:
    told = (("race", patient.race), ("ethnicity", patient.ethnicity))
    return [
        {"url": _US_CORE + name, "extension": [{"url": "text", "valueString": text}]}
        for name, text in told
        if text
    ]


def _origin(resource: Mapping[str, Any], name: str) -> str | None:
    for extension in as_dicts(resource.get("extension")):
        if extension.get("url") == _US_CORE + name:
            parts = {part.get("url"): part for part in as_dicts(extension.get("extension"))}
            coding = as_dict(as_dict(parts.get("ombCategory")).get("valueCoding"))
            return as_dict(parts.get("text")).get("valueString") or coding.get("display")
    return None


def _identifiers(patient: Patient) -> list[Json]:
    known = patient.patient_identifier or PatientIdentifier()
    typed = (("MR", known.practice_patient_id), ("AN", known.patient_account_number))
    own = ((PORTAL_ID, known.portal_patient_id), (SSN, patient.social_security_number))
    return [
        {"type": {"coding": [{"system": _IDENTIFIER_TYPE, "code": code}]}, "value": value}
        for code, value in typed
        if value
    ] + [{"system": system, "value": value} for system, value in own if value]


def _typed(identifiers: list[Json], code: str) -> str | None:
    for identifier in identifiers:
        codings = as_dicts(as_dict(identifier.get("type")).get("coding"))
        if any(coding.get("code") == code for coding in codings) and identifier.get("value"):
            return str(identifier["value"])
    return None


def _of_system(identifiers: list[Json], system: str) -> str | None:
    values = (one.get("value") for one in identifiers if one.get("system") == system)
    return next(values, None)


def _telecom(patient: Patient) -> list[Json]:
    points = [point("email", patient.email_address)]
    points += [point("phone", getattr(patient, field), use) for field, use in _PHONES]
    return [point for point in points if point]


def _language(resource: Mapping[str, Any]) -> str | None:
    spoken = as_dicts(resource.get("communication"))
    chosen = next((one for one in spoken if one.get("preferred")), spoken[0] if spoken else {})
    return text_of(chosen.get("language"))


__all__ = ["PORTAL_ID", "SSN", "STATUS", "coverages", "from_fhir", "to_fhir"]
