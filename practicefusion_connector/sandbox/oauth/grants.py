"""The three grants of the token endpoint, on Authlib's (RFC 6749 sections 4.1, 4.4 and 6).

What is Practice Fusion's own: S256 or nothing, `aud` must be the FHIR base, `launch` only with a
launch, refresh tokens that stay, and v2 scopes for backend apps.
"""

# ruff: noqa: D102 - what the methods are for is said by the Authlib classes they complete.

from __future__ import annotations

import time
from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, InvalidScopeError, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode

from practicefusion_connector.sandbox.oauth.errors import (
    InvalidLaunchContextError,
    ScopeNotPermittedError,
    SystemAccessNotGrantedError,
)
from practicefusion_connector.sandbox.oauth.keys import SIGNING_KEY_ID
from practicefusion_connector.sandbox.oauth.models import (
    AuthorizationCode,
    Client,
    LaunchContext,
    Token,
    User,
)
from practicefusion_connector.sandbox.oauth.scopes import backend_may_have, person_may_grant
from practicefusion_connector.sandbox.oauth.tokens import new_secret

AUTH_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]


class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """Authorization code. `request.launch_context` is set by the consent page."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def validate_requested_scope(self) -> None:
        payload = self.request.payload
        if payload.data.get("aud") != self.server.issuer:
            raise InvalidRequestError("The aud parameter must be the FHIR base URL.")
        scopes = (payload.scope or "").split()
        if not scopes or not all(person_may_grant(scope) for scope in scopes):
            raise InvalidScopeError()

    def generate_authorization_code(self) -> str:
        return new_secret()

    def save_authorization_code(self, code: str, request: Any) -> None:
        context: LaunchContext = request.launch_context
        tokens, behaviour = self.server.tokens, self.server.behaviour
        keep = behaviour.granted_scopes_filter or (lambda scope: True)
        scope = " ".join(name for name in request.scope.split() if keep(name))
        data = request.payload.data
        tokens.add_code(
            AuthorizationCode(
                code=code,
                grant=tokens.open_grant(request.client, request.user, scope, context),
                redirect_uri=request.payload.redirect_uri,
                code_challenge=data["code_challenge"],
                code_challenge_method=data["code_challenge_method"],
                nonce=data.get("nonce"),
                expires_at=time.time() + behaviour.code_seconds,
            )
        )

    def query_authorization_code(self, code: str, client: Client) -> AuthorizationCode | None:
        found: AuthorizationCode | None = self.server.tokens.use_code(code, client)
        if found is None:
            return None
        if "launch" in found.grant.scope.split() and not found.grant.context.from_ehr:
            raise InvalidLaunchContextError
        return found

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """Nothing to do: the code was spent when it was looked up, and its replay must be seen."""

    def authenticate_user(self, authorization_code: AuthorizationCode) -> User | None:
        return authorization_code.grant.user


class RefreshTokenGrant(grants.RefreshTokenGrant):  # type: ignore[misc]
    """Refresh. The answer carries a new refresh token only when the practice rotates them."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
        token: Token | None = self.server.tokens.find_refresh(refresh_token)
        return None if token is None or token.grant.revoked else token

    def authenticate_user(self, refresh_token: Token) -> User | None:
        return refresh_token.grant.user

    def issue_token(self, user: User, refresh_token: Token) -> dict[str, Any]:
        behaviour, tokens = self.server.behaviour, self.server.tokens
        self.INCLUDE_NEW_REFRESH_TOKEN = behaviour.refresh_rotates
        if not tokens.use_refresh(refresh_token, behaviour.refresh_rotates):
            raise InvalidGrantError
        issued: dict[str, Any] = super().issue_token(user, refresh_token)
        return issued

    def revoke_old_credential(self, refresh_token: Token) -> None:
        """Nothing to do: the refresh token was counted, or spent, before the answer was made."""


class ClientCredentialsGrant(grants.ClientCredentialsGrant):  # type: ignore[misc]
    """Backend services: v2 system scopes; the v1 spelling gets the vendor's error."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS[:-1]

    def validate_requested_scope(self) -> None:
        if not self.server.behaviour.practice_grants_system_apps:
            raise SystemAccessNotGrantedError
        scopes = (self.request.payload.scope or "").split()
        if not scopes or not all(backend_may_have(scope) for scope in scopes):
            raise ScopeNotPermittedError


class RequireS256(CodeChallenge):  # type: ignore[misc]
    """PKCE for every app, S256 only (RFC 7636)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        data = grant.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE is required: send code_challenge with method S256.")
        super().validate_code_challenge(grant, redirect_uri)


class IdToken(OpenIDCode):  # type: ignore[misc]
    """The id_token (RS256), with `fhirUser` as a full URL when that scope was granted."""

    def __init__(self, server: Any) -> None:
        super().__init__(require_nonce=False)
        self._server = server

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        """Apps may repeat a nonce here: each code is used once anyway."""
        return False

    def resolve_client_private_key(self, client: Client) -> Any:
        return self._server.signing_key.private()

    def get_client_algorithm(self, client: Client) -> str:
        return "RS256"

    def get_encode_header(self, client: Client) -> dict[str, str]:
        return {"alg": "RS256", "kid": SIGNING_KEY_ID, "typ": "JWT"}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        now = int(time.time())
        seconds = self._server.behaviour.access_token_seconds
        return {"iss": self._server.issuer, "aud": client.client_id, "exp": now + seconds}

    def generate_user_info(self, user: User, scope: str) -> dict[str, Any]:
        scopes = scope.split()
        claims = {"sub": user.username}
        if "profile" in scopes:
            claims["name"] = user.name
        if "fhirUser" in scopes and user.fhir_user:
            claims["fhirUser"] = f"{self._server.issuer}/{user.fhir_user}"
        return claims
