"""A sandbox practice as the source of a sync, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from practicefusion_connector.bulk import JobStore, Patience
from practicefusion_connector.connection import Connection
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.smart.provider import ManagedTokens
from practicefusion_connector.smart.renew import renewal
from practicefusion_connector.stores import ConnectionRecord, MemoryStore
from practicefusion_connector.sync import BulkSource
from practicefusion_connector.transport import Policy, Transport

QUICK = Patience(first=0.01, shortest=0.01, longest=0.05)


def backend(sandbox: Sandbox, connection_id: str = "clinic", **more: Any) -> Connection:
    """Return a backend-services connection to the practice."""
    return Connection.of(
        id=connection_id,
        fhir_base_url=sandbox.fhir_base_url,
        client_id=sandbox.backend_client_id,
        client_secret=sandbox.backend_client_secret,
        level="system",
        **more,
    )


@contextmanager
def source_of(
    sandbox: Sandbox,
    folder: Path,
    *,
    scopes: tuple[str, ...] | None = None,
    max_body_bytes: int = 32 * 1024 * 1024,
    **more: Any,
) -> Iterator[BulkSource]:
    """Give the practice as a source."""
    connection = backend(sandbox, scopes=scopes)
    store = MemoryStore()
    store.save(ConnectionRecord(connection=connection), expected=None)
    policy = Policy(backoff=0.0, deadline=30.0, read_timeout=10.0, max_body_bytes=max_body_bytes)
    with (
        closing(Transport(policy)) as transport,
        closing(JobStore(f"sqlite:///{folder}/jobs.db")) as jobs,
    ):
        tokens = ManagedTokens(connection.id, store, renewal(transport))
        yield BulkSource(
            connection, tokens, folder / "exports", jobs, transport, patience=QUICK, **more
        )


def served(sandbox: Sandbox, types: tuple[str, ...]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what the practice holds of the types, by type and id."""
    return {
        (kind, name): resource
        for kind in types
        for name, resource in sandbox.resources.get(kind, {}).items()
    }
