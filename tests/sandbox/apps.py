"""An app as the tests need it: plain requests, without the connector's own client."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pkce
import requests

from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.testing.person import approve

REDIRECT_URI = "http://127.0.0.1:53682/callback"
TYPES = (
    *("AllergyIntolerance", "CarePlan", "CareTeam", "Condition", "Device", "DiagnosticReport"),
    *("DocumentReference", "Encounter", "Goal", "Immunization", "MedicationRequest"),
    *("Observation", "Organization", "Patient", "Practitioner", "Procedure", "Provenance"),
)
TIMEOUT = 10
HTTP = requests.Session()
"""Keeps its connections, since there are many requests; closed at the end by a fixture."""


class App:
    """The sandbox's confidential app (or another client) seen from outside."""

    def __init__(
        self, sandbox: Sandbox, client_id: str | None = None, client_secret: str | None = None
    ) -> None:
        self.sandbox = sandbox
        self.base = sandbox.fhir_base_url
        self.client_id = client_id or sandbox.client_id
        self.client_secret = client_secret or (None if client_id else sandbox.client_secret)
        self.verifier, self.challenge = pkce.generate_pkce_pair()

    def authorize_url(self, scope: str, **changes: str | None) -> str:
        """The authorize URL; a change of None leaves the parameter out."""
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": scope,
            "state": "state-1",
            "aud": self.base,
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        sent = {name: value for name, value in parameters.items() if value is not None}
        return f"{self.base}/authorize?{urlencode(sent)}"

    def authorize(self, scope: str, user: str = "provider", **options: Any) -> dict[str, str]:
        """What comes back to the redirect URI after a person logged in and decided."""
        patient, allow = options.pop("patient", None), options.pop("allow", True)
        callback = approve(
            self.authorize_url(scope, **options), user, f"{user}-password", allow, patient
        )
        assert callback.startswith(REDIRECT_URI)
        return {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}

    def token(self, **form: str | None) -> requests.Response:
        """POST to the token endpoint, authenticated by client_secret_post."""
        sent = {"client_id": self.client_id, "client_secret": self.client_secret, **form}
        data = {name: value for name, value in sent.items() if value is not None}
        return HTTP.post(f"{self.base}/token", data=data, timeout=TIMEOUT)

    def exchange(self, code: str, **changes: str | None) -> requests.Response:
        """Exchange a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": self.verifier,
            **changes,
        }
        return self.token(**form)

    def connect(self, scope: str, user: str = "provider", **options: Any) -> dict[str, Any]:
        """The whole grant; the token answer."""
        answer = self.exchange(self.authorize(scope, user, **options)["code"])
        assert answer.status_code == 200, answer.text
        connected: dict[str, Any] = answer.json()
        return connected

    def refresh(self, refresh_token: str, **form: str) -> requests.Response:
        """Refresh."""
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **form)

    def get(self, path: str, access_token: str | None, params: Any = None) -> requests.Response:
        """GET below the FHIR base URL."""
        headers = {"Authorization": f"Bearer {access_token}"} if access_token else {}
        return HTTP.get(f"{self.base}/{path}", params=params, headers=headers, timeout=TIMEOUT)


def system_token(sandbox: Sandbox, *types: str, access: str = "rs") -> str:
    """An access token of the backend app for these types (all 17 when none is named)."""
    scope = " ".join(f"system/{name}.{access}" for name in types or TYPES)
    app = App(sandbox, sandbox.backend_client_id, sandbox.backend_client_secret)
    answer = app.token(grant_type="client_credentials", scope=scope)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def error_of(answer: requests.Response) -> tuple[int, str]:
    """Status and code of an error in any of the server's three shapes; the ids must agree."""
    body = answer.json()
    assert body["pfCorrelationId"] == answer.headers["pfCorrelationId"]
    if body.get("resourceType") == "OperationOutcome":
        return answer.status_code, body["issue"][0]["code"]
    return answer.status_code, body.get("error") or body["message"]
