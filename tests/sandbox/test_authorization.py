"""Authorization code with PKCE, as an app and a person see it."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.testing.person import approve, read_forms
from tests.sandbox.apps import REDIRECT_URI, TIMEOUT, App, error_of

SCOPE = "openid fhirUser offline_access user/Patient.read user/Observation.read"


def test_a_grant_gives_an_opaque_token_for_300_seconds(app: App) -> None:
    callback = app.authorize(SCOPE)
    assert callback["state"] == "state-1"
    assert "iss" not in callback

    answer = app.exchange(callback["code"])

    assert answer.headers["Cache-Control"] == "no-store"
    token = answer.json()
    assert len(token["access_token"]) == 20
    assert token["expires_in"] == 300
    assert token["token_type"] == "Bearer"
    assert token["scope"] == SCOPE
    assert token["refresh_token"]
    assert "patient" not in token
    assert app.get("Patient", token["access_token"]).status_code == 200


def test_denial_goes_back_as_access_denied(app: App) -> None:
    callback = app.authorize(SCOPE, allow=False)

    assert callback["error"] == "access_denied"
    assert callback["state"] == "state-1"
    assert "code" not in callback


def test_the_authorize_endpoint_takes_a_post(app: App) -> None:
    url = urlsplit(app.authorize_url(SCOPE))
    target = f"{url.scheme}://{url.netloc}{url.path}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = requests.post(
        target, data=url.query, headers=headers, allow_redirects=False, timeout=TIMEOUT
    )

    assert answer.status_code == 303
    assert "/consent/" in answer.headers["Location"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"aud": None}, "invalid_request"),
        ({"aud": "https://api.practicefusion.com/fhir/r4/v1/other"}, "invalid_request"),
        ({"scope": "user/Patient.read fhiruser"}, "invalid_scope"),
        ({"scope": "user/*.read"}, "invalid_scope"),
        ({"scope": "system/Patient.rs"}, "invalid_scope"),
        ({"scope": "user/Patient.write"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_a_wrong_request_goes_back_to_the_app(
    app: App, changes: dict[str, str | None], error: str
) -> None:
    answer = requests.get(
        app.authorize_url(**{"scope": SCOPE, **changes}),  # type: ignore[arg-type]
        allow_redirects=False,
        timeout=TIMEOUT,
    )

    assert answer.status_code == 302
    location = answer.headers["Location"]
    assert location.startswith(REDIRECT_URI)
    assert f"error={error}" in location
    assert "state=state-1" in location


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://localhost.evil.example/callback"},
        {"redirect_uri": None},
    ],
)
def test_an_unknown_app_or_address_gets_a_page_and_no_redirect(
    app: App, changes: dict[str, str | None]
) -> None:
    url = app.authorize_url(SCOPE, **changes)
    answer = requests.get(url, allow_redirects=False, timeout=TIMEOUT)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Location" not in answer.headers


@pytest.mark.parametrize("host", ["127.0.0.1:1", "127.0.0.1:65000", "localhost:8080", "[::1]:99"])
def test_any_loopback_address_may_be_redirected_to(app: App, host: str) -> None:
    target = f"http://{host}/done"
    callback = approve(
        app.authorize_url(SCOPE, redirect_uri=target), "provider", "provider-password"
    )
    assert callback.startswith(target)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code_verifier": "x" * 43}, (400, "invalid_grant")),
        ({"code_verifier": None}, (400, "invalid_request")),
        ({"redirect_uri": "http://127.0.0.1:1/other"}, (400, "invalid_grant")),
        ({"code": "unknown"}, (400, "invalid_grant")),
        ({"client_secret": "wrong"}, (401, "invalid_client")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type")),
    ],
)
def test_a_code_needs_its_verifier_address_and_app(
    app: App, changes: dict[str, str | None], expected: tuple[int, str]
) -> None:
    code = app.authorize(SCOPE)["code"]
    answer = app.exchange(**{"code": code, **changes})  # type: ignore[arg-type]
    assert error_of(answer) == expected


def test_a_second_use_of_a_code_ends_its_grant(app: App) -> None:
    code = app.authorize(SCOPE)["code"]
    token = app.exchange(code).json()

    assert error_of(app.exchange(code)) == (400, "invalid_grant")
    assert app.get("Patient", token["access_token"]).status_code == 401


def test_a_code_expires(own: Sandbox) -> None:
    own.behaviour.code_seconds = 0
    app = App(own)
    assert error_of(app.exchange(app.authorize(SCOPE)["code"])) == (400, "invalid_grant")


def test_a_public_app_needs_no_secret(shared: Sandbox) -> None:
    token = App(shared, shared.public_client_id).connect("user/Patient.read")
    assert token["scope"] == "user/Patient.read"


def test_a_confidential_app_needs_its_secret(shared: Sandbox) -> None:
    app = App(shared)
    code = app.authorize(SCOPE)["code"]
    assert error_of(app.exchange(code, client_secret=None)) == (401, "invalid_client")


@pytest.mark.parametrize("encoded", [True, False])
def test_basic_takes_the_secret_raw_or_form_encoded(app: App, encoded: bool) -> None:
    pair = (app.client_id, str(app.client_secret))
    joined = ":".join(quote(part, safe="") if encoded else part for part in pair)
    answer = requests.post(
        f"{app.base}/token",
        data={
            "grant_type": "authorization_code",
            "code": app.authorize(SCOPE)["code"],
            "redirect_uri": REDIRECT_URI,
            "code_verifier": app.verifier,
        },
        headers={"Authorization": "Basic " + base64.b64encode(joined.encode()).decode()},
        timeout=TIMEOUT,
    )
    assert answer.status_code == 200, answer.text


def test_client_authentication_methods_can_be_taken_away(own: Sandbox) -> None:
    own.behaviour.token_auth_methods = frozenset({"client_secret_basic"})
    app = App(own)
    answer = app.exchange(app.authorize(SCOPE)["code"])
    assert error_of(answer) == (401, "invalid_client")


def test_launch_without_an_ehr_launch_fails_at_the_token_endpoint(app: App) -> None:
    code = app.authorize("launch user/Patient.read")["code"]

    answer = app.exchange(code)

    body = answer.json()
    assert answer.status_code == 403
    assert body["subcode"] == "Forbidden"
    assert body["message"] == "Invalid launch context"
    assert body["pfCorrelationId"] == answer.headers["pfCorrelationId"]


def test_an_ehr_launch_gives_patient_and_encounter(shared: Sandbox) -> None:
    app, browser = App(shared), requests.Session()
    patient = list(shared.resources["Patient"])[3]
    with browser:
        launched = _launch(browser, shared, app, patient)
    assert launched["iss"] == shared.fhir_base_url

    token = app.connect("launch user/Patient.read", launch=launched["launch"])

    assert token["patient"] == patient
    assert token["need_patient_banner"] is False
    encounter = shared.resources["Encounter"][token["encounter"]]
    assert encounter["subject"]["reference"] == f"Patient/{patient}"
    assert requests.get(token["smart_style_url"], timeout=TIMEOUT).status_code == 200


def _launch(browser: requests.Session, sandbox: Sandbox, app: App, patient: str) -> dict[str, str]:
    query = urlencode({"client_id": app.client_id, "launch_url": "http://127.0.0.1:9/launch"})
    page = browser.get(f"{sandbox.origin}/launch?{query}", timeout=TIMEOUT)
    form = next(form for form in read_forms(page.text) if "password" in form.fields)
    form.fields.update(username="provider", password="provider-password")
    page = browser.post(f"{sandbox.origin}{form.action}", data=form.fields, timeout=TIMEOUT)
    form = next(form for form in read_forms(page.text) if "patient" in form.choices)
    form.fields["patient"] = patient
    answer = browser.post(page.url, data=form.fields, allow_redirects=False, timeout=TIMEOUT)
    target = urlsplit(answer.headers["Location"])
    assert target.netloc == "127.0.0.1:9"
    return {name: values[0] for name, values in parse_qs(target.query).items()}


def test_a_provider_chooses_the_patient_of_a_patient_launch(shared: Sandbox) -> None:
    patient = list(shared.resources["Patient"])[5]

    token = App(shared).connect("launch/patient patient/Patient.read", patient=patient)

    assert token["patient"] == patient
    assert token["need_patient_banner"] is True


def test_a_patient_is_the_context_of_their_own_grant(shared: Sandbox) -> None:
    token = App(shared).connect("launch/patient launch/encounter patient/Patient.rs", "patient")

    user = next(user for user in shared.users if user["username"] == "patient")
    assert token["patient"] == user["patient"]
    encounter = shared.resources["Encounter"][token["encounter"]]
    assert encounter["subject"]["reference"] == f"Patient/{user['patient']}"


@pytest.mark.parametrize(
    ("user", "resource_type"), [("provider", "Practitioner"), ("patient", "Patient")]
)
def test_the_id_token_says_who_it_is(shared: Sandbox, user: str, resource_type: str) -> None:
    app = App(shared)
    token = app.connect(SCOPE, user, nonce="nonce-1")

    keys = KeySet.import_key_set(app.get(".well-known/jwk", None).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=["RS256"])

    assert decoded.claims["iss"] == app.base
    assert decoded.claims["aud"] == app.client_id
    assert decoded.claims["nonce"] == "nonce-1"
    assert decoded.claims["exp"] > decoded.claims["iat"]
    who = next(iter(shared.resources[resource_type]))
    assert decoded.claims["fhirUser"] == f"{app.base}/{resource_type}/{who}"


def test_no_id_token_without_openid_and_no_fhir_user_without_its_scope(app: App) -> None:
    assert "id_token" not in app.connect("user/Patient.read fhirUser")
    token = app.connect("openid user/Patient.read")
    keys = KeySet.import_key_set(app.get(".well-known/jwk", None).json())
    assert "fhirUser" not in jwt.decode(token["id_token"], keys, algorithms=["RS256"]).claims


def test_scopes_can_be_dropped_without_a_word(own: Sandbox) -> None:
    own.behaviour.granted_scopes_filter = lambda scope: "Observation" not in scope
    app = App(own)

    token = app.connect(SCOPE)

    assert token["scope"] == SCOPE.removesuffix(" user/Observation.read")
    assert app.get("Observation", token["access_token"]).status_code == 403


def test_the_redirect_can_carry_the_issuer(own: Sandbox) -> None:
    own.behaviour.authorize_sends_issuer = True
    assert App(own).authorize(SCOPE)["iss"] == own.fhir_base_url
