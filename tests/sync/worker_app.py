"""A Celery application over the sandbox's practices, as a worker's process imports it.

What the processes share is in `PF_TEST_TASKS`: a JSON object with the broker, a folder and the
FHIR servers.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import SecretStr

from practicefusion_connector.stores import ConnectionStore, SqlStore
from practicefusion_connector.stores.sealing import Sealer
from practicefusion_connector.sync.config import SyncSettings, read_settings
from practicefusion_connector.tasks import Host, make_app
from practicefusion_connector.transport import Policy

SHARED = json.loads(os.environ["PF_TEST_TASKS"])


def open_store() -> ConnectionStore:
    return SqlStore(f"sqlite:///{SHARED['folder']}/store.db", Sealer(SecretStr(SHARED["key"])))


def settings_for(connection_id: str) -> SyncSettings:
    given = {
        "source": {"connection": connection_id, "types": SHARED["types"]},
        "target": {"to": SHARED["to"]},
        "sync": {"folder": Path(SHARED["folder"])},
    }
    return read_settings(None, {}, given).of(connection_id)


def policy_for(url: str, **limits: object) -> Policy:
    return Policy(backoff=0.01, **limits)  # type: ignore[arg-type]


app = make_app(
    SHARED["broker"],
    Host(open_store, policy_for, settings_for, slice=SHARED["slice"], first_wait=0.1),
    broker_transport_options={"visibility_timeout": SHARED["visibility"]},
    result_backend_transport_options={"visibility_timeout": SHARED["visibility"]},
)
