"""What only SQL and Redis can get wrong: pools, engines and clients that somebody else owns."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import create_engine, make_url
from sqlalchemy.engine import Engine

from practicefusion_connector.errors import InvalidConfig, RefreshBusy
from practicefusion_connector.stores import ConnectionRecord, RedisStore, Sealer, SqlStore
from practicefusion_connector.testing.store_conformance import PATIENCE, Canaries, make_record
from tests.stores.conftest import make_place
from tests.stores.places import Place

SEALER = Sealer(Fernet.generate_key().decode())


@pytest.fixture(params=["sqlite", "postgresql"])
def sql_place(request: pytest.FixtureRequest) -> Iterator[Place]:
    place = make_place(request.param, request)
    yield place
    place.clean()


@pytest.fixture
def engine(sql_place: Place) -> Iterator[Engine]:
    engine = create_engine(sql_place.where, pool_size=1, max_overflow=0, pool_timeout=1)
    yield engine
    engine.dispose()


def test_a_lease_holds_no_database_connection(
    engine: Engine, sql_place: Place, record: ConnectionRecord
) -> None:
    # The pool has one connection: were a holder or a waiter to keep it, the others would starve.
    store = SqlStore(engine, SEALER, prefix=sql_place.prefix)
    version = store.save(record, expected=None)

    def wait_for_it() -> None:
        with store.lease(record.connection.id, ttl=60, wait=1.5):
            pass

    with ThreadPoolExecutor(4) as pool:
        with store.lease(record.connection.id, ttl=60, wait=0):
            waiting = [pool.submit(wait_for_it) for _ in range(4)]
            version = store.save(record, expected=version)
            refusals = [waiter.exception(PATIENCE) for waiter in waiting]
        assert {type(refusal) for refusal in refusals} == {RefreshBusy}
    assert store.load(record.connection.id) == (record, version)


def test_an_engine_handed_in_stays_its_owners(
    engine: Engine, sql_place: Place, record: ConnectionRecord
) -> None:
    store = SqlStore(engine, SEALER, prefix=sql_place.prefix)
    store.save(record, expected=None)
    pool = engine.pool
    store.close()
    assert engine.pool is pool
    assert SqlStore(engine, SEALER, prefix=sql_place.prefix).ids() == [record.connection.id]


def test_an_echoing_engine_shows_no_secret(
    sql_place: Place, canaries: Canaries, caplog: pytest.LogCaptureFixture
) -> None:
    engine = create_engine(sql_place.where, echo="debug")
    store = SqlStore(engine, SEALER, prefix=sql_place.prefix)
    record = make_record(canaries)
    store.save(record, expected=None)
    store.load(record.connection.id)
    engine.dispose()
    assert "INSERT INTO" in caplog.text
    assert canaries.leaked_into(caplog.text) == []


def test_tables_that_exist_are_not_created_again(
    postgresql_url: str, request: pytest.FixtureRequest
) -> None:
    # As for an account that may not create tables: PostgreSQL refuses even IF NOT EXISTS then.
    place = make_place("postgresql", request)
    place.open().close()
    reading = {"options": "-c default_transaction_read_only=on"}
    url = make_url(postgresql_url).update_query_dict(reading)
    store = SqlStore(url.render_as_string(hide_password=False), SEALER, prefix=place.prefix)
    assert store.ids() == []
    store.close()
    place.clean()


def test_a_failing_database_shows_neither_password_nor_record(canaries: Canaries) -> None:
    url = f"postgresql://somebody:{canaries.client_secret}@127.0.0.1:1/db"
    with pytest.raises(Exception, match="refused") as failure:
        SqlStore(url, SEALER)
    assert canaries.leaked_into(f"{failure.value} {failure.value!r}") == []


def test_a_failing_redis_shows_neither_password_nor_record(canaries: Canaries) -> None:
    store = RedisStore(f"redis://:{canaries.client_secret}@127.0.0.1:1/0", SEALER)
    record = make_record(canaries)
    with pytest.raises(RedisConnectionError) as failure:
        store.save(record, expected=None)
    store.close()
    assert canaries.leaked_into(f"{failure.value} {failure.value!r} {store!r}") == []


def test_other_databases_are_refused() -> None:
    class Mysql:
        class dialect:  # noqa: N801
            name = "mysql"

    with pytest.raises(InvalidConfig, match="sqlite and postgresql, not mysql"):
        SqlStore(Mysql(), SEALER)  # type: ignore[arg-type]


@pytest.mark.parametrize("decode", [False, True])
def test_a_redis_client_handed_in_stays_its_owners(
    redis_url: str, request: pytest.FixtureRequest, record: ConnectionRecord, decode: bool
) -> None:
    place = make_place("redis", request)
    with Redis.from_url(redis_url, decode_responses=decode) as client:
        store = RedisStore(client, SEALER, prefix=place.prefix)
        version = store.save(record, expected=None)
        assert store.load(record.connection.id) == (record, version)
        assert store.ids() == [record.connection.id]
        with store.lease(record.connection.id, ttl=60, wait=0):
            pass
        store.close()
        assert client.ping()
    place.clean()
