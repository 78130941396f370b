"""Celery's face of the connector (extra `celery`): actions and syncs as tasks, on many machines.

    celery -A practicefusion_connector.tasks worker -Q practicefusion.actions,practicefusion.sync

A payload names a connection and never carries a token; the worker reads the connection from the
store. Inputs may hold PHI, so they travel as JSON over a broker that should be reached by TLS, and
results are forgotten soon. A sync is a chain of short tasks over the same code as `Sync.run`: fetch
for a while, apply a file, complete; between two of them other practices have their turn. What a
worker was doing when it died is delivered to another, which goes on from the state.

Queues, delivery and retries are Celery's; the pace of a practice and its refreshes are shared
through Redis (`transport.pacing`, `stores.redis`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any

from celery import Celery, Task

from practicefusion_connector.connector import PracticeFusion
from practicefusion_connector.errors import Cancelled, ConnectorError
from practicefusion_connector.stores import ConnectionStore
from practicefusion_connector.sync.building import PolicyFor, built
from practicefusion_connector.sync.config import SyncSettings
from practicefusion_connector.sync.engine import Sync
from practicefusion_connector.sync.reporting import keep
from practicefusion_connector.sync.runs import Run
from practicefusion_connector.sync.state import SyncBusy
from practicefusion_connector.sync.turns import Pause, TurnOver, turn
from practicefusion_connector.transport import Transport
from practicefusion_connector.transport.pacing import Pacing

ACTIONS, SYNC = "practicefusion.actions", "practicefusion.sync"

# Well under Redis's visibility timeout, after which a task is delivered a second time.
_SLICE = 60.0
_VISIBILITY = 900
_BUSY_WAIT = 5.0
_LONGEST_POLL = 60.0
_RETRIES = 12


@dataclass(frozen=True, slots=True)
class Host:
    """What a worker is given.

    Attributes:
        open_store: opens the store of connections; each task closes it again.
        policy_for: the policy for the server at a URL, with limits as keywords.
        settings_for: the settings of a connection's sync; its folder, and its state's database,
            must be shared by all workers.
        pacing: the practices' paces, shared through Redis.
        slice: seconds one task of a sync works at most before it lets others have a turn.
        first_wait: seconds before the second look at an export's status; each wait is longer.
    """

    open_store: Callable[[], ConnectionStore]
    policy_for: PolicyFor
    settings_for: Callable[[str], SyncSettings]
    pacing: Pacing | None = None
    slice: float = _SLICE
    first_wait: float = 2.0


def make_app(broker: str, host: Host, **conf: Any) -> Celery:
    """Return a Celery application with the connector's tasks.

    Args:
        broker: the URL of the broker, which keeps the results as well.
        host: what the tasks need.
        conf: Celery settings that outrank those given here.
    """
    app = Celery("practicefusion", broker=broker, backend=broker)
    own: dict[str, Any] = {
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_serializer": "json",
        "result_expires": 600,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "task_routes": {"practicefusion.execute_action": ACTIONS, "practicefusion.sync_*": SYNC},
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": {"visibility_timeout": _VISIBILITY},
        "result_backend_transport_options": {"visibility_timeout": _VISIBILITY},
    }
    app.conf.update({**own, **conf})
    _add_action(app, host)
    _add_sync(app, host)
    return app


def _add_action(app: Celery, host: Host) -> None:
    @_task(app, "execute_action", max_retries=_RETRIES)
    def execute_action(
        task: Task,
        connection_id: str,
        key: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002
    ) -> dict[str, Any]:
        """Run an action of a stored connection and return its result; see `Result.to_dict`."""
        with _retried(task), ExitStack() as stack:
            store = stack.enter_context(closing(host.open_store()))
            stored = store.load(connection_id)
            base = stored.record.connection.fhir_base_url if stored else ""
            transport = Transport(host.policy_for(base), pacing=host.pacing)
            stack.enter_context(closing(transport))
            pf = stack.enter_context(
                PracticeFusion.from_store(store, connection_id, transport=transport)
            )
            return pf.run(key, input).to_dict()


def _add_sync(app: Celery, host: Host) -> None:
    @_task(app, "sync_start")
    def sync_start(task: Task, connection_id: str) -> int:
        """Begin a connection's sync, or take over the one that was cut off; return its run."""
        chain = secrets.token_hex(8)
        with _retried(task), _locked(host, connection_id, None) as sync:
            run, _ = sync.begin()
            run.document.chain = chain
            number = sync.state.ledger.write(run).id
        sync_fetch.delay(connection_id, number, chain)
        return number

    @_task(app, "sync_fetch", ignore_result=True)
    def sync_fetch(
        task: Task, connection_id: str, number: int, chain: str, wait: float = host.first_wait
    ) -> None:
        """Kick off, look once, or download for a while; then again, until all is there."""
        pause = Pause(host.slice)
        with _retried(task), _locked(host, connection_id, pause) as sync:
            run = _mine(sync, number, chain)
            if run is None:
                return
            try:
                while run.phase == "exporting":
                    run = sync.fetch(run, Event())
                files = [file.number for file in sync.files(run)]
            except TurnOver as over:
                next_wait = min(wait * 1.5, _LONGEST_POLL) if over.polling else host.first_wait
                sync_fetch.apply_async(
                    (connection_id, number, chain, next_wait),
                    countdown=wait if over.polling else 0,
                )
                return
        sync_file.delay(connection_id, number, chain, files)

    @_task(app, "sync_file", ignore_result=True)
    def sync_file(
        task: Task, connection_id: str, number: int, chain: str, files: list[int]
    ) -> None:
        """Apply the next file, for a while; then the rest."""
        with _retried(task), _locked(host, connection_id, None) as sync:
            run = _mine(sync, number, chain)
            if run is None:
                return
            if files:
                wanted = next(file for file in sync.files(run) if file.number == files[0])
                with turn(host.slice) as over:
                    try:
                        sync.apply(run, wanted, over)
                    except Cancelled:
                        pass
                    else:
                        files = files[1:]
                sync.state.ledger.write(run)
            else:
                keep(sync.complete(run), host.settings_for(connection_id).sync.folder)
                return
        sync_file.delay(connection_id, number, chain, files)


def _task(app: Celery, name: str, **options: Any) -> Callable[[Any], Any]:
    """Return a decorator that makes a function a task; it is given the task itself first."""
    # Not shared: a process may have two applications, each with a host of its own.
    declared = {"max_retries": None, "shared": False, **options}
    made: Callable[[Any], Any] = app.task(bind=True, name=f"practicefusion.{name}", **declared)
    return made


@contextmanager
def _locked(host: Host, connection_id: str, progress: Pause | None) -> Iterator[Sync]:
    """Open a connection's sync, and keep every other worker out of it."""
    settings = host.settings_for(connection_id)
    with (
        built(
            settings,
            settings.plan(),
            policy_for=host.policy_for,
            open_store=host.open_store,
            progress=progress,
            pacing=host.pacing,
        ) as sync,
        sync.state.lock(),
        sync.opened(),
    ):
        yield sync


def _mine(sync: Sync, number: int, chain: str) -> Run | None:
    """Return the run, if it is still this chain's to work on.

    A sync that was started again belongs to the newer chain; tasks of the older one end.
    """
    run = sync.state.ledger.run(number)
    if run is None or run.document.chain != chain or run.phase in ("done", "failed"):
        return None
    return run


@contextmanager
def _retried(task: Task) -> Iterator[None]:
    """Let Celery deliver a task again where that helps, when the error says."""
    problem: ConnectorError
    try:
        yield
        return
    except SyncBusy as error:
        problem, wait = error, _BUSY_WAIT
    except ConnectorError as error:
        if not error.retryable:
            raise
        own = min(2.0**task.request.retries, 300.0)
        problem, wait = error, max(error.retry_after or 0.0, own)
    raise task.retry(exc=problem, countdown=wait)


def __getattr__(name: str) -> Any:
    # `celery -A practicefusion_connector.tasks` looks for `app`; only it reads the environment.
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from practicefusion_connector import settings
    from practicefusion_connector.sync.config import VARIABLES, read_settings

    broker = settings.broker()

    def settings_for(connection_id: str) -> SyncSettings:
        read = read_settings(
            settings.sync_file(),
            settings.variables(VARIABLES),
            {"source": {"connection": connection_id}},
        )
        return read.of(connection_id)

    host = Host(settings.store, settings.policy, settings_for, _pacing(broker))
    globals()["app"] = made = make_app(broker, host)
    return made


def _pacing(broker: str) -> Pacing | None:
    if not broker.startswith(("redis", "rediss", "unix")):
        return None
    from redis import Redis

    return Pacing(Redis.from_url(broker.replace("redis+socket", "unix", 1)))
