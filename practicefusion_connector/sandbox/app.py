"""The practice as one Flask application: its routes, its security headers, its record.

Knows which rooms there are and nothing of what they do.
"""

from __future__ import annotations

import re
import secrets

from flask import Flask, g, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed, NotFound
from werkzeug.wrappers import Response

from practicefusion_connector.sandbox.answers import no_route, operation_outcome
from practicefusion_connector.sandbox.bulk.control import Bulk
from practicefusion_connector.sandbox.bulk.routes import bulk_routes, signed_routes
from practicefusion_connector.sandbox.directory import directory_routes
from practicefusion_connector.sandbox.fhir.routes import fhir_routes
from practicefusion_connector.sandbox.medfusion.pages import portal_pages
from practicefusion_connector.sandbox.medfusion.routes import portal_routes
from practicefusion_connector.sandbox.oauth.routes import oauth_routes
from practicefusion_connector.sandbox.oauth.server import PracticeAuthorizationServer
from practicefusion_connector.sandbox.pages.authorize import authorize_routes
from practicefusion_connector.sandbox.pages.routes import page_routes
from practicefusion_connector.sandbox.practice import Practice
from practicefusion_connector.sandbox.record import RecordedRequest, RequestRecord
from practicefusion_connector.sandbox.settings import BASE_PATH

_MASKED = re.compile(r"[0-9A-Za-z\-.]*\d[0-9A-Za-z\-.]*")


def create_app(practice: Practice, record: RequestRecord, bulk: Bulk) -> Flask:
    """The WSGI application. The practice must know its origin already."""
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),
        # Browsers share cookies between the ports of a host: each sandbox needs its own name.
        SESSION_COOKIE_NAME=f"sandbox_{practice.origin.rpartition(':')[2]}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    server = PracticeAuthorizationServer(
        app,
        issuer=practice.base_url,
        clients=practice.clients,
        tokens=practice.tokens,
        signing_key=practice.signing_key,
        behaviour=practice.behaviour,
    )
    app.register_blueprint(oauth_routes(server), url_prefix=BASE_PATH)
    app.register_blueprint(authorize_routes(practice, server))
    app.register_blueprint(fhir_routes(practice), url_prefix=BASE_PATH)
    app.register_blueprint(bulk_routes(bulk), url_prefix=BASE_PATH)
    app.register_blueprint(signed_routes(bulk))
    app.register_blueprint(page_routes(practice))
    app.register_blueprint(directory_routes(practice))
    app.register_blueprint(portal_routes(practice.portal, practice.origin))
    app.register_blueprint(portal_pages(practice.portal))
    _add_hooks(app, practice, record)
    return app


def _add_hooks(app: Flask, practice: Practice, record: RequestRecord) -> None:
    @app.before_request
    def before() -> Response | None:
        hook = practice.behaviour.before_request
        return hook(request) if hook else None

    @app.after_request
    def after(response: Response) -> Response:
        record.add(
            RecordedRequest(
                method=request.method,
                path=_masked_path(),
                status=response.status_code,
                query=tuple(request.args),
            )
        )
        return _secured(response)

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Response | tuple[str, int]:
        below_base = request.path.startswith(BASE_PATH + "/")
        if isinstance(error, MethodNotAllowed) and below_base:
            return operation_outcome(405, "not-supported", "This server is read-only.")
        if isinstance(error, (NotFound, MethodNotAllowed)):
            return no_route()
        if isinstance(error, InternalServerError) and below_base:
            return operation_outcome(500, "exception", "The sandbox failed to answer this.")
        return render_template("error.html", message=error.description), error.code or 500


def _masked_path() -> str:
    """The path with everything that may be an id, or hold one, masked."""
    path = request.path.removeprefix(BASE_PATH)
    below_base = path != request.path
    if request.url_rule is not None:
        path = str(request.url_rule).removeprefix(BASE_PATH)
        resource_type = str((request.view_args or {}).get("resource_type", ""))
        path = path.replace("<resource_type>", resource_type)
        path = path.replace("<resource_id>", "{id}").replace("<handle>", "{id}")
    path = _MASKED.sub("{id}", path)
    return f"/fhir/r4/v1/{{practice}}{path}" if below_base else path


def _secured(response: Response) -> Response:
    """Headers for pages people see; harmless on the others."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if response.mimetype == "text/html":
        destination = g.get("form_destination", "")
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
            f"frame-ancestors 'none'; form-action 'self' {destination}".strip()
        )
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
    return response
