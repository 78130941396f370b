"""SMART scopes: which are known, which kind of app may have them, and what they allow.

v1 `user/Patient.read` and v2 `user/Patient.rs` are both understood. Wildcards are not: Practice
Fusion's list has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

OTHER_SCOPES: Final = frozenset(
    {"openid", "fhirUser", "profile", "launch", "launch/patient", "launch/encounter"}
    | {"offline_access", "online_access"}
)

RESOURCE_TYPES: Final = frozenset(
    (
        *("AllergyIntolerance", "CarePlan", "CareTeam", "Condition", "Device"),
        *("DiagnosticReport", "DocumentReference", "Encounter", "Goal", "Immunization"),
        *("MedicationRequest", "Observation", "Organization", "Patient", "Practitioner"),
        *("Procedure", "Provenance", "Appointment", "Binary", "Coverage", "Endpoint", "Group"),
        *("Location", "Medication", "MedicationDispense", "PractitionerRole", "Questionnaire"),
        *("QuestionnaireResponse", "RelatedPerson", "ServiceRequest", "Specimen"),
    )
)
"""The types an app can be registered for."""

_RESOURCE_SCOPE = re.compile(
    r"(?P<context>patient|user|system)/(?P<type>[A-Z][A-Za-z]+)\.(?P<access>read|c?r?u?d?s?)"
)


class ResourceScope(NamedTuple):
    """One scope for one resource type. `v1` tells the older spelling."""

    context: str
    type: str
    read: bool
    search: bool
    v1: bool


def read_resource_scope(scope: str) -> ResourceScope | None:
    """The resource scope a word stands for, or None when it is another kind or malformed."""
    found = _RESOURCE_SCOPE.fullmatch(scope)
    if found is None or found["type"] not in RESOURCE_TYPES or not found["access"]:
        return None
    v1 = found["access"] == "read"
    return ResourceScope(
        context=found["context"],
        type=found["type"],
        read=v1 or "r" in found["access"],
        search=v1 or "s" in found["access"],
        v1=v1,
    )


def person_may_grant(scope: str) -> bool:
    """Whether an app may ask a person for the scope."""
    resource = read_resource_scope(scope)
    return scope in OTHER_SCOPES or (resource is not None and resource.context != "system")


def backend_may_have(scope: str) -> bool:
    """Whether a backend app may have the scope: v2 `system/` scopes only, as in production."""
    resource = read_resource_scope(scope)
    return resource is not None and resource.context == "system" and not resource.v1


def resource_scopes(scopes: Iterable[str]) -> list[ResourceScope]:
    """The resource scopes among a list of scopes."""
    return [resource for scope in scopes if (resource := read_resource_scope(scope))]
