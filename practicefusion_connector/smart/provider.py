"""Who hands out the access token of a connection, and who refreshes it.

Two ways behind one protocol. A host that runs OAuth itself gives the token for each call
(`HostTokens`); otherwise the tokens live in a store and this library refreshes them
(`ManagedTokens`), one worker at a time across threads, processes and machines.

At Practice Fusion a refresh kills the access token that the other workers are still using. So the
order on a 401 is: read the store; if its token is newer than the refused one, use it; only else
refresh.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from threading import Lock
from typing import Protocol

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import (
    AuthExpired,
    NotFound,
    ReauthRequired,
    RefreshBusy,
    UpstreamUnavailable,
)
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.stores import ConnectionStore, StaleVersion, Stored
from practicefusion_connector.transport import Run

Renew = Callable[[Connection, TokenSet | None, Run], TokenSet]

# A refresh is refused or done within its own time: a caller's short deadline must not cut it off
# between the server's answer and the store, where a rotated refresh token would be lost.
_REFRESH_DEADLINE = 15.0
_LEASE_TTL = 3 * _REFRESH_DEADLINE
# Longer than a lease lives: where its holder died, somebody who waits still gets it.
_LEASE_WAIT = _LEASE_TTL + _REFRESH_DEADLINE
# How often somebody who waits for another thread's refresh looks whether to go on waiting.
_GLANCE = 0.1


class TokenProvider(Protocol):
    """Hands out an access token that should be good now."""

    def access_token(self, run: Run, *, rejected: str | None = None) -> str | None:
        """Return an access token, or `None` where the server wants none.

        `rejected` is one the server has just refused.

        Raises:
            AuthExpired: the host must refresh the token it holds.
            ReauthRequired: a person must connect again.
            RefreshBusy: another worker holds the refresh.
        """
        ...


class HostTokens:
    """A token the host holds: never refreshed here, and said exactly when it must be."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def access_token(self, run: Run, *, rejected: str | None = None) -> str:
        """Return the host's token, or raise `AuthExpired` where the host must refresh it."""
        token = self._token()
        if token == rejected:
            raise AuthExpired(
                "The server refused the host's access token; refresh it and run again."
            )
        return token


class NoTokens:
    """For an open server: requests carry no authorization."""

    def access_token(self, run: Run, *, rejected: str | None = None) -> None:
        """Return nothing to send."""


class TokensApart:
    """Access tokens whose lack is never taken for what the FHIR server says.

    A token endpoint that is away for a minute, with a 404 or a 500, must not end an export of hours
    that is still good, nor pass for a server without a search.
    """

    def __init__(self, tokens: TokenProvider) -> None:
        self._tokens = tokens

    def access_token(self, run: Run, *, rejected: str | None = None) -> str | None:
        """Return an access token, or raise what may pass without the endpoint's status."""
        try:
            return self._tokens.access_token(run, rejected=rejected)
        except (NotFound, UpstreamUnavailable) as error:
            failed = error
        raise UpstreamUnavailable(
            f"No access token can be had now. {failed.message}", retry_after=failed.retry_after
        )


class ManagedTokens:
    """Tokens in a store, refreshed early or on a 401, single-flight.

    Args:
        renew: gets new tokens from the server; raises `ReauthRequired` where the grant is dead.
        clock: POSIX seconds.
        uniform: a random number between its two arguments, so that a thousand connections do not
            refresh in the same second.
    """

    def __init__(
        self,
        connection_id: str,
        store: ConnectionStore,
        renew: Renew,
        *,
        clock: Callable[[], float] = time.time,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._id = connection_id
        self._store = store
        self._renew = renew
        self._clock = clock
        self._early = uniform(0.5, 1.0)
        self._flight = Lock()
        self._known: TokenSet | None = None

    def access_token(self, run: Run, *, rejected: str | None = None) -> str:
        """Return a good access token, refreshing where nobody else has."""
        known = self._known
        if known is not None and self._good(known, rejected):
            return known.access_token.get_secret_value()
        while not self._flight.acquire(timeout=max(0.0, min(_GLANCE, run.remaining()))):
            if run.remaining() <= 0:
                raise RefreshBusy("Another thread is still refreshing this connection's token.")
            run.check()
        try:
            self._known = self._current(run, rejected)
        finally:
            self._flight.release()
        return self._known.access_token.get_secret_value()

    def granted_scopes(self) -> tuple[str, ...]:
        """Return the scopes of the tokens in the store, none before the first."""
        stored = self._store.load(self._id)
        tokens = stored.record.tokens if stored else None
        return tokens.scope if tokens else ()

    def _current(self, run: Run, rejected: str | None) -> TokenSet:
        tokens = self._load().record.tokens
        if tokens is not None and self._good(tokens, rejected):
            return tokens
        wait = max(0.0, min(run.remaining(), _LEASE_WAIT))
        try:
            with self._store.lease(self._id, ttl=_LEASE_TTL, wait=wait):
                stored = self._load()
                tokens = stored.record.tokens
                if tokens is not None and self._good(tokens, rejected):
                    return tokens
                return self._renewed(stored, run)
        except RefreshBusy:
            # Whoever held the lease may have finished at the last moment.
            tokens = self._load().record.tokens
            if tokens is not None and self._good(tokens, rejected):
                return tokens
            raise

    def _renewed(self, stored: Stored, run: Run) -> TokenSet:
        own = Run(_REFRESH_DEADLINE)
        own.trace = run.trace
        try:
            fresh = self._renew(stored.record.connection, stored.record.tokens, own)
        except ReauthRequired as error:
            return self._lost(stored, error)
        # Stored before it is used: a rotated refresh token must not exist only in this process.
        try:
            self._store.save(
                stored.record.model_copy(update={"tokens": fresh, "status": "active"}),
                expected=stored.version,
            )
        except StaleVersion:
            return self._winner(fresh)
        return fresh

    def _winner(self, own: TokenSet) -> TokenSet:
        """Return what somebody else stored meanwhile; a new authorization outranks a refresh."""
        return self._load().record.tokens or own

    def _lost(self, stored: Stored, error: ReauthRequired) -> TokenSet:
        """Mark the grant dead, unless somebody else renewed it; the record is never deleted."""
        now = self._load()
        if now.version != stored.version and now.record.tokens is not None:
            return now.record.tokens
        dead = {"status": "reauth_required", "status_reason": error.message}
        try:
            self._store.save(stored.record.model_copy(update=dead), expected=stored.version)
        except StaleVersion:
            return self._load().record.tokens or _raise(error)
        raise error

    def _load(self) -> Stored:
        stored = self._store.load(self._id)
        if stored is None:
            raise ReauthRequired("There is no such connection in the store; connect first.")
        if stored.record.status != "active":
            raise ReauthRequired(
                stored.record.status_reason or "The connection needs to be authorized again."
            )
        return stored

    def _good(self, tokens: TokenSet, rejected: str | None) -> bool:
        if tokens.access_token.get_secret_value() == rejected:
            return False
        lifetime = tokens.lifetime()
        if lifetime is None or tokens.expires_at is None:
            return True
        # About a tenth of its life early, at most a minute; not half its life, as some hosts do:
        # each refresh disturbs the other workers.
        early = min(60.0, lifetime / 10) * self._early
        return self._clock() < tokens.expires_at - early


def _raise(error: Exception) -> TokenSet:
    raise error
