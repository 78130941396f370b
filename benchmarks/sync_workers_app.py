"""The Celery application of `benchmarks.sync_workers`, as its workers and its beat import it.

It imports no sandbox, so that what takes a killed worker's place is at work quickly. What the
processes share is in one variable of the environment.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from celery import Celery, signals
from redis import Redis

from practicefusion_connector.stores import ConnectionStore, RedisStore, Sealer
from practicefusion_connector.sync.config import ScheduleSettings, SyncSettings, read_settings
from practicefusion_connector.tasks import Host, make_app
from practicefusion_connector.transport import Policy
from practicefusion_connector.transport.pacing import Pacing

VARIABLE = "PF_SYNC_WORKERS"
RATE, BURST = 1.5, 2
TYPES = ("Condition", "Observation", "Patient")
# What a sync imports when it comes to it; before the workers fork it costs once and not for each.
NEEDED = ("duckdb", "pandas", "practicefusion_connector.bulk.export", "psycopg", "pygal", "pyarrow")
# Short, because the benchmark is; each stands in the relation to the others that it has by default.
SLICE, VISIBILITY, INTERVAL = 2.0, 8, 20.0


@dataclass(frozen=True, slots=True)
class Shared:
    """What all processes are told.

    Attributes:
        redis: the URL of broker, store and paces.
        state: the URL of the syncs' state.
        folder: where exports and tables lie, on every host.
        key: seals the store.
    """

    redis: str
    state: str
    folder: str
    key: str

    @classmethod
    def told(cls) -> Shared:
        """Read it from the environment."""
        return cls(**json.loads(os.environ[VARIABLE]))

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that is told."""
        return {**os.environ, VARIABLE: json.dumps(asdict(self))}

    def open_store(self) -> ConnectionStore:
        """Open the store of connections."""
        return RedisStore(self.redis, Sealer(self.key))

    def policy_for(self, _: str, **limits: Any) -> Policy:
        """Return the policy: a pace the practices are to notice."""
        return Policy(requests_per_second=RATE, burst=BURST, pace_loopback=True, **limits)

    def settings_for(self, connection_id: str) -> SyncSettings:
        """Return the settings of a practice's sync."""
        given = {
            "source": {"connection": connection_id, "types": TYPES},
            "target": {"to": f"duckdb:{self.folder}/{{connection}}.duckdb"},
            "sync": {"folder": Path(self.folder), "state": self.state},
        }
        return read_settings(None, {}, given).of(connection_id)


def processes(folder: str) -> Path:
    """Return the folder in which each pool process has a file, named PROCESS@NODE."""
    return Path(folder) / "processes"


def _application(shared: Shared) -> Celery:
    host = Host(
        shared.open_store,
        shared.policy_for,
        shared.settings_for,
        Pacing(Redis.from_url(shared.redis)),
        slice=SLICE,
        first_wait=0.5,
        schedule=ScheduleSettings(interval_ms=int(INTERVAL * 1000), run_on_startup=True),
    )
    # kombu looks for what nobody acknowledged every hundred seconds, unless it is told otherwise.
    often = {"unacked_restore_interval": 1, "unacked_restore_throttle": 1}
    return make_app(
        shared.redis.replace("unix://", "redis+socket://"),
        host,
        broker_transport_options={"visibility_timeout": VISIBILITY, **often},
        result_backend_transport_options={"visibility_timeout": VISIBILITY},
    )


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(name)
    shared = Shared.told()
    for needed in NEEDED:
        import_module(needed)

    def there(sender: str, **_: Any) -> None:
        # The sender is the node, as celery@NODE.
        (processes(shared.folder) / sender.replace("celery", str(os.getpid()), 1)).touch()

    signals.worker_process_init.connect(there, weak=False)
    globals()["app"] = made = _application(shared)
    return made
