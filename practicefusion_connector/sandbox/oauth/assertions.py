"""Client assertions: an app proves itself with a signed JWT (RFC 7523, SMART Backend Services)."""

# ruff: noqa: D102 - what the methods are for is said by the Authlib classes they complete.

from __future__ import annotations

import time
from typing import Any, Final

from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from practicefusion_connector.sandbox.oauth.models import Client

ALGORITHMS: Final = ["RS384", "ES384"]
MAXIMUM_SECONDS: Final = 300


class PrivateKeyJwt(JWTBearerClientAssertion):  # type: ignore[misc]
    """RS384 or ES384, `kid` required, `aud` the token endpoint, `exp` at most 300 s ahead."""

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def __init__(self, server: Any) -> None:
        super().__init__(validate_jti=True, leeway=5)
        self._server = server

    def get_audiences(self) -> list[str]:
        return [f"{self._server.issuer}/token"]

    def resolve_client_public_key(self, client: Client) -> KeySet:
        if not client.jwks["keys"]:
            raise InvalidClientError(description="No keys are registered for this app.")
        return KeySet.import_key_set(client.jwks)  # type: ignore[arg-type]

    def process_assertion_claims(self, assertion: str, resolve_key: Any) -> Any:
        header, claims = self.extract_assertion(assertion)
        if not header.get("kid"):
            raise InvalidClientError(description="The assertion's header has no kid.")
        self._check_key_url(header, claims)
        try:
            token = jwt.decode(assertion, resolve_key, algorithms=ALGORITHMS)
        except (JoseError, ValueError) as error:
            raise InvalidClientError(description="The assertion is not validly signed.") from error
        self._check_lifetime(token.claims)
        self.verify_claims(token.claims)
        return token.claims

    def _check_key_url(self, header: dict[str, Any], claims: dict[str, Any]) -> None:
        client = self._server.query_client(claims["sub"])
        if header.get("jku") and client.jwks_url and header["jku"] != client.jwks_url:
            raise InvalidClientError(description="The jku is not the registered JWKS URL.")

    def _check_lifetime(self, claims: dict[str, Any]) -> None:
        expires = claims.get("exp")
        if not isinstance(expires, (int, float)) or expires > time.time() + MAXIMUM_SECONDS + 5:
            raise InvalidClientError(description="The exp must be at most 300 seconds ahead.")

    def validate_jti(self, claims: dict[str, Any], jti: str) -> bool:
        new: bool = self._server.tokens.use_assertion_id(claims["sub"], jti)
        return new
