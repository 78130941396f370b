"""Medfusion's Patient as a FHIR R4 Patient, and back: demographics, contacts, who pays.

Values to values, by tables where the two only name things differently. What one side has no place
for is left out and listed in `docs/medfusion.md`. Insurance is in `coverage`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from practicefusion_connector.medfusion.coverage import coverages, insurances
from practicefusion_connector.medfusion.models import (
    Address,
    Billing,
    EmergencyContact,
    Employment,
    Guarantor,
    Name,
    Patient,
    PatientIdentifier,
    PracticeIdentifier,
)
from practicefusion_connector.medfusion.states import state_of

Json = dict[str, Any]

PORTAL_ID = "urn:practicefusion-connector:medfusion:patient-id"
PORTAL_PRACTICE = "urn:practicefusion-connector:medfusion:practice-id"
STATUS = "urn:practicefusion-connector:medfusion:status"
SSN = "http://hl7.org/fhir/sid/us-ssn"
_IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
_CONTACT_ROLE = "http://terminology.hl7.org/CodeSystem/v2-0131"
_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_ACTIVE = {"PROVISIONED": True, "REGISTERED": True, "DEACTIVATED": False, "DELETED": False}
_OVER = ("old", "temp")


class _Role(NamedTuple):
    code: str
    display: str


_EMERGENCY = _Role("C", "Emergency Contact")
_EMPLOYER = _Role("E", "Employer")
_PAYER = _Role("BP", "Billing contact person")
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
        "meta": _filled(meta),
        "extension": _origins(patient),
        "identifier": _identifiers(patient),
        "active": _ACTIVE[state] if state else None,
        "name": [_human_name(patient.name, "official")] if patient.name else None,
        "telecom": _telecom(patient),
        "gender": patient.gender.lower() if patient.gender else None,
        "birthDate": patient.date_of_birth.isoformat() if patient.date_of_birth else None,
        "address": [
            _postal(address, use)
            for address, use in ((patient.home_address, "home"), (patient.work_address, "work"))
            if address
        ],
        "maritalStatus": {"text": patient.marital_status} if patient.marital_status else None,
        "contact": _contacts(patient),
        "communication": [language] if patient.preferred_language else None,
        "managingOrganization": {"identifier": {"system": PORTAL_PRACTICE, "value": practice}}
        if practice
        else None,
    }
    if resource["gender"] not in (None, "male", "female", "other", "unknown"):
        resource["gender"] = "unknown"
    return _filled(resource)


def from_fhir(resource: Mapping[str, Any], insured_by: Iterable[Mapping[str, Any]] = ()) -> Patient:
    """Return the portal's Patient of a FHIR R4 Patient, and of the Coverages it is insured by.

    The practice's own id of the patient is the medical record number (type MR), else the
    resource's id.
    """
    identifiers = _dicts(resource.get("identifier"))
    practice = _dict(_dict(resource.get("managingOrganization")).get("identifier"))
    tags = {tag.get("system"): tag.get("code") for tag in _dicts(_dict(resource.get("meta")).get("tag"))}
    addresses = [one for one in _dicts(resource.get("address")) if one.get("use") not in _OVER]
    return Patient(
        patient_identifier=PatientIdentifier(
            practice_patient_id=_typed(identifiers, "MR") or resource.get("id"),
            patient_account_number=_typed(identifiers, "AN"),
            portal_patient_id=_of_system(identifiers, PORTAL_ID),
        ),
        practice_identifier=PracticeIdentifier(
            portal_practice_id=_of_system([practice], PORTAL_PRACTICE)
        ),
        status=tags.get(STATUS),
        last_update_date=_dict(resource.get("meta")).get("lastUpdated") if tags.get(STATUS) else None,
        name=_name(_preferred(resource.get("name"), ("official", "usual", None))),
        date_of_birth=resource.get("birthDate"),
        race=_origin(resource, "race"),
        ethnicity=_origin(resource, "ethnicity"),
        gender=str(resource["gender"]).upper() if resource.get("gender") else None,
        preferred_language=_language(resource),
        social_security_number=_of_system(identifiers, SSN),
        email_address=_contact_point(resource, "email", None),
        home_address=_address(_preferred(addresses, ("home", None))),
        work_address=_address(_preferred(addresses, ("work",))),
        home_phone=_contact_point(resource, "phone", "home"),
        mobile_phone=_contact_point(resource, "phone", "mobile"),
        work_phone=_contact_point(resource, "phone", "work"),
        marital_status=_concept(resource.get("maritalStatus")),
        **_from_contacts(_dicts(resource.get("contact"))),
        **insurances(insured_by),
    )


def _origins(patient: Patient) -> list[Json]:
    told = (("race", patient.race), ("ethnicity", patient.ethnicity))
    return [
        {"url": _US_CORE + name, "extension": [{"url": "text", "valueString": text}]}
        for name, text in told
        if text
    ]


def _origin(resource: Mapping[str, Any], name: str) -> str | None:
    for extension in _dicts(resource.get("extension")):
        if extension.get("url") == _US_CORE + name:
            parts = {part.get("url"): part for part in _dicts(extension.get("extension"))}
            coding = _dict(_dict(parts.get("ombCategory")).get("valueCoding"))
            return _dict(parts.get("text")).get("valueString") or coding.get("display")
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
        codings = _dicts(_dict(identifier.get("type")).get("coding"))
        if any(coding.get("code") == code for coding in codings) and identifier.get("value"):
            return str(identifier["value"])
    return None


def _of_system(identifiers: list[Json], system: str) -> str | None:
    values = (one.get("value") for one in identifiers if one.get("system") == system)
    return next(values, None)


def _human_name(name: Name, use: str | None = None) -> Json:
    given = [part for part in (name.first_name, name.middle_name) if part]
    return _filled(
        {
            "use": use,
            "family": name.last_name,
            "given": given,
            "prefix": [name.prefix] if name.prefix else None,
            "suffix": [name.suffix] if name.suffix else None,
        }
    )


def _name(name: Mapping[str, Any] | None) -> Name | None:
    if not name:
        return None
    first, *middle = name.get("given") or [None]
    return Name(
        prefix=" ".join(name.get("prefix") or ()),
        first_name=first,
        middle_name=" ".join(middle),
        last_name=name.get("family"),
        suffix=" ".join(name.get("suffix") or ()),
    )


def _postal(address: Address, use: str | None = None) -> Json:
    return _filled(
        {
            "use": use,
            "line": [line for line in (address.line1, address.line2) if line],
            "city": address.city,
            "state": address.state,
            "postalCode": address.zip_code,
            "country": address.country,
        }
    )


def _address(address: Mapping[str, Any] | None) -> Address | None:
    if not address:
        return None
    first, *rest = address.get("line") or [None]
    return Address(
        line1=first,
        line2=", ".join(rest),
        city=address.get("city"),
        state=address.get("state"),
        country=address.get("country"),
        zip_code=address.get("postalCode"),
    )


def _telecom(patient: Patient) -> list[Json]:
    points = [_point("email", patient.email_address)]
    points += [_point("phone", getattr(patient, field), use) for field, use in _PHONES]
    return [point for point in points if point]


def _point(system: str, value: str | None, use: str | None = None) -> Json:
    return _filled({"system": system, "value": value, "use": use}) if value else {}


def _contact_point(resource: Mapping[str, Any], system: str, use: str | None) -> str | None:
    """Return the first value in use; a phone without a use counts as the home's."""
    fitting = {None, "home"} if use == "home" else {use}
    for point in _dicts(resource.get("telecom")):
        said = point.get("use")
        if point.get("system") == system and point.get("value") and said not in _OVER:
            if use is None or said in fitting:
                return str(point["value"])
    return None


def _contacts(patient: Patient) -> list[Json]:
    contacts = []
    if called := patient.emergency_contact:
        points = [_point("phone", called.phone), _point("email", called.email_address)]
        contacts.append(_contact(_EMERGENCY, called.name, called.address, points))
    if employer := patient.employment:
        contact = _contact(_EMPLOYER, None, employer.address, [_point("phone", employer.phone)])
        named = {"organization": {"display": employer.name}} if employer.name else {}
        contacts.append(contact | named)
    if payer := patient.billing and patient.billing.guarantor:
        points = [_point("phone", payer.phone), _point("email", payer.email)]
        contact = _contact(_PAYER, payer.name, payer.address, points)
        if payer.patient_relation_to_guarantor:
            contact["relationship"][0]["text"] = payer.patient_relation_to_guarantor
        contacts.append(contact)
    return contacts


def _contact(role: _Role, name: Name | None, address: Address | None, points: list[Json]) -> Json:
    coding = {"system": _CONTACT_ROLE, "code": role.code, "display": role.display}
    return _filled(
        {
            "relationship": [{"coding": [coding]}],
            "name": _human_name(name) if name else None,
            "telecom": [point for point in points if point],
            "address": _postal(address) if address else None,
        }
    )


def _from_contacts(contacts: list[Json]) -> Json:
    by_role: dict[str, Json] = {}
    for contact in contacts:
        for relationship in _dicts(contact.get("relationship")):
            for coding in _dicts(relationship.get("coding")):
                by_role.setdefault(str(coding.get("code")), contact)
    found: Json = {}
    if called := by_role.get(_EMERGENCY.code):
        found["emergency_contact"] = EmergencyContact(
            name=_name(called.get("name")),
            address=_address(called.get("address")),
            phone=_contact_point(called, "phone", None),
            email_address=_contact_point(called, "email", None),
        )
    if employer := by_role.get(_EMPLOYER.code):
        found["employment"] = Employment(
            name=_dict(employer.get("organization")).get("display"),
            address=_address(employer.get("address")),
            phone=_contact_point(employer, "phone", None),
        )
    if payer := by_role.get(_PAYER.code):
        relation = _dicts(payer.get("relationship"))[0].get("text")
        found["billing"] = Billing(
            guarantor=Guarantor(
                name=_name(payer.get("name")),
                address=_address(payer.get("address")),
                phone=_contact_point(payer, "phone", None),
                email=_contact_point(payer, "email", None),
                patient_relation_to_guarantor=relation,
            )
        )
    return found


def _language(resource: Mapping[str, Any]) -> str | None:
    spoken = _dicts(resource.get("communication"))
    chosen = next((one for one in spoken if one.get("preferred")), spoken[0] if spoken else {})
    return _concept(chosen.get("language"))


def _concept(concept: Any) -> str | None:
    """Return a CodeableConcept as text: its own, else a code's name."""
    codings = _dicts(_dict(concept).get("coding"))
    coding = codings[0] if codings else {}
    return _dict(concept).get("text") or coding.get("display") or coding.get("code")


def _preferred(listed: Any, uses: tuple[str | None, ...]) -> Json | None:
    """Return the one of the first use there is; anything rather than nothing where `None` is in."""
    found = _dicts(listed)
    for use in uses:
        for one in found:
            if one.get("use") == use:
                return one
    return found[0] if found and None in uses else None


def _filled(fields: Mapping[str, Any]) -> Json:
    return {name: value for name, value in fields.items() if value not in (None, [], {}, "")}


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


__all__ = ["PORTAL_ID", "SSN", "STATUS", "coverages", "from_fhir", "to_fhir"]
