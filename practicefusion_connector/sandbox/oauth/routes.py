"""The OAuth endpoints that apps call: token, introspect, revoke, and the signing keys."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from practicefusion_connector.sandbox.answers import json_response
from practicefusion_connector.sandbox.oauth.server import PracticeAuthorizationServer


def oauth_routes(server: PracticeAuthorizationServer) -> Blueprint:
    """Routes below the FHIR base URL. The authorize endpoint draws pages and lives with them."""
    routes = Blueprint("oauth", __name__)

    @routes.post("/token")
    def token() -> Response:
        answer: Response = server.create_token_response()
        return answer

    @routes.post("/introspect")
    def introspect() -> Response:
        answer: Response = server.create_endpoint_response("introspection")
        return answer

    @routes.post("/revoke")
    def revoke() -> Response:
        answer: Response = server.create_endpoint_response("revocation")
        return answer

    @routes.get("/.well-known/jwk")
    def keys() -> Response:
        return json_response(server.signing_key.public_set())

    return routes
