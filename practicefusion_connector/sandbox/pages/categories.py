"""Scopes in the words a patient knows: the data categories behind each resource type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from practicefusion_connector.sandbox.oauth.scopes import resource_scopes

_CATEGORIES: Final[dict[str, tuple[str, ...]]] = {
    "Patient": ("Name", "Date of birth", "Sex", "Race", "Ethnicity", "Language"),
    "CareTeam": ("Care team",),
    "AllergyIntolerance": ("Allergies",),
    "CarePlan": ("Assessment and plan",),
    "Encounter": ("Encounters",),
    "Goal": ("Goals",),
    "Condition": ("Problems", "Health concerns", "Functional status", "Mental status"),
    "Immunization": ("Immunizations",),
    "Observation": ("Vital signs", "Lab results", "Smoking status"),
    "DiagnosticReport": ("Lab results",),
    "Device": ("Medical equipment",),
    "MedicationRequest": ("Medications",),
    "MedicationDispense": ("Medications",),
    "Medication": ("Medications",),
    "Procedure": ("Procedures",),
    "DocumentReference": ("Assessment and plan", "Reasons for referral"),
    "ServiceRequest": ("Reasons for referral",),
}
_OTHER_TYPES: Final[dict[str, str]] = {
    "Practitioner": "The people who provide care at this practice",
    "PractitionerRole": "The people who provide care at this practice",
    "Organization": "Practices, laboratories and other organizations",
    "Location": "Places where care is given",
    "Provenance": "Who recorded each entry, and when",
    "Coverage": "Insurance coverage",
    "RelatedPerson": "Family members and other contacts",
}
_ABILITIES: Final[dict[str, str]] = {
    "openid": "Know which account you signed in with",
    "fhirUser": "Know who you are in this practice's records",
    "offline_access": "Keep this access when you are not using the app, until you revoke it",
}


class Consent(NamedTuple):
    """What the consent page lists."""

    categories: list[str]
    others: list[str]
    abilities: list[str]


def describe(scopes: Iterable[str]) -> Consent:
    """The scopes of a request as a person reads them."""
    scopes = list(scopes)
    types = [scope.type for scope in resource_scopes(scopes)]
    named = {category for name in types for category in _CATEGORIES.get(name, ())}
    order = dict.fromkeys(category for group in _CATEGORIES.values() for category in group)
    others = [
        _OTHER_TYPES.get(name, f"Records of type {name}")
        for name in types
        if name not in _CATEGORIES
    ]
    return Consent(
        categories=[category for category in order if category in named],
        others=list(dict.fromkeys(others)),
        abilities=[text for scope, text in _ABILITIES.items() if scope in scopes],
    )
