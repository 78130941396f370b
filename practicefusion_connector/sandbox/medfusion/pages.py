"""What people see of the portal: the e-mails it sent, and the page where a patient registers."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from practicefusion_connector.sandbox.medfusion.portal import Email, Portal
from practicefusion_connector.sandbox.pages.session import check_form_token

# Fields of the form: the element, its label, and what a browser may fill in by itself.
_ADDRESS = (
    ("Line1", "Street", "address-line1"),
    ("Line2", "Apartment, suite", "address-line2"),
    ("City", "City", "address-level2"),
    ("State", "State", "address-level1"),
    ("ZipCode", "ZIP code", "postal-code"),
    ("Country", "Country", "country-name"),
)
_LONGEST = 200


def portal_pages(portal: Portal) -> Blueprint:
    """The pages below /portal."""
    routes = Blueprint("portal_pages", __name__, template_folder="templates")

    @routes.get("/portal/outbox")
    def outbox() -> str:
        portal.process_due()
        emails = [(email, portal.patients[email.patient].status) for email in portal.outbox]
        return render_template("portal_outbox.html", emails=emails[::-1])

    @routes.get("/portal/outbox/<code>")
    def message(code: str) -> str:
        return render_template("portal_email.html", email=_email(portal, code))

    @routes.route("/portal/register/<code>", methods=["GET", "POST"])
    def register(code: str) -> str | Response | tuple[str, int]:
        return _register(portal, _email(portal, code))

    @routes.get("/portal/registered")
    def registered() -> str:
        return render_template("portal_registered.html")

    return routes


def _email(portal: Portal, code: str) -> Email:
    found = portal.email(code)
    if found is None:
        abort(404, "There is no invitation with this code.")
    return found


def _register(portal: Portal, email: Email) -> str | Response | tuple[str, int]:
    record = portal.patients[email.patient]
    if request.method == "GET":
        return _form(portal, email, record.address(), failed=False)
    check_form_token()
    given = {name: request.form.get(name, "").strip()[:_LONGEST] for name, _, _ in _ADDRESS}
    if request.form.get("birth_date", "").strip() != record.birth_date:
        return _form(portal, email, given, failed=True), 400
    mobile = request.form.get("mobile", "").strip()[:_LONGEST]
    if not portal.register(email, given, MobilePhone=mobile):
        abort(409, "This account is registered already, or was closed.")
    return redirect(url_for("portal_pages.registered"), 303)


def _form(portal: Portal, email: Email, address: dict[str, str], *, failed: bool) -> str:
    record = portal.patients[email.patient]
    return render_template(
        "portal_register.html",
        email=email,
        fields=[(*field, address.get(field[0], "")) for field in _ADDRESS],
        mobile=request.form.get("mobile", record.text("MobilePhone")),
        failed=failed,
    )
