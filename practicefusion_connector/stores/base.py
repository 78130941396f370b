"""What is kept of a connection, and what every store of connections must do.

A record is a connection, its tokens and whether a person must connect again. A store keeps one
record under each connection's id. Nothing here knows how tokens are refreshed, nor the network.
"""

from __future__ import annotations

import json
import random
import re
import secrets
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, SecretStr
from pydantic_core import from_json

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import InvalidConfig, InvalidInput, RefreshBusy
from practicefusion_connector.smart.tokens import TokenSet

Status = Literal["active", "reauth_required", "revoked"]

# The rule of `Connection.id`; a store also meets ids that no Connection has checked.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

# Records of other systems say which in `system`; their classes are imported when one is met.
_SYSTEMS = {"medfusion": ("practicefusion_connector.medfusion.connection", "MedfusionRecord")}

# Waiting workers must not fall into step with each other.
_jitter = random.SystemRandom()


class ConnectionRecord(BaseModel):
    """What is kept under a connection's id.

    Attributes:
        tokens: what the token endpoint last gave, or `None` before the first authorization.
        status: `reauth_required` once the grant is dead, `revoked` once it was given up on purpose.
        status_reason: one sentence, safe to show, that says who must do what.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    connection: Connection
    tokens: TokenSet | None = None
    status: Status = "active"
    status_reason: str | None = None


class Stored(NamedTuple):
    """A record as it was read, with the version to name when saving it again."""

    record: ConnectionRecord
    version: int


class StaleVersion(Exception):
    """Somebody else wrote the connection first: load it again and decide anew."""

    def __init__(self, connection_id: str) -> None:
        super().__init__(f"Connection {connection_id!r} was changed by somebody else meanwhile.")
        self.connection_id = connection_id

    def __reduce__(self) -> tuple[Any, ...]:
        return StaleVersion, (self.connection_id,)


class ConnectionStore(Protocol):
    """Where connections and their tokens are kept, shared by every worker that uses them.

    A host that brings its own store implements these six methods, and must get two of them right:

    - `save` compares and writes in one indivisible step. Losing a write here means losing a rotated
      refresh token, and with it the grant.
    - `lease` lets one holder in at a time, among all workers that share the store, and gives the
      lease up by itself when its holder dies: after `ttl` seconds at the latest.

    Loading after a save, from any worker, returns what was saved. All methods may be called from
    several threads at once. `practicefusion_connector.testing.store_conformance` proves a store.
    """

    def load(self, connection_id: str) -> Stored | None:
        """Return the record and its version, or `None` where there is none."""
        ...

    def save(self, record: ConnectionRecord, *, expected: int | None) -> int:
        """Write `record` if the stored version is still `expected`; return the new version.

        `expected` is the version `load` gave, or `None` where the connection must not exist yet. A
        version is never given out again, even when the connection is deleted and made anew.

        Raises:
            StaleVersion: somebody else wrote, created or deleted the connection first.
        """
        ...

    def delete(self, connection_id: str) -> bool:
        """Remove the record; return whether there was one."""
        ...

    def ids(self) -> list[str]:
        """Return the ids of all connections, sorted."""
        ...

    def lease(self, connection_id: str, *, ttl: float, wait: float) -> AbstractContextManager[None]:
        """Hold the exclusive right to refresh one connection while the context lasts.

        Args:
            connection_id: the connection; it need not be stored yet.
            ttl: seconds after which the lease may pass on although it was not given back.
            wait: seconds to wait for a lease that somebody else holds; 0 tries once.

        Raises:
            RefreshBusy: the lease was not had within `wait`.
        """
        ...

    def close(self) -> None:
        """Give back the files, sockets and pools the store opened itself."""
        ...


def dump(record: ConnectionRecord) -> bytes:
    """Turn a record into JSON with its real secrets: the only place that reveals them."""
    # Anything else that JSON does not know fails here, rather than be stored masked.
    return json.dumps(record.model_dump(), default=SecretStr.get_secret_value).encode()


def parse(data: bytes) -> ConnectionRecord:
    """Rebuild the record that `dump` wrote, or raise `InvalidConfig`."""
    try:
        return _kind_of(data).model_validate_json(data)
    except (ValueError, TypeError):
        # The cause holds the input, which is full of secrets; it must not travel on.
        pass
    raise InvalidConfig(
        "A stored connection cannot be read: it is damaged, or a newer version of "
        "practicefusion-connector wrote it. Upgrade this worker, or connect again."
    )


def _kind_of(data: bytes) -> type[ConnectionRecord]:
    said = from_json(data)
    system = said.get("system") if isinstance(said, dict) else None
    if system not in _SYSTEMS:
        return ConnectionRecord
    module, name = _SYSTEMS[system]
    kind: type[ConnectionRecord] = getattr(import_module(module), name)
    return kind


def checked_id(connection_id: str) -> str:
    """Return `connection_id`, or raise `InvalidInput` where no connection can have that id."""
    if not _ID.fullmatch(connection_id):
        raise InvalidInput(
            "connection_id must begin with a letter or a digit and have at most 128 characters, "
            "which are letters, digits, '.', '_' or '-'.",
            problems=[{"path": "connection_id", "message": "it is not the id of a connection"}],
        )
    return connection_id


def next_version(version: int | None) -> int:
    """Return the version that follows `version`, or the first one of a new connection.

    The first is random, so that a worker that still knows a deleted connection cannot overwrite the
    one made anew under its id.
    """
    return (secrets.randbits(48) if version is None else version) + 1


def pause() -> float:
    """Return how many seconds to wait before asking for a lease again."""
    return _jitter.uniform(0.02, 0.1)


def busy(connection_id: str, wait: float) -> RefreshBusy:
    """Return the error that says the lease of `connection_id` was not had within `wait` seconds."""
    return RefreshBusy(
        f"Another worker is refreshing connection {connection_id!r} and did not finish within "
        f"{wait:g} s; try again shortly.",
        connection_id=connection_id,
    )


def poll(attempt: Callable[[], bool], connection_id: str, wait: float) -> None:
    """Call `attempt` until it succeeds, or raise `RefreshBusy` after `wait` seconds."""
    deadline = time.monotonic() + wait
    while not attempt():
        left = deadline - time.monotonic()
        if left <= 0:
            raise busy(connection_id, wait)
        time.sleep(min(pause(), left))
