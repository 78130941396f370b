"""The people around a patient as FHIR R4 `Patient.contact`, and back: whom to call, who pays."""

from __future__ import annotations

from typing import NamedTuple

from practicefusion_connector.medfusion.elements import (
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
)
from practicefusion_connector.medfusion.models import (
    Address,
    Billing,
    EmergencyContact,
    Employment,
    Guarantor,
    Name,
    Patient,
)

_CONTACT_ROLE = "http://terminology.hl7.org/CodeSystem/v2-0131"


class _Role(NamedTuple):
    code: str
    display: str


_EMERGENCY = _Role("C", "Emergency Contact")
_EMPLOYER = _Role("E", "Employer")
_PAYER = _Role("BP", "Billing contact person")


def contacts(patient: Patient) -> list[Json]:
    """Return the emergency contact, the employer and the guarantor, where there are any."""
    found = []
    if called := patient.emergency_contact:
        points = [point("phone", called.phone), point("email", called.email_address)]
        found.append(_contact(_EMERGENCY, called.name, called.address, points))
    if employer := patient.employment:
        contact = _contact(_EMPLOYER, None, employer.address, [point("phone", employer.phone)])
        named = {"organization": {"display": employer.name}} if employer.name else {}
        found.append(contact | named)
    if payer := patient.billing and patient.billing.guarantor:
        points = [point("phone", payer.phone), point("email", payer.email)]
        contact = _contact(_PAYER, payer.name, payer.address, points)
        if payer.patient_relation_to_guarantor:
            contact["relationship"][0]["text"] = payer.patient_relation_to_guarantor
        found.append(contact)
    return found


def _contact(role: _Role, name: Name | None, address: Address | None, points: list[Json]) -> Json:
    coding = {"system": _CONTACT_ROLE, "code": role.code, "display": role.display}
    return filled(
        {
            "relationship": [{"coding": [coding]}],
            "name": human_name(name) if name else None,
            "telecom": [point for point in points if point],
            "address": postal(address) if address else None,
        }
    )


def from_contacts(contacts: list[Json]) -> Json:
    """Return the fields of `Patient` that the contacts' roles stand for."""
    by_role: dict[str, Json] = {}
    for contact in contacts:
        for relationship in as_dicts(contact.get("relationship")):
            for coding in as_dicts(relationship.get("coding")):
                by_role.setdefault(str(coding.get("code")), contact)
    found: Json = {}
    if called := by_role.get(_EMERGENCY.code):
        found["emergency_contact"] = EmergencyContact(
            name=name_of(called.get("name")),
            address=address_of(called.get("address")),
            phone=contact_point(called, "phone", None),
            email_address=contact_point(called, "email", None),
        )
    if employer := by_role.get(_EMPLOYER.code):
        found["employment"] = Employment(
            name=as_dict(employer.get("organization")).get("display"),
            address=address_of(employer.get("address")),
            phone=contact_point(employer, "phone", None),
        )
    if payer := by_role.get(_PAYER.code):
        relation = as_dicts(payer.get("relationship"))[0].get("text")
        found["billing"] = Billing(
            guarantor=Guarantor(
                name=name_of(payer.get("name")),
                address=address_of(payer.get("address")),
                phone=contact_point(payer, "phone", None),
                email=contact_point(payer, "email", None),
                patient_relation_to_guarantor=relation,
            )
        )
    return found
