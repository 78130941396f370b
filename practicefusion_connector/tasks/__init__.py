"""Celery's face of the connector (extra `celery`): actions and syncs as tasks, on many machines.

    celery -A practicefusion_connector.tasks worker -Q practicefusion.actions,practicefusion.sync
    celery -A practicefusion_connector.tasks beat

A payload names a connection and never carries a token; the worker reads the connection from the
store. Inputs may hold PHI, so they travel as JSON over a broker that should be reached by TLS, and
results are forgotten soon.

Queues, delivery, retries and the schedule are Celery's; the pace of a practice and its refreshes
are shared through Redis (`transport.pacing`, `stores.redis`).
"""

from __future__ import annotations

from typing import Any

from celery import Celery

from practicefusion_connector.sync.config import VARIABLES, SyncSettings, read_settings
from practicefusion_connector.tasks import actions, schedule, syncing
from practicefusion_connector.tasks.host import Host
from practicefusion_connector.transport.pacing import Pacing

__all__ = ["ACTIONS", "SYNC", "Host", "make_app"]

ACTIONS, SYNC = "practicefusion.actions", "practicefusion.sync"

# Seconds after which Redis delivers a task again that nobody has acknowledged; well over the turn
# of a sync's task, and over twice the longest countdown (`delivery.bounded`).
_VISIBILITY = 900


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
    if broker.startswith("rediss:"):
        # Celery wants it said; the broker and redis take it for granted. The URL outranks it.
        own["redis_backend_use_ssl"] = {"ssl_cert_reqs": "required"}
    app.conf.update({**own, **schedule.kept_by_beat(app, host.schedule), **conf})
    actions.add(app, host)
    syncing.add(app, host)
    return app


def __getattr__(name: str) -> Any:
    # `celery -A practicefusion_connector.tasks` looks for `app`; only it reads the environment.
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from practicefusion_connector import settings

    broker = settings.broker()

    def read(**given: Any) -> SyncSettings:
        variables = settings.variables(VARIABLES)
        return read_settings(settings.sync_file(), variables, {"source": given})

    host = Host(
        settings.store,
        settings.policy,
        lambda connection_id: read(connection=connection_id).of(connection_id),
        _pacing(broker),
        schedule=read().schedule,
    )
    globals()["app"] = made = make_app(broker, host)
    return made


def _pacing(broker: str) -> Pacing | None:
    if not broker.startswith(("redis", "rediss", "unix")):
        return None
    from redis import Redis

    return Pacing(Redis.from_url(broker.replace("redis+socket", "unix", 1)))
