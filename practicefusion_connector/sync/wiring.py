"""From settings to the parts of a sync; what needs closing goes on a stack."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

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
from practicefusion_connector.sync.config import (
    SourceSettings,
    SyncSettings,
    TargetSettings,
    WrongSettings,
)
from practicefusion_connector.sync.naming import check_named, digest_of, state_name
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


class Wiring:
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

    @cached_property
    def name(self) -> str:
        """What the sync is known by: it tells its state from others in the same database."""
        given = self._settings.source
        if self._settings.sync.name:
            return self._settings.sync.name
        if given.folder is not None:
            return state_name(FolderSource(given.folder).name, None, self._settings.target.to)
        practice, _ = self._practice
        return state_name(practice.id, practice.fhir_base_url, self._settings.target.to)

    @property
    def state_url(self) -> str:
        """Where the state lies."""
        return self._settings.sync.state or self._url("state.db")

    def state(self) -> State:
        """Return the state."""
        return State(self.state_url, self.name)

    def source(self, patience: Patience | None = None) -> Source:
        """Return the source."""
        given = self._settings.source
        if given.folder is not None:
            return FolderSource(given.folder)
        connection, store = self._practice
        transport = self._transport(connection.fhir_base_url)
        from practicefusion_connector.bulk import JobStore

        folder = self._settings.sync.folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return BulkSource(
            connection,
            ManagedTokens(connection.id, store, renewal(transport)),
            self._own("exports"),
            self._stack.enter_context(closing(JobStore(self._jobs()))),
            transport,
            mode=given.mode,
            type_filter=given.type_filter,
            validation=given.validation,
            keep_files=given.keep_files,
            patience=patience,
        )

    def target(self, source: Source) -> Target:
        """Return the target that `to` names."""
        given = self._settings.target
        kind, _, rest = given.to.partition(":")
        if kind in _TARGETS:
            return _TARGETS[kind](self, given, rest, source)
        place = self._own("warehouse")
        return WarehouseTarget(destination_of(given.to), given.dataset, place, views=given.views)

    def _own(self, what: str) -> Path:
        """Return a folder of this sync alone; those of other targets may share the common one."""
        place = self._settings.sync.folder / what / digest_of(self.name)
        # Records lie in it, and dlt writes files that anybody may read.
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        return place

    def _duckdb(self, given: TargetSettings, file: str, source: Source) -> Target:
        return DuckDBTarget(Path(file), views=given.views)

    def _parquet(self, given: TargetSettings, folder: str, source: Source) -> Target:
        return ParquetTarget(Path(folder), views=given.views)

    def _ndjson(self, given: TargetSettings, folder: str, source: Source) -> Target:
        return FolderTarget(Path(folder))

    def _fhir(self, given: TargetSettings, place: str, source: Source) -> Target:
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

    @cached_property
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


# Makes the target of a URL with this scheme; any other is a warehouse's.
_TARGETS: dict[str, Callable[[Wiring, TargetSettings, str, Source], Target]] = {
    "duckdb": Wiring._duckdb,
    "parquet": Wiring._parquet,
    "ndjson": Wiring._ndjson,
    "http": Wiring._fhir,
    "https": Wiring._fhir,
}


def check_target(to: str) -> None:
    """Check that there is a target, and that it is one of those known.

    Raises:
        WrongSettings: it is not.
    """
    check_named(to)
    kind = to.partition(":")[0]
    if kind in ("http", "https") and not _has_host(to):
        raise WrongSettings("The target is no FHIR base URL; one looks like https://host/fhir/R4.")
    if kind in _TARGETS:
        return
    try:
        destination_of(to)
    except InvalidConfig as error:
        reason = error.message
    else:
        return
    raise WrongSettings(reason)


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def _scopes(given: SourceSettings) -> tuple[str, ...] | None:
    """Return the scopes for the types that are named; for none, those of the actions are asked."""
    if not given.types:
        return None
    # Whose records there are is needed whatever the types: a crawl lists patients, or members.
    read = ("Patient", *given.types, *(("Group",) if given.groups else ()))
    return tuple(f"system/{kind}.rs" for kind in dict.fromkeys(read))


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        pass
    raise InvalidConfig(f"The private key file {file.name} cannot be read.")
