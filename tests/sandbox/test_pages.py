"""The pages: what they show, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.testing.person import PersonError, approve, read_forms
from tests.sandbox.apps import TIMEOUT, TYPES, App

ALL_PATIENT_SCOPES = " ".join(f"patient/{name}.read" for name in TYPES)


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def _sign_in(
    browser: requests.Session, url: str, user: str = "patient", password: str | None = None
) -> requests.Response:
    """Open a page that needs a login and log in; the page after it."""
    page = browser.get(url, timeout=TIMEOUT)
    form = next(form for form in read_forms(page.text) if "password" in form.fields)
    form.fields.update(username=user, password=password or f"{user}-password")
    target = page.url.split("/login")[0] + form.action
    return browser.post(target, data=form.fields, timeout=TIMEOUT)


def test_consent_names_the_app_and_the_categories_patients_know(
    app: App, browser: requests.Session
) -> None:
    page = _sign_in(browser, app.authorize_url(ALL_PATIENT_SCOPES + " offline_access"))

    assert "Sample Clinic App" in page.text
    assert "127.0.0.1:53682" in page.text
    for category in (
        *("Name", "Date of birth", "Sex", "Race", "Ethnicity", "Language", "Care team"),
        *("Allergies", "Assessment and plan", "Encounters", "Functional status", "Goals"),
        *("Health concerns", "Immunizations", "Lab results", "Medical equipment", "Medications"),
        *("Mental status", "Problems", "Procedures", "Reasons for referral", "Smoking status"),
        "Vital signs",
    ):
        assert f"<li>{category}</li>" in page.text
    assert "until you revoke it" in page.text


def test_consent_shows_only_what_is_asked_for(app: App, browser: requests.Session) -> None:
    page = _sign_in(browser, app.authorize_url("user/Immunization.read"))

    assert "<li>Immunizations</li>" in page.text
    assert "<li>Allergies</li>" not in page.text
    assert "until you revoke it" not in page.text


def test_every_control_has_a_label(app: App, browser: requests.Session) -> None:
    url = app.authorize_url("launch/patient patient/Patient.read")
    login = browser.get(url, timeout=TIMEOUT)
    consent = _sign_in(browser, url, "provider")

    for page, names in ((login, ("username", "password")), (consent, ("patient",))):
        for name in names:
            assert f'for="{name}"' in page.text
            assert f'id="{name}"' in page.text


def test_consent_may_lead_back_to_the_app_and_nowhere_else(
    app: App, browser: requests.Session
) -> None:
    page = _sign_in(browser, app.authorize_url("user/Patient.read"))
    policy = page.headers["Content-Security-Policy"]
    assert "form-action 'self' http://127.0.0.1:53682" in policy


def test_a_decision_without_the_form_token_is_refused(app: App, browser: requests.Session) -> None:
    page = _sign_in(browser, app.authorize_url("user/Patient.read"))

    forged = browser.post(
        page.url, data={"decision": "allow"}, allow_redirects=False, timeout=TIMEOUT
    )

    assert forged.status_code == 400
    assert "Location" not in forged.headers


def test_a_consent_page_serves_once(app: App, browser: requests.Session) -> None:
    page = _sign_in(browser, app.authorize_url("user/Patient.read"))
    form = next(form for form in read_forms(page.text) if "decision" in form.buttons)
    data = {**form.fields, "decision": "allow"}

    first = browser.post(page.url, data=data, allow_redirects=False, timeout=TIMEOUT)
    second = browser.post(page.url, data=data, allow_redirects=False, timeout=TIMEOUT)

    assert first.status_code == 302
    assert second.status_code == 400


def test_a_wrong_password_stays_at_the_login(app: App, browser: requests.Session) -> None:
    page = _sign_in(browser, app.authorize_url("user/Patient.read"), password="wrong")

    assert page.status_code == 401
    assert 'role="alert"' in page.text
    account = browser.get(f"{app.sandbox.origin}/account", timeout=TIMEOUT)
    assert account.url.endswith("/login?next=/account")


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_the_login_leads_to_this_server_only(
    shared: Sandbox, browser: requests.Session, target: str
) -> None:
    page = _sign_in(browser, f"{shared.origin}/login?next={target}")
    assert page.url == f"{shared.origin}/account"


def test_only_a_provider_launches_apps(shared: Sandbox, browser: requests.Session) -> None:
    url = f"{shared.origin}/launch?client_id={shared.client_id}&launch_url=http://127.0.0.1:9/"
    assert _sign_in(browser, url, "patient").status_code == 403


def test_an_app_is_never_launched_at_an_address_that_is_not_its_own(shared: Sandbox) -> None:
    url = f"{shared.origin}/launch?client_id={shared.client_id}&launch_url=https://evil.example/"
    assert requests.get(url, timeout=TIMEOUT).status_code == 400


def test_revoking_an_app_on_the_account_page_ends_its_tokens(
    own: Sandbox, browser: requests.Session
) -> None:
    app = App(own)
    token = app.connect("offline_access user/Patient.read", "patient")
    other = app.connect("offline_access user/Patient.read", "patient2")

    account = _sign_in(browser, f"{own.origin}/account", "patient")
    assert account.text.count("Revoke access") == 1
    form = next(form for form in read_forms(account.text) if "grant" in form.fields)
    after = browser.post(account.url, data=form.fields, timeout=TIMEOUT)

    assert "has been revoked" in after.text
    assert "No app has access" in after.text
    assert app.get("Patient", token["access_token"]).status_code == 401
    assert app.refresh(token["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.get("Patient", other["access_token"]).status_code == 200


def test_nobody_revokes_what_somebody_else_allowed(own: Sandbox, browser: requests.Session) -> None:
    app = App(own)
    token = app.connect("user/Patient.read", "patient2")
    app.connect("user/Patient.read", "patient")
    foreign = own.tokens.find_access(token["access_token"])
    assert foreign is not None

    account = _sign_in(browser, f"{own.origin}/account", "patient")
    form = next(form for form in read_forms(account.text) if "grant" in form.fields)
    form.fields["grant"] = foreign.grant.id
    browser.post(account.url, data=form.fields, timeout=TIMEOUT)

    assert app.get("Patient", token["access_token"]).status_code == 200


def test_signing_out_ends_the_session(shared: Sandbox, browser: requests.Session) -> None:
    page = _sign_in(browser, f"{shared.origin}/account")
    form = next(form for form in read_forms(page.text) if form.action == "/logout")

    browser.post(f"{shared.origin}/logout", data=form.fields, timeout=TIMEOUT)

    assert "/login" in browser.get(f"{shared.origin}/account", timeout=TIMEOUT).url


def test_the_person_says_when_the_pages_lead_nowhere(app: App) -> None:
    url = app.authorize_url("user/Patient.read")
    with pytest.raises(PersonError, match="401"):
        approve(url, "provider", "wrong")
    with pytest.raises(PersonError, match="400"):
        approve(app.authorize_url("user/Patient.read", client_id="nobody"), "provider", "x")
