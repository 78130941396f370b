"""The authorize endpoint and the consent page behind it.

The app's request is checked at once, kept, and taken up again when the person has logged in and
decided; the pages themselves carry only an opaque handle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import OAuth2Error
from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from practicefusion_connector.sandbox.oauth.models import LaunchContext, User
from practicefusion_connector.sandbox.oauth.scopes import resource_scopes
from practicefusion_connector.sandbox.oauth.server import (
    PracticeAuthorizationServer,
    kept_request,
)
from practicefusion_connector.sandbox.pages.categories import describe
from practicefusion_connector.sandbox.pages.session import (
    check_form_token,
    current_user,
    let_forms_lead_to,
)
from practicefusion_connector.sandbox.practice import Practice, display_name
from practicefusion_connector.sandbox.settings import BASE_PATH


@dataclass(frozen=True)
class PendingRequest:
    """An authorization request that waits for the person."""

    parameters: dict[str, str]

    @property
    def scopes(self) -> list[str]:
        """The scopes asked for."""
        return self.parameters.get("scope", "").split()


def authorize_routes(practice: Practice, server: PracticeAuthorizationServer) -> Blueprint:
    """The authorize endpoint (below the FHIR base) and the consent page."""
    routes = Blueprint("authorize", __name__)

    @routes.route(f"{BASE_PATH}/authorize", methods=["GET", "POST"])
    def authorize() -> Response:
        try:
            server.get_consent_grant(end_user=current_user(practice))
        except OAuth2Error as error:
            return _refusal(server, error)
        handle = practice.keep(PendingRequest(request.values.to_dict()))
        return redirect(url_for("authorize.consent", handle=handle), 303)

    @routes.route("/consent/<handle>", methods=["GET", "POST"])
    def consent(handle: str) -> str | Response:
        pending = practice.kept(handle)
        if not isinstance(pending, PendingRequest):
            abort(400, "This request has expired or was already answered. Start again in the app.")
        user = current_user(practice)
        if user is None:
            return redirect(url_for("pages.login", next=request.path), 303)
        if request.method == "GET":
            return _consent_page(practice, pending, user)
        check_form_token()
        context = _chosen_context(practice, pending, user)
        practice.drop(handle)
        return _decided(server, pending, user, context)

    return routes


def _refusal(server: PracticeAuthorizationServer, error: OAuth2Error) -> Response:
    """Back to the app where that is safe; a page where the app is not known (RFC 6749 4.1.2.1)."""
    if not error.redirect_uri:
        abort(400, error.get_error_description() or "The app's request cannot be taken.")
    answer: Response = server.handle_error_response(None, error)
    return answer


def _needs_patient(practice: Practice, pending: PendingRequest, user: User) -> bool:
    """Whether the provider has to choose the patient the app will see."""
    if user.patient is not None or practice.launch(pending.parameters.get("launch")):
        return False
    about_patient = any(s.context == "patient" for s in resource_scopes(pending.scopes))
    return about_patient or "launch/patient" in pending.scopes


def _consent_page(practice: Practice, pending: PendingRequest, user: User) -> str:
    patients: list[tuple[str, str]] = []
    if _needs_patient(practice, pending, user):
        patients = [(p["id"], display_name(p)) for p in practice.store.of_type("Patient")]
    launch = practice.launch(pending.parameters.get("launch"))
    launched = practice.store.get("Patient", launch.patient or "") if launch else None
    return render_template(
        "consent.html",
        client=practice.clients[pending.parameters["client_id"]],
        destination=let_forms_lead_to(pending.parameters["redirect_uri"]),
        consent=describe(pending.scopes),
        scopes=pending.scopes,
        patients=patients,
        launched=display_name(launched) if launched else None,
    )


def _chosen_context(practice: Practice, pending: PendingRequest, user: User) -> LaunchContext:
    """The launch context of the answer: from the EHR's launch, the picker, or the patient."""
    launch = practice.launch(pending.parameters.get("launch"))
    if launch is not None:
        return launch
    patient = user.patient
    if _needs_patient(practice, pending, user) and request.form.get("decision") == "allow":
        patient = request.form.get("patient", "")
        if practice.store.get("Patient", patient) is None:
            abort(400, "Choose the patient whose records the app may see.")
    wants_encounter = patient is not None and "launch/encounter" in pending.scopes
    return LaunchContext(
        patient=patient,
        encounter=practice.latest_encounter(patient) if wants_encounter and patient else None,
    )


def _decided(
    server: PracticeAuthorizationServer,
    pending: PendingRequest,
    user: User,
    context: LaunchContext,
) -> Response:
    kept: Any = kept_request("GET", request.url, pending.parameters)
    kept.launch_context = context
    grant = server.get_consent_grant(kept, end_user=user)
    allowed = request.form.get("decision") == "allow"
    answer: Response = server.create_authorization_response(
        kept, grant_user=user if allowed else None, grant=grant
    )
    return answer
