"""Home, login, account and EHR launch."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from practicefusion_connector.sandbox.answers import json_response
from practicefusion_connector.sandbox.oauth.models import LaunchContext
from practicefusion_connector.sandbox.pages.categories import describe
from practicefusion_connector.sandbox.pages.session import (
    check_form_token,
    current_user,
    form_token,
    let_forms_lead_to,
    local_path,
    log_in,
)
from practicefusion_connector.sandbox.practice import Practice, display_name
from practicefusion_connector.sandbox.settings import PRACTICE_NAME

SMART_STYLE = {"color_background": "#f6f8f7", "color_highlight": "#14604f"}


def page_routes(practice: Practice) -> Blueprint:
    """The pages at the root of the sandbox, and their style sheet."""
    routes = Blueprint(
        "pages",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/assets",
    )

    @routes.app_context_processor
    def common() -> dict[str, object]:
        return {
            "practice_name": PRACTICE_NAME,
            "user": current_user(practice),
            "form_token": form_token,
        }

    routes.add_url_rule("/", "home", lambda: _home(practice))
    routes.add_url_rule("/login", "login", lambda: _login(practice), methods=["GET", "POST"])
    routes.add_url_rule("/logout", "logout", _logout, methods=["POST"])
    routes.add_url_rule("/account", "account", lambda: _account(practice), methods=["GET", "POST"])
    routes.add_url_rule("/launch", "launch", lambda: _launch(practice), methods=["GET", "POST"])
    routes.add_url_rule("/smart-style.json", "style", lambda: json_response(SMART_STYLE))
    return routes


def _home(practice: Practice) -> str:
    return render_template(
        "home.html",
        base_url=practice.base_url,
        origin=practice.origin,
        clients=practice.clients.values(),
        users=practice.users.values(),
        counts={name: len(found) for name, found in sorted(practice.store.by_type.items())},
    )


def _login(practice: Practice) -> str | Response | tuple[str, int]:
    target = local_path(request.values.get("next", "/account"))
    if request.method == "GET":
        return render_template("login.html", next=target, failed=False, username="")
    check_form_token()
    username = request.form.get("username", "").strip()
    if log_in(practice, username, request.form.get("password", "")) is None:
        page = render_template("login.html", next=target, failed=True, username=username)
        return page, 401
    return redirect(target, 303)


def _logout() -> Response:
    check_form_token()
    session.clear()
    return redirect(url_for("pages.home"), 303)


def _account(practice: Practice) -> str | Response:
    user = current_user(practice)
    if user is None:
        return redirect(url_for("pages.login", next="/account"), 303)
    grants = practice.tokens.grants_of(user)
    if request.method == "POST":
        check_form_token()
        for grant in grants:
            if grant.id == request.form.get("grant"):
                grant.revoked = True
        return redirect(url_for("pages.account", revoked="yes"), 303)
    apps = [(grant, describe(grant.scope.split())) for grant in grants]
    return render_template("account.html", apps=apps, revoked="revoked" in request.args)


def _launch(practice: Practice) -> str | Response:
    """Play the EHR: choose whom the app is launched upon, then send the browser to the app."""
    client = practice.clients.get(request.values.get("client_id", ""))
    launch_url = request.values.get("launch_url", "")
    if client is None or not client.check_redirect_uri(launch_url):
        abort(400, "Give a registered client_id and a launch_url the app may be reached at.")
    user = current_user(practice)
    if user is None:
        return redirect(url_for("pages.login", next=request.full_path), 303)
    if user.role != "provider":
        abort(403, "Only a provider can launch an app from the EHR.")
    let_forms_lead_to(launch_url)
    if request.method == "GET":
        patients = [(p["id"], display_name(p)) for p in practice.store.of_type("Patient")]
        return render_template(
            "launch.html", client=client, launch_url=launch_url, patients=patients
        )
    check_form_token()
    return redirect(_launch_target(practice, launch_url), 303)


def _launch_target(practice: Practice, launch_url: str) -> str:
    patient = request.form.get("patient", "")
    if practice.store.get("Patient", patient) is None:
        abort(400, "Choose a patient.")
    encounter = practice.latest_encounter(patient) if "encounter" in request.form else None
    handle = practice.keep(LaunchContext(patient, encounter, from_ehr=True))
    query = urlencode({"iss": practice.base_url, "launch": handle})
    return launch_url + ("&" if urlsplit(launch_url).query else "?") + query
