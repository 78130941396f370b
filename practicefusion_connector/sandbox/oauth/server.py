"""The authorization server of the practice: Authlib's, with the practice's grants and endpoints."""

# ruff: noqa: D102 - what the methods are for is said by the Authlib classes they complete.

from __future__ import annotations

import logging
import time
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc9207 import IssuerParameter
from flask import Flask

from practicefusion_connector.sandbox.answers import with_correlation
from practicefusion_connector.sandbox.oauth.assertions import PrivateKeyJwt
from practicefusion_connector.sandbox.oauth.grants import (
    AUTH_METHODS,
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    IdToken,
    RefreshTokenGrant,
    RequireS256,
)
from practicefusion_connector.sandbox.oauth.keys import SigningKey
from practicefusion_connector.sandbox.oauth.models import Client, Grant, LaunchContext, Token
from practicefusion_connector.sandbox.oauth.tokens import (
    TokenStore,
    new_access_token,
    new_secret,
)
from practicefusion_connector.sandbox.settings import Behaviour

# Authlib's debug messages hold whole tokens.
logging.getLogger("authlib").setLevel(logging.INFO)


class PracticeAuthorizationServer(AuthorizationServer):  # type: ignore[misc]
    """Issues what the practice's people allow. `issuer` is the FHIR base URL."""

    def __init__(
        self,
        app: Flask,
        *,
        issuer: str,
        clients: dict[str, Client],
        tokens: TokenStore,
        signing_key: SigningKey,
        behaviour: Behaviour,
    ) -> None:
        self.issuer = issuer
        self.tokens = tokens
        self.signing_key = signing_key
        self.behaviour = behaviour
        super().__init__(app, query_client=clients.get, save_token=self._save)
        self.register_token_generator(
            "default",
            BearerTokenGenerator(
                access_token_generator=lambda **_: new_access_token(),
                refresh_token_generator=lambda **_: new_secret(),
                expires_generator=self._seconds,
            ),
        )
        self.register_client_auth_method("private_key_jwt", PrivateKeyJwt(self))
        self.register_grant(AuthorizationCodeGrant, [RequireS256(), IdToken(self)])
        self.register_grant(RefreshTokenGrant)
        self.register_grant(ClientCredentialsGrant)
        self.register_endpoint(Introspection)
        self.register_endpoint(Revocation)
        self.register_extension(_OptionalIssuer())

    def create_oauth2_request(self, request: Any) -> Any:
        """A request that was kept while the person logged in is taken as it is."""
        if isinstance(request, OAuth2Request):
            return request
        return super().create_oauth2_request(request)

    def authenticate_client(self, request: Any, methods: list[str], endpoint: str = "token") -> Any:
        """Only by the methods the practice takes."""
        allowed = [name for name in methods if name in self.behaviour.token_auth_methods]
        client: Client = super().authenticate_client(request, allowed, endpoint)
        return client

    def handle_response(self, status: int, body: Any, headers: Any) -> Any:
        """Every error carries a correlation id."""
        if status >= 400 and isinstance(body, dict):
            body, extra = with_correlation(body)
            headers = [*headers, *extra.items()]
        return super().handle_response(status, body, headers)

    def _seconds(self, client: Client, grant_type: str) -> int:
        if grant_type == "client_credentials":
            return self.behaviour.system_token_seconds
        return self.behaviour.access_token_seconds

    def _save(self, issued: dict[str, Any], request: Any) -> None:
        """Keep what was issued, and complete the answer with the launch context."""
        grant = self._grant_behind(issued, request)
        seconds = issued.setdefault("expires_in", 0)  # Authlib leaves a lifetime of zero out.
        now = time.time()
        access = Token(issued["access_token"], grant, issued.get("scope", ""), now, now + seconds)
        refreshed = request.refresh_token is not None
        self.tokens.add_access(access, refreshed and self.behaviour.refresh_kills_previous_access)
        if "refresh_token" in issued:
            if self._may_refresh(grant):
                self.tokens.add_refresh(Token(issued["refresh_token"], grant, grant.scope, now))
            else:
                del issued["refresh_token"]
        issued.update(self._launch_answer(grant.context))

    def _grant_behind(self, issued: dict[str, Any], request: Any) -> Grant:
        behind = request.authorization_code or request.refresh_token
        if behind is not None:
            grant: Grant = behind.grant
            return grant
        scope = issued.get("scope", "")
        return self.tokens.open_grant(request.client, None, scope, LaunchContext())

    def _may_refresh(self, grant: Grant) -> bool:
        offline = "offline_access" in grant.scope.split()
        return offline or not self.behaviour.refresh_needs_offline_access

    def _launch_answer(self, context: LaunchContext) -> dict[str, Any]:
        """SMART App Launch 2.0, "Launch context arrives with your access_token"."""
        answer: dict[str, Any] = {}
        if context.patient:
            answer["patient"] = context.patient
        if context.encounter:
            answer["encounter"] = context.encounter
        if answer:
            answer["need_patient_banner"] = not context.from_ehr
            origin = self.issuer.split("/fhir/", 1)[0]
            answer["smart_style_url"] = f"{origin}/smart-style.json"
        return answer


def kept_request(method: str, uri: str, parameters: dict[str, str]) -> OAuth2Request:
    """An authorization request rebuilt from the parameters that were kept."""
    request = OAuth2Request(method, uri)
    request.payload = BasicOAuth2Payload(parameters)
    return request


class _OptionalIssuer(IssuerParameter):  # type: ignore[misc]
    """`iss` in the redirect (RFC 9207), when the practice is set to send it."""

    def __call__(self, authorization_server: PracticeAuthorizationServer) -> None:
        self._server = authorization_server
        super().__call__(authorization_server)

    def get_issuer(self) -> str | None:
        return self._server.issuer if self._server.behaviour.authorize_sends_issuer else None


class _ByValue:
    """Finds access and refresh tokens for the two endpoints below."""

    CLIENT_AUTH_METHODS = AUTH_METHODS
    server: PracticeAuthorizationServer

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
        tokens = self.server.tokens
        return tokens.find_access(token_string) or tokens.find_refresh(token_string)


class Introspection(_ByValue, IntrospectionEndpoint):  # type: ignore[misc]
    """RFC 7662: an app may ask about its own tokens."""

    def check_permission(self, token: Token, client: Client, request: Any) -> bool:
        return token.check_client(client)

    def introspect_token(self, token: Token) -> dict[str, Any]:
        grant = token.grant
        answer: dict[str, Any] = {
            "active": True,
            "client_id": grant.client.client_id,
            "scope": token.scope,
            "token_type": "Bearer",
            "iss": self.server.issuer,
            "iat": int(token.issued_at),
        }
        if token.expires_at is not None:
            answer["exp"] = int(token.expires_at)
        if grant.user is not None:
            answer["sub"] = grant.user.username
            if grant.user.fhir_user and "fhirUser" in token.scope.split():
                answer["fhirUser"] = f"{self.server.issuer}/{grant.user.fhir_user}"
        if grant.context.patient:
            answer["patient"] = grant.context.patient
        return answer


class Revocation(_ByValue, RevocationEndpoint):  # type: ignore[misc]
    """RFC 7009: a refresh token takes its grant with it, an access token goes alone."""

    def revoke_token(self, token: Token, request: Any) -> None:
        if token.expires_at is None:
            token.grant.revoked = True
        else:
            token.revoked = True
