"""A sandbox practice with exports, a backend connection to it, and a place for files."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.event import listen

from practicefusion_connector.bulk import Export, JobStore, Patience, Progress, checking
from practicefusion_connector.connection import Connection
from practicefusion_connector.fhir.validation import Validate, validated, validator_for
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sandbox.search import SearchEngine
from practicefusion_connector.smart.provider import ManagedTokens
from practicefusion_connector.smart.renew import renewal
from practicefusion_connector.stores import ConnectionRecord, MemoryStore
from practicefusion_connector.transport import Policy, Transport

QUICK = Patience(first=0.01, shortest=0.01, longest=0.05)


def backend(sandbox: Sandbox, **more: Any) -> Connection:
    """Return a backend-services connection to the sandbox."""
    return Connection.of(
        id="bulk",
        fhir_base_url=sandbox.fhir_base_url,
        client_id=sandbox.backend_client_id,
        client_secret=sandbox.backend_client_secret,
        level="system",
        **more,
    )


def managed(connection: Connection, transport: Transport) -> ManagedTokens:
    """Return tokens of a connection that are got and renewed as they are needed."""
    store = MemoryStore()
    store.save(ConnectionRecord(connection=connection), expected=None)
    return ManagedTokens(connection.id, store, renewal(transport))


@pytest.fixture(scope="session")
def _practice() -> Iterator[tuple[Sandbox, bytes]]:
    with Sandbox(patients=5) as sandbox:
        yield sandbox, pickle.dumps(sandbox.resources)


@pytest.fixture
def sandbox(_practice: tuple[Sandbox, bytes]) -> Sandbox:
    """One practice for all tests, as new for each: to start one takes longer than most tests."""
    sandbox, records = _practice
    sandbox.resources.clear()
    sandbox.resources.update(pickle.loads(records))
    sandbox.behaviour.__init__()  # type: ignore[misc]
    sandbox.bulk.__init__(sandbox.bulk.practice)  # type: ignore[misc]
    sandbox.bulk.practice.engine = SearchEngine(sandbox.bulk.practice.store)
    sandbox.requests.clear()
    return sandbox


@pytest.fixture
def wire() -> Iterator[Transport]:
    with closing(Transport(Policy(backoff=0.0, deadline=30.0, read_timeout=10.0))) as transport:
        yield transport


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[JobStore]:
    engine = create_engine(f"sqlite:///{tmp_path}/jobs.db")
    # Waiting for the disk takes half of the time, and no test cuts the power.
    listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF").close())
    yield JobStore(engine)
    engine.dispose()


@pytest.fixture(autouse=True)
def _kept_schemas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep compiled schemas for the whole run; an export keeps two, to be small."""
    monkeypatch.setattr(checking, "_validator", _schema)


@cache
def _schema(kind: str) -> Validate | None:
    return validator_for(kind) if kind in validated() else None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "export"


MakeExport = Callable[..., Export]


@pytest.fixture
def export_of(sandbox: Sandbox, wire: Transport, jobs: JobStore, folder: Path) -> MakeExport:
    """Make an export of the sandbox; whatever is given replaces its arguments."""
    connection = backend(sandbox)

    def make(into: Path = folder, **options: Any) -> Export:
        options = {"patience": QUICK, "transport": wire, **options}
        tokens = options.pop("tokens", None) or managed(connection, wire)
        return Export(connection, tokens, into, options.pop("jobs", jobs), **options)

    return make


@pytest.fixture
def stages() -> list[Progress]:
    """What a progress callback was told: pass `stages.append`."""
    return []
