"""The versions of Medfusion's patient schema that exist side by side, as data.

They differ in their namespace and in what two identifiers are called. Knows no XML library.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

VersionName = Literal["v1", "v2", "v3"]


@dataclass(frozen=True, slots=True)
class Version:
    """One version.

    Attributes:
        patient_id: the element that holds the portal's id of the patient.
        practice_id: the element that holds the portal's id of the practice.
    """

    namespace: str
    patient_id: str
    practice_id: str


VERSIONS: dict[VersionName, Version] = {
    "v1": Version(
        "http://schema.intuit.com/health/patient/v1", "IntuitPatientId", "IntuitPracticeId"
    ),
    "v2": Version(
        "http://schema.intuit.com/health/patient/v2", "IntuitPatientId", "IntuitPracticeId"
    ),
    "v3": Version(
        "http://schema.intuit.com/health/patient/v3", "MedfusionPatientId", "IntegrationPracticeId"
    ),
}
