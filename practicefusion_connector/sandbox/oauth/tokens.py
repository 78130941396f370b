"""Every code, grant and token of the practice, and the control tests have over them."""

from __future__ import annotations

import secrets
import threading
import time
import uuid

from practicefusion_connector.sandbox.oauth.models import (
    AuthorizationCode,
    Client,
    Grant,
    LaunchContext,
    Token,
    User,
)


class TokenStore:
    """Issues, finds, supersedes and revokes. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._grants: dict[str, Grant] = {}
        self._codes: dict[str, AuthorizationCode] = {}
        self._access: dict[str, Token] = {}
        self._refresh: dict[str, Token] = {}
        self._assertion_ids: set[tuple[str, str]] = set()

    # Grants and codes

    def open_grant(
        self, client: Client, user: User | None, scope: str, context: LaunchContext
    ) -> Grant:
        """Remember what was allowed."""
        grant = Grant(str(uuid.uuid4()), client, user, scope, context, time.time())
        with self._lock:
            self._grants[grant.id] = grant
        return grant

    def grants_of(self, user: User) -> list[Grant]:
        """The grants of one person that are in force, newest first."""
        with self._lock:
            found = [g for g in self._grants.values() if g.user == user and not g.revoked]
        return sorted(found, key=lambda grant: grant.created, reverse=True)

    def add_code(self, code: AuthorizationCode) -> None:
        """Keep a code until it is exchanged."""
        with self._lock:
            self._codes[code.code] = code

    def use_code(self, value: str, client: Client) -> AuthorizationCode | None:
        """The code, once. A second use ends the grant it led to (RFC 6749 section 4.1.2)."""
        with self._lock:
            code = self._codes.get(value)
            if code is None or code.grant.client is not client or code.grant.revoked:
                return None
            if code.used:
                code.grant.revoked = True
                return None
            code.used = True
            return code if time.time() < code.expires_at else None

    # Tokens

    def add_access(self, token: Token, supersede: bool = False) -> None:
        """Keep an access token; with `supersede` it is the only one of its grant from then on."""
        with self._lock:
            for other in self._access.values():
                if supersede and other.grant is token.grant:
                    other.revoked = True
            self._access[token.value] = token

    def add_refresh(self, token: Token) -> None:
        """Keep a refresh token."""
        with self._lock:
            self._refresh[token.value] = token

    def find_access(self, value: str) -> Token | None:
        """The access token, whatever its state."""
        return self._access.get(value)

    def find_refresh(self, value: str) -> Token | None:
        """The refresh token, whatever its state."""
        return self._refresh.get(value)

    def use_refresh(self, token: Token, rotates: bool) -> bool:
        """Count a refresh. With rotation a token serves once, and its replay ends the grant."""
        with self._lock:
            if token.revoked:
                token.grant.revoked = True
                return False
            token.grant.refreshes += 1
            token.revoked = rotates
            return True

    def use_assertion_id(self, client_id: str, assertion_id: str) -> bool:
        """Whether the `jti` of a client assertion is new; it is known from then on."""
        with self._lock:
            key = (client_id, assertion_id)
            if key in self._assertion_ids:
                return False
            self._assertion_ids.add(key)
            return True

    # Control for tests

    def expire_access(self) -> None:
        """Make every access token issued so far expire now."""
        with self._lock:
            for token in self._access.values():
                token.expires_at = 0.0

    def expire_one(self, value: str) -> None:
        """Make one access token expire now; one that was never issued is nobody's."""
        with self._lock:
            if token := self._access.get(value):
                token.expires_at = 0.0

    def revoke_grants(self) -> None:
        """Withdraw everything anybody has allowed so far, with all its tokens."""
        with self._lock:
            for grant in self._grants.values():
                grant.revoked = True

    def count_refreshes(self) -> int:
        """How many refreshes succeeded."""
        with self._lock:
            return sum(grant.refreshes for grant in self._grants.values())

    def count_access(self) -> int:
        """How many access tokens were issued."""
        return len(self._access)

    def count_active_grants(self) -> int:
        """How many grants are in force."""
        with self._lock:
            return sum(not grant.revoked for grant in self._grants.values())


def new_access_token() -> str:
    """An opaque access token of 20 characters, the length Practice Fusion's have."""
    return secrets.token_urlsafe(15)


def new_secret() -> str:
    """A refresh token or an authorization code."""
    return secrets.token_urlsafe(32)
