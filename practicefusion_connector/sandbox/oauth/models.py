"""Apps, people, grants, codes and tokens, as Authlib's mixins want them.

Secrets stay out of every repr.
"""

# ruff: noqa: D102 - what the methods are for is said by the Authlib classes they complete.

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(eq=False)
class Client(ClientMixin):  # type: ignore[misc]
    """A registered app. Any loopback redirect URI will do, with any port (RFC 8252 7.3)."""

    client_id: str
    name: str
    client_secret: str | None = field(default=None, repr=False)
    grant_types: frozenset[str] = frozenset({"authorization_code", "refresh_token"})
    jwks: dict[str, Any] = field(default_factory=lambda: {"keys": []}, repr=False)
    jwks_url: str | None = None

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str | None:
        return None

    def get_allowed_scope(self, scope: str | None) -> str:
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        parts = urlsplit(redirect_uri)
        return parts.scheme == "http" and parts.hostname in _LOOPBACK and not parts.fragment

    def check_client_secret(self, client_secret: str) -> bool:
        return self.client_secret is not None and secrets.compare_digest(
            self.client_secret.encode(), client_secret.encode()
        )

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        if method == "none":
            return self.client_secret is None and "authorization_code" in self.grant_types
        if method == "private_key_jwt":
            return bool(self.jwks["keys"])
        return self.client_secret is not None

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and "authorization_code" in self.grant_types

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grant_types


@dataclass(frozen=True)
class User:
    """Somebody who can log in: a provider of the practice or one of its patients."""

    username: str
    password: str = field(repr=False)
    role: str
    name: str
    fhir_user: str | None
    patient: str | None = None

    def get_user_id(self) -> str:
        return self.username


@dataclass(frozen=True)
class LaunchContext:
    """What the app is launched upon."""

    patient: str | None = None
    encounter: str | None = None
    from_ehr: bool = False


@dataclass(eq=False)
class Grant:
    """What one person allowed one app, or what a backend app was given (user None)."""

    id: str
    client: Client
    user: User | None
    scope: str
    context: LaunchContext
    created: float
    revoked: bool = False
    refreshes: int = 0


@dataclass(eq=False)
class AuthorizationCode(AuthorizationCodeMixin):  # type: ignore[misc]
    """A code on its way from the authorize endpoint to the token endpoint."""

    code: str = field(repr=False)
    grant: Grant
    redirect_uri: str
    code_challenge: str = field(repr=False)
    code_challenge_method: str
    nonce: str | None
    expires_at: float
    used: bool = False

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.grant.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(self.grant.created)

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass(eq=False)
class Token(TokenMixin):  # type: ignore[misc]
    """An access token or a refresh token (which never expires of itself here)."""

    value: str = field(repr=False)
    grant: Grant
    scope: str
    issued_at: float
    expires_at: float | None = None
    revoked: bool = False

    def check_client(self, client: Client) -> bool:
        return self.grant.client is client

    def get_scope(self) -> str:
        return self.scope

    def get_expires_in(self) -> int:
        return int((self.expires_at or self.issued_at) - self.issued_at)

    def is_expired(self) -> bool:
        return self.expires_at is not None and time.time() >= self.expires_at

    def is_revoked(self) -> bool:
        return self.revoked or self.grant.revoked

    def is_active(self) -> bool:
        return not self.is_expired() and not self.is_revoked()

    def get_user(self) -> User | None:
        return self.grant.user

    def get_client(self) -> Client:
        return self.grant.client
