"""The constants of the sandbox's portal and what can be turned on it. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PRACTICE_ID: Final = "935134ed-0000-4ca8-897c-b6b1da47e697"
APPLICATION_NAME: Final = "Sample Portal App"
APPLICATION_TOKEN: Final = "sandbox-application-token"  # noqa: S105
CLIENT_ID: Final = "sandbox-portal-client"
CLIENT_SECRET: Final = "sandbox+portal/secret="  # noqa: S105
USERNAME: Final = "integration@practice.example"
PASSWORD: Final = "portal password & more"  # noqa: S105

NAMESPACES: Final = {
    version: f"http://schema.intuit.com/health/patient/{version}" for version in ("v1", "v2", "v3")
}
PATIENT_ID_NAMES: Final = {
    "v1": "IntuitPatientId",
    "v2": "IntuitPatientId",
    "v3": "MedfusionPatientId",
}
PRACTICE_ID_NAMES: Final = {
    "v1": "IntuitPracticeId",
    "v2": "IntuitPracticeId",
    "v3": "IntegrationPracticeId",
}
BATCH_SIZE: Final = 100


@dataclass
class PortalBehaviour:
    """How the portal behaves. Every knob is read at each request, so it may change while it runs.

    Not known of the real one: how long processing takes, what makes it fail, and the unit of since
    beyond what the vendor's own calls show.
    """

    token_seconds: int = 7200
    """Lifetime of an access token."""
    processing_seconds: float = 1.0
    """How long after it was accepted a batch is processed."""
    failing_domain: str = "fails.example"
    """The domain of e-mail addresses whose invitations fail in processing."""
    since_per_second: int = 1
    """What `since` counts: 1 for seconds, 1000 for milliseconds."""
    tells_last_timestamp: bool = True
    """Whether the answer says where to go on."""
    answers_lost: int = 0
    """How many batches to come are accepted and then answered with 504, as a gateway would."""
