"""Connections as encrypted values in Redis, for workers on many machines.

Redis must keep what it is given: persistence on (`appendonly yes`) and no eviction
(`maxmemory-policy noeviction`), as a lost refresh token costs a person a new authorization.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from redis import Redis
from redis.exceptions import LockNotOwnedError
from redis.lock import Lock

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.stores.base import (
    ConnectionRecord,
    StaleVersion,
    Stored,
    checked_id,
    next_version,
    poll,
)
from practicefusion_connector.stores.sealing import Sealer

# Compares and writes in one step: Redis runs a script as a whole.
_SAVE = """
if (redis.call('HGET', KEYS[1], 'version') or '') ~= ARGV[1] then
    return 0
end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'sealed', ARGV[3])
return 1
"""


class RedisStore:
    """A `ConnectionStore` in Redis: one hash per connection, and redis-py's `Lock` as the lease.

    Args:
        client: a redis-py client, which stays its owner's to close, or a URL such as
            `redis://:password@host:6379/0`, `rediss://…` or `unix:///run/redis.sock`.
        sealer: encrypts the values.
        prefix: begins every key, as in `<prefix>:connection:<id>` and `<prefix>:lease:<id>`.
    """

    def __init__(
        self, client: Redis | str, sealer: Sealer, *, prefix: str = "practicefusion"
    ) -> None:
        self._owned = isinstance(client, str)
        # redis-py types its answers for both its faces at once, the awaited one included.
        self._client: Any = _open(client) if isinstance(client, str) else client
        self._sealer = sealer
        self._prefix = prefix
        self._save = self._client.register_script(_SAVE)

    def __repr__(self) -> str:
        return f"RedisStore(prefix={self._prefix!r})"

    def load(self, connection_id: str) -> Stored | None:
        """See `ConnectionStore.load`."""
        version, sealed = self._client.hmget(
            self._key("connection", connection_id), "version", "sealed"
        )
        if version is None:
            return None
        return Stored(self._sealer.unseal(sealed, connection_id), int(version))

    def save(self, record: ConnectionRecord, *, expected: int | None) -> int:
        """See `ConnectionStore.save`."""
        connection_id = record.connection.id
        version = next_version(expected)
        known = "" if expected is None else expected
        if not self._save(
            keys=[self._key("connection", connection_id)],
            args=[known, version, self._sealer.seal(record)],
        ):
            raise StaleVersion(connection_id)
        return version

    def delete(self, connection_id: str) -> bool:
        """See `ConnectionStore.delete`."""
        return bool(self._client.delete(self._key("connection", connection_id)))

    def ids(self) -> list[str]:
        """See `ConnectionStore.ids`."""
        start = f"{self._prefix}:connection:"
        # Whoever set `decode_responses` gets text from the client, others bytes.
        keys = (
            key.decode() if isinstance(key, bytes) else key
            for key in self._client.scan_iter(match=f"{start}*", count=1000)
        )
        return sorted({key.removeprefix(start) for key in keys})  # a scan may repeat a key

    @contextmanager
    def lease(self, connection_id: str, *, ttl: float, wait: float) -> Iterator[None]:
        """See `ConnectionStore.lease`; `ttl` runs by the clock of Redis."""
        # redis-py takes a timeout of 0 for none at all, and such a lease would never end.
        lock = Lock(self._client, self._key("lease", connection_id), timeout=max(ttl, 0.001))
        token = secrets.token_hex(16)
        poll(lambda: bool(lock.acquire(blocking=False, token=token)), connection_id, wait)
        try:
            yield
        finally:
            # Past its ttl the lease may be somebody else's by now.
            with suppress(LockNotOwnedError):
                lock.release()

    def close(self) -> None:
        """Close the connections, unless the client was handed in."""
        if self._owned:
            self._client.close()

    def _key(self, kind: str, connection_id: str) -> str:
        return f"{self._prefix}:{kind}:{checked_id(connection_id)}"


def _open(url: str) -> Redis:
    try:
        return Redis.from_url(url)
    except ValueError:
        # The reason is not passed on: it may quote a part of the password.
        raise InvalidConfig(
            "The token store's URL cannot be read. It looks like redis://:password@host:6379/0, "
            "with special characters percent-encoded."
        ) from None
