"""Puts a sync together from its settings: source, target, state, and closes them after use.

What depends on the environment (the store of connections, the way to a server) is handed in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import InvalidConfig, InvalidInput
from practicefusion_connector.smart.provider import (
    HostTokens,
    ManagedTokens,
    NoTokens,
    TokenProvider,
)
from practicefusion_connector.smart.renew import renewal
from practicefusion_connector.stores import ConnectionRecord, ConnectionStore, MemoryStore
from practicefusion_connector.sync.config import SourceSettings, SyncSettings, TargetSettings
from practicefusion_connector.sync.engine import Sync, SyncProgress
from practicefusion_connector.sync.naming import check_named, check_target
from practicefusion_connector.sync.past import NeverRun, ever_run, is_there
from practicefusion_connector.sync.planning import SyncPlan
from practicefusion_connector.sync.sources.base import Source
from practicefusion_connector.sync.sources.bulk import BulkSource
from practicefusion_connector.sync.sources.folder import FolderSource
from practicefusion_connector.sync.state.state import State
from practicefusion_connector.sync.targets.base import Target
from practicefusion_connector.sync.targets.duckdb import DuckDBTarget
from practicefusion_connector.sync.targets.fhir import FhirTarget
from practicefusion_connector.sync.targets.fhir_server import FhirServer
from practicefusion_connector.sync.targets.folder import FolderTarget
from practicefusion_connector.sync.targets.pace import Bounds, Pace
from practicefusion_connector.sync.targets.parquet import ParquetTarget
from practicefusion_connector.sync.targets.warehouse import WarehouseTarget, destination_of
from practicefusion_connector.transport import Policy, Transport
from practicefusion_connector.transport.pacing import Pacing

if TYPE_CHECKING:
    from practicefusion_connector.bulk import Patience

PolicyFor = Callable[..., Policy]
StoreOpener = Callable[[], ConnectionStore]

# A batch may take a server minutes, and comes back as large as it went.
_TARGET_LIMITS = {"read_timeout": 120.0, "deadline": 900.0, "max_body_bytes": 64 * 1024 * 1024}


@contextmanager
def built(
    settings: SyncSettings,
    plan: SyncPlan,
    *,
    policy_for: PolicyFor,
    open_store: StoreOpener,
    progress: Callable[[SyncProgress], None] | None = None,
    pacing: Pacing | None = None,
    patience: Patience | None = None,
) -> Iterator[Sync]:
    """Give the sync that the settings describe.

    Args:
        settings: source, target, folder.
        plan: what to sync.
        policy_for: the policy for the server at a URL, with limits as keywords.
        open_store: opens the store of connections, where one is named.
        progress: told what happens.
        pacing: the practices' paces; those of the process where left out.
        patience: how to wait for an export, see `bulk.Patience`.

    Raises:
        InvalidConfig: the settings do not fit together, or a library is missing.
        InvalidInput: there is no connection of the name given.
    """
    with ExitStack() as stack:
        check_target(settings.target.to)
        wiring = _Wiring(settings, policy_for, open_store, stack, pacing)
        source = wiring.source(patience)
        state = stack.enter_context(closing(wiring.state(source)))
        yield Sync(source, wiring.target(source), state, plan, progress=progress)


@contextmanager
def state_of(
    settings: SyncSettings, *, policy_for: PolicyFor, open_store: StoreOpener
) -> Iterator[State]:
    """Give the state of a sync, without opening its target."""
    with ExitStack() as stack:
        check_named(settings.target.to)
        wiring = _Wiring(settings, policy_for, open_store, stack)
        yield stack.enter_context(closing(wiring.state(wiring.source())))


@contextmanager
def known_state(
    settings: SyncSettings, *, policy_for: PolicyFor, open_store: StoreOpener
) -> Iterator[State]:
    """Give the state of a sync that was begun before; where there is none, none is made.

    Raises:
        NeverRun: no run of this source into this target was begun.
        WrongSettings: there is no target.
    """
    with ExitStack() as stack:
        check_named(settings.target.to)
        wiring = _Wiring(settings, policy_for, open_store, stack)
        source = wiring.source() if is_there(wiring.state_url) else None
        if source is None or not ever_run(wiring.state_url, wiring.name_of(source)):
            raise NeverRun("Nothing was synced from this source into this target yet.")
        yield stack.enter_context(closing(wiring.state(source)))


class _Wiring:
    """Makes the parts; what needs closing goes on the stack."""

    def __init__(
        self,
        settings: SyncSettings,
        policy_for: PolicyFor,
        open_store: StoreOpener,
        stack: ExitStack,
        pacing: Pacing | None = None,
    ) -> None:
        self._settings = settings
        self._policy_for = policy_for
        self._open_store = open_store
        self._stack = stack
        self._pacing = pacing
        self._store: ConnectionStore | None = None

    def source(self, patience: Patience | None = None) -> Source:
        """Return the source."""
        given = self._settings.source
        if given.folder is not None:
            return FolderSource(given.folder)
        connection, store = self._practice()
        transport = self._transport(connection.fhir_base_url)
        from practicefusion_connector.bulk import JobStore

        folder = self._settings.sync.folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return BulkSource(
            connection,
            ManagedTokens(connection.id, store, renewal(transport)),
            self._own("exports", connection.id, connection.fhir_base_url),
            self._stack.enter_context(closing(JobStore(self._jobs()))),
            transport,
            mode=given.mode,
            type_filter=given.type_filter,
            validation=given.validation,
            keep_files=given.keep_files,
            patience=patience,
        )

    def state(self, source: Source) -> State:
        """Return the state; its name tells this sync from others that share the database."""
        return State(self.state_url, self.name_of(source))

    @property
    def state_url(self) -> str:
        """Where the state lies."""
        return self._settings.sync.state or self._url("state.db")

    def name_of(self, source: Source) -> str:
        """Return what the sync of a source is known by."""
        return self._name(source.name, source.base_url)

    def _name(self, source: str, base_url: str | None) -> str:
        return self._settings.sync.name or state_name(source, base_url, self._settings.target.to)

    def _own(self, what: str, source: str, base_url: str | None) -> Path:
        """Return a folder of this sync alone; those of other targets may share the common one."""
        return self._settings.sync.folder / what / _digest(self._name(source, base_url))

    def target(self, source: Source) -> Target:
        """Return the target that `to` names."""
        given = self._settings.target
        kind, _, rest = given.to.partition(":")
        local = {"duckdb": DuckDBTarget, "parquet": ParquetTarget}
        if kind in local:
            return local[kind](Path(rest), views=given.views)
        if kind == "ndjson":
            return FolderTarget(Path(rest))
        if kind in ("http", "https"):
            return self._fhir(given, source)
        place = self._own("warehouse", source.name, source.base_url)
        return WarehouseTarget(destination_of(given.to), given.dataset, place, views=given.views)

    def _fhir(self, given: TargetSettings, source: Source) -> FhirTarget:
        transport = self._transport(given.to, **_TARGET_LIMITS)
        pace = Pace(Bounds(workers=given.workers))
        server = FhirServer(transport, given.to, self._target_tokens(given, transport), pace)
        return FhirTarget(
            server,
            source=source.base_url,
            system=given.identifier_system,
            size=lambda: pace.size,
            workers=lambda: pace.workers,
        )

    def _target_tokens(self, given: TargetSettings, transport: Transport) -> TokenProvider:
        if given.token is not None:
            return HostTokens(given.token.get_secret_value)
        if given.connection is not None:
            stored = self._stored(given.connection)
            return ManagedTokens(stored.id, self._opened(), renewal(transport))
        if given.client_id is None:
            return NoTokens()
        connection = Connection.of(
            id="target",
            fhir_base_url=given.to,
            client_id=given.client_id,
            client_secret=given.client_secret,
            level="system",
            scopes=("system/*.*",),
        )
        return ManagedTokens(connection.id, self._kept(connection), renewal(transport))

    def _practice(self) -> tuple[Connection, ConnectionStore]:
        given = self._settings.source
        if given.fhir_base_url is None:
            return self._stored(given.connection or "default"), self._opened()
        key: Any = given.private_key
        if key is None and given.private_key_file is not None:
            key = _read(given.private_key_file)
        connection = Connection.of(
            id=given.connection or "practice",
            fhir_base_url=given.fhir_base_url,
            client_id=given.client_id,
            client_secret=None if key else given.client_secret,
            private_key=key,
            key_id=given.key_id,
            level="system",
            scopes=_scopes(given),
        )
        return connection, self._kept(connection)

    def _stored(self, connection_id: str) -> Connection:
        stored = self._opened().load(connection_id)
        if stored is None:
            raise InvalidInput(
                f'There is no connection "{connection_id}"; practicefusion connect makes one.',
                problems=[{"path": "connection", "message": "there is none of this name"}],
            )
        return stored.record.connection

    def _opened(self) -> ConnectionStore:
        if self._store is None:
            self._store = self._stack.enter_context(closing(self._open_store()))
        return self._store

    def _kept(self, connection: Connection) -> ConnectionStore:
        """Keep a connection whose secret the settings hold in memory only."""
        store = self._stack.enter_context(closing(MemoryStore()))
        store.save(ConnectionRecord(connection=connection), expected=None)
        return store

    def _transport(self, url: str, **limits: Any) -> Transport:
        return self._stack.enter_context(
            closing(Transport(self._policy_for(url, **limits), pacing=self._pacing))
        )

    def _jobs(self) -> str:
        """Return the URL of the jobs: a state that machines share is where they belong, too."""
        state = self._settings.sync.state or ""
        return state if state.startswith("postgresql") else self._url("jobs.db")

    def _url(self, name: str) -> str:
        return f"sqlite:///{self._settings.sync.folder.absolute() / name}"


def _scopes(given: SourceSettings) -> tuple[str, ...] | None:
    """Return the scopes for the types that are named; for none, those of the actions are asked."""
    if not given.types:
        return None
    # Whose records there are is needed whatever the types: a crawl lists patients, or members.
    read = ("Patient", *given.types, *(("Group",) if given.groups else ()))
    return tuple(f"system/{kind}.rs" for kind in dict.fromkeys(read))


def state_name(source: str, base_url: str | None, to: str) -> str:
    """Return what a state is known by: another practice or another target is another sync."""
    practice = f"{source}-{_digest(base_url)}" if base_url else source
    return f"{practice} into {to.partition(':')[0]}-{_digest(to)}"


def _digest(place: str) -> str:
    """Return a name for a place, the same whoever signs in there and with whatever password."""
    scheme, url, rest = place.partition("://")
    host, slash, path = rest.partition("/")
    place = scheme + url + host.rpartition("@")[2] + slash + path
    return hashlib.sha256(place.rstrip("/").encode()).hexdigest()[:12]


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        pass
    raise InvalidConfig(f"The private key file {file.name} cannot be read.")
