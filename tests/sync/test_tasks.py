"""Actions and syncs as tasks: real Celery workers and a real Redis, workers that die included."""

from __future__ import annotations

import base64
import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.stores import ConnectionRecord, SqlStore
from practicefusion_connector.stores.sealing import Sealer
from practicefusion_connector.sync import State
from practicefusion_connector.sync.naming import state_name
from tests.sync.practice import backend, served
from tests.sync.tables import in_duckdb

PATIENCE = 90.0
QUEUES = ["practicefusion.actions", "practicefusion.sync"]
TYPES = ["Condition", "Encounter", "Observation", "Patient"]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(patients=4) as sandbox:
        sandbox.behaviour.export.file_resources = 20
        sandbox.behaviour.export.retry_after = "0"
        yield sandbox


class Practices:
    """What workers share: connections in a store, a broker, a folder."""

    def __init__(self, folder: Path, redis_url: str, sandbox: Sandbox, names: list[str]) -> None:
        self.folder = folder
        self.sandbox = sandbox
        key = Fernet.generate_key().decode()
        self.shared: dict[str, Any] = {
            "broker": redis_url.replace("unix://", "redis+socket://"),
            "folder": str(folder),
            "key": key,
            "types": TYPES,
            "to": f"duckdb:{folder}/{{connection}}.duckdb",
            "slice": 0.5,
            "visibility": 3,
        }
        store = SqlStore(f"sqlite:///{folder}/store.db", Sealer(SecretStr(key)))
        with closing(store):
            for name in names:
                store.save(ConnectionRecord(connection=backend(sandbox, name)), expected=None)
        self.environment = {**os.environ, "PF_TEST_TASKS": json.dumps(self.shared)}

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run a worker with two processes."""
        command = ["-A", "tests.sync.worker_app", "worker", "-Q", ",".join(QUEUES)]
        command += ["-c", "2", "-l", "INFO"]
        with (self.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", *command],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def sender(self) -> Any:
        """Return the application, to send tasks with."""
        os.environ["PF_TEST_TASKS"] = json.dumps(self.shared)
        sys.modules.pop("tests.sync.worker_app", None)
        from tests.sync.worker_app import app

        return app

    def until(self, reached: Callable[[], bool]) -> None:
        """Wait until the workers have brought something about."""
        deadline = time.monotonic() + PATIENCE
        while not reached():
            if time.monotonic() > deadline:
                log = (self.folder / "worker.log").read_text("utf-8", "replace")
                pytest.fail(f"the workers did not come so far: {log[-3000:]}")
            time.sleep(0.1)

    def check(self, name: str, sandbox: Sandbox) -> None:
        """Check that a practice's tables hold what the practice holds, each once."""
        rows: list[Any] = []

        def readable() -> bool:
            # The worker that finished the sync closes the file after it says so.
            with contextlib.suppress(duckdb.IOException):
                rows[:] = in_duckdb(self.folder / f"{name}.duckdb")
            return bool(rows)

        self.until(readable)
        assert dict(rows) == served(sandbox, tuple(TYPES))
        assert len(rows) == len(dict(rows))

    def state(self, name: str) -> State:
        to = self.shared["to"].replace("{connection}", name)
        known_by = state_name(name, self.sandbox.fhir_base_url, to)
        return State(f"sqlite:///{self.folder}/{name}/state.db", known_by)

    def done(self, name: str) -> bool:
        with closing(self.state(name)) as state:
            return bool(state.ledger.last()) and state.ledger.current() is None


@pytest.fixture
def practices(tmp_path: Path, redis_url: str, sandbox: Sandbox) -> Iterator[Practices]:
    made = Practices(tmp_path, redis_url, sandbox, ["north", "south"])
    app = made.sender()
    app.control.purge()
    yield made
    # Results unsubscribe when they are collected; the broker must still be there then.
    gc.collect()
    app.close()


def test_an_action_and_two_syncs_by_one_worker(practices: Practices, sandbox: Sandbox) -> None:
    app = practices.sender()
    patient = next(iter(sandbox.resources["Patient"]))
    with practices.worker():
        sent = [
            app.send_task("practicefusion.sync_start", (name,), queue="practicefusion.sync")
            for name in ("north", "south")
        ]
        action = app.send_task(
            "practicefusion.execute_action",
            ("north", "get_patient", {"id": patient}),
            queue="practicefusion.actions",
        )
        found = action.get(timeout=PATIENCE)
        assert found["resources"][0]["id"] == patient
        wrong = app.send_task(
            "practicefusion.execute_action",
            ("north", "get_patient", {"nonsense": 1}),
            queue="practicefusion.actions",
        )
        with pytest.raises(Exception, match="nonsense"):
            wrong.get(timeout=PATIENCE)
        assert [each.get(timeout=PATIENCE) for each in sent] == [1, 1]
        practices.until(lambda: practices.done("north") and practices.done("south"))
    for name in ("north", "south"):
        practices.check(name, sandbox)
    assert sandbox.bulk.kickoffs == 2
    log = (practices.folder / "worker.log").read_text()
    assert "execute_action" in log
    assert found["resources"][0]["birthDate"] not in log


@pytest.mark.soak
def test_a_sync_outlives_its_workers(practices: Practices, sandbox: Sandbox) -> None:
    app = practices.sender()

    def begun() -> bool:
        with closing(practices.state("north")) as state:
            return bool(state.memory.counts())

    with practices.worker():
        app.send_task("practicefusion.sync_start", ("north",), queue="practicefusion.sync")
        practices.until(begun)
    for _ in range(3):
        with practices.worker() as process, contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(4)
    with practices.worker():
        # A task whose delivery died with the first worker is found by starting the sync again.
        app.send_task("practicefusion.sync_start", ("north",), queue="practicefusion.sync")
        practices.until(lambda: practices.done("north"))
    practices.check("north", sandbox)


def test_a_payload_holds_no_token(practices: Practices, redis_url: str) -> None:
    from redis import Redis

    app = practices.sender()
    app.send_task("practicefusion.sync_start", ("north",), queue="practicefusion.sync")
    with closing(Redis.from_url(redis_url)) as redis:
        queued = redis.lrange("practicefusion.sync", 0, -1)
    (message,) = queued
    arguments, _, _ = json.loads(base64.b64decode(json.loads(message)["body"]))
    assert arguments == ["north"]
    assert "secret" not in str(message)
