"""Every practice synced on a schedule, across machines; what is delivered again, and when."""

from __future__ import annotations

import base64
import gc
import json
import logging
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery, signals
from celery.beat import Service
from kombu import Connection as Broker
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError
from tzlocal import get_localzone_name

from practicefusion_connector import errors
from practicefusion_connector.bulk import JobStore
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.stores import ConnectionRecord, ConnectionStore, MemoryStore
from practicefusion_connector.stores.base import Stored
from practicefusion_connector.sync import SyncBusy
from practicefusion_connector.sync.building import built
from practicefusion_connector.sync.config import ScheduleSettings, SyncSettings, read_settings
from practicefusion_connector.sync.turns import Pause, fetch_next
from practicefusion_connector.tasks import SYNC, Host, make_app
from practicefusion_connector.tasks.delivery import bounded, wait_after
from practicefusion_connector.transport import Policy
from tests.sync.practice import backend

ALL = "practicefusion.sync_all"
HOURLY = ScheduleSettings(interval_ms=3_600_000)


class OneBroken(MemoryStore):
    """A store with a connection that cannot be opened."""

    def load(self, connection_id: str) -> Stored | None:
        if connection_id == "broken":
            raise errors.InvalidConfig("Connection 'broken' cannot be opened.")
        return super().load(connection_id)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(patients=2) as sandbox:
        yield sandbox


@pytest.fixture
def store(sandbox: Sandbox) -> ConnectionStore:
    store = OneBroken()
    for name in ("broken", "north", "south"):
        store.save(ConnectionRecord(connection=backend(sandbox, name)), expected=None)
    person = backend(sandbox, "person").model_copy(update={"level": "user"})
    store.save(ConnectionRecord(connection=person), expected=None)
    return store


class Made:
    """An application over a Redis of its own, and what it has sent."""

    def __init__(self, redis_url: str, store: ConnectionStore, folder: Path) -> None:
        self.redis = Redis.from_url(redis_url)
        self.redis.flushall()
        self.broker = redis_url.replace("unix://", "redis+socket://")
        self.folder = folder
        self.store = store
        self.apps: list[Celery] = []

    def app(self, schedule: ScheduleSettings | None = None, **conf: Any) -> Celery:
        host = Host(
            lambda: self.store,
            lambda _, **limits: Policy(**limits),
            self.settings_for,
            schedule=schedule,
        )
        self.apps.append(make_app(self.broker, host, **conf))
        return self.apps[-1]

    def settings_for(self, connection_id: str) -> SyncSettings:
        given = {"target": {"to": f"duckdb:{self.folder}/{{connection}}.duckdb"}}
        return read_settings(None, {}, {**given, "sync": {"folder": self.folder}}).of(connection_id)

    def sent(self) -> list[tuple[str, list[Any], str | None]]:
        """Return the tasks in the queue: name, arguments, and when it expires."""
        found = []
        for raw in reversed(self.redis.lrange(SYNC, 0, -1)):
            message = json.loads(raw)
            arguments, _, _ = json.loads(base64.b64decode(message["body"]))
            headers = message["headers"]
            found.append((headers["task"], arguments, headers["expires"]))
        return found

    def close(self) -> None:
        # Results unsubscribe when they are collected; the broker must still be there then.
        gc.collect()
        for app in self.apps:
            app.close()
        self.redis.close()


@pytest.fixture
def made(redis_url: str, store: ConnectionStore, tmp_path: Path) -> Iterator[Made]:
    with closing(Made(redis_url, store, tmp_path)) as made:
        yield made


def test_every_practice_is_started_and_nobody_else(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        made.app(HOURLY).tasks[ALL].run()
    sent = made.sent()
    start = "practicefusion.sync_start"
    assert [each[:2] for each in sent] == [(start, ["north"]), (start, ["south"])]
    for _, _, expires in sent:
        ends = datetime.fromisoformat(str(expires)) - datetime.now(UTC)
        assert timedelta(minutes=59) < ends <= timedelta(hours=1)
    said = "Connection broken is not synced: Connection 'broken' cannot be opened."
    assert [record.message for record in caplog.records] == [said]


def test_starts_by_hand_do_not_expire(made: Made) -> None:
    made.app().tasks[ALL].run()
    assert [expires for *_, expires in made.sent()] == [None, None]


def test_a_start_sends_one_step_and_another_start_leaves_it_alone(made: Made) -> None:
    start = made.app().tasks["practicefusion.sync_start"]
    assert (start.run("north"), start.run("north")) == (1, 1)
    ((name, (connection, asked), _),) = made.sent()
    assert (name, connection) == ("practicefusion.sync_fetch", "north")
    assert (asked[0], asked[2]) == (1, 1)


def test_beat_keeps_the_interval_or_the_cron_of_the_machines_time_zone(made: Made) -> None:
    entry = made.app(HOURLY).conf.beat_schedule[ALL]
    assert (entry["task"], entry["schedule"].run_every) == (ALL, timedelta(hours=1))
    nightly = ScheduleSettings(cron="30  3 * * sun")
    assert made.app(nightly).conf.timezone == get_localzone_name()
    app = made.app(nightly, timezone="America/Denver")
    cron = app.conf.beat_schedule[ALL]["schedule"]
    cron.app = app
    assert (cron.minute, cron.hour, cron.day_of_week) == ({30}, {3}, {0})
    # Saturday evening there, Sunday morning by UTC: half past three there is still to come.
    cron.nowfun = lambda: datetime(2026, 6, 28, 5, 0, tzinfo=UTC)
    assert cron.remaining_estimate(cron.now()) == timedelta(hours=4, minutes=30)


def test_beat_has_nothing_to_do_where_there_is_no_schedule(made: Made) -> None:
    assert made.app().conf.beat_schedule == {}
    assert made.app(ScheduleSettings(enabled=False)).conf.beat_schedule == {}


def test_a_beat_that_begins_starts_the_syncs_where_the_settings_say_so(made: Made) -> None:
    quiet = made.app(HOURLY)
    eager = made.app(ScheduleSettings(run_on_startup=True))
    for app in (quiet, eager):
        signals.beat_init.send(sender=Service(app))
    assert [name for name, *_ in made.sent()] == [ALL]


def test_a_broker_over_tls_is_checked_unless_its_url_says_otherwise(made: Made) -> None:
    def checked(url: str) -> Any:
        app = make_app(url, Host(lambda: made.store, lambda _: Policy(), made.settings_for))
        made.apps.append(app)
        return app.backend.connparams["ssl_cert_reqs"]

    assert checked("rediss://localhost:1/0") == ssl.CERT_REQUIRED
    assert checked("rediss://localhost:1/0?ssl_ca_certs=ca.pem") == ssl.CERT_REQUIRED
    assert checked("rediss://localhost:1/0?ssl_cert_reqs=none") == ssl.CERT_NONE


def test_jobs_are_kept_where_machines_share_the_state(
    made: Made, sandbox: Sandbox, postgresql_url: str
) -> None:
    sandbox.behaviour.export.polls = 2

    def fetch(machine: str) -> str:
        settings = made.settings_for("north")
        sync = settings.sync.model_copy(update={"state": postgresql_url})
        with (
            built(
                settings.model_copy(update={"sync": sync}),
                settings.plan(),
                policy_for=lambda _, **limits: Policy(**limits),
                open_store=lambda: made.store,
                progress=Pause(60.0),
            ) as north,
            north.state.lock(),
            north.opened(),
        ):
            return fetch_next(north, north.begin()[0], 1.0).run.phase

    assert [fetch("one"), fetch("other")] == ["exporting", "exporting"]
    with closing(JobStore(postgresql_url)) as jobs:
        assert "polling" in jobs.states().values()
    assert fetch("one") == "applying"
    assert sandbox.bulk.kickoffs == 1
    assert not (made.folder / "north" / "jobs.db").exists()


def failed(retries: int = 0) -> Any:
    return SimpleNamespace(request=SimpleNamespace(retries=retries))


def test_a_task_is_tried_again_when_the_error_says_and_later_each_time() -> None:
    limited = errors.RateLimited("Too many.", retry_after=90.0)
    assert [wait_after(failed(n), limited) for n in (0, 7)] == [90.0, 128.0]
    passing = (SyncBusy("Busy."), OperationalError("", {}, Exception()), RedisError())
    for error in passing:
        assert [wait_after(failed(n), error) for n in (0, 3, 5000)] == [1.0, 8.0, 300.0]
    assert wait_after(failed(), errors.Forbidden("No.")) is None


def test_no_countdown_comes_near_the_moment_of_a_second_delivery(made: Made) -> None:
    assert [bounded(made.app(), wait) for wait in (5.0, 90_000.0)] == [5.0, 450.0]


def test_what_comes_back_to_the_queue_says_that_it_was_delivered_before(made: Made) -> None:
    with Broker(made.broker) as broker, broker.SimpleQueue("again") as queue:
        queue.put({})
        first = queue.get(timeout=5)
        assert not first.delivery_info.get("redelivered")
        first.requeue()
        second = queue.get(timeout=5)
        assert second.delivery_info["redelivered"] is True
        second.ack()
