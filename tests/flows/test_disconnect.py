"""Ending a connection: at the server where it offers that, here in any case."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Event, Thread
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from practicefusion_connector.connection import Connection
from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.smart import disconnect, keys
from practicefusion_connector.smart.known_servers import KnownServers
from practicefusion_connector.stores import ConnectionRecord, MemoryStore
from practicefusion_connector.transport import Policy, Run, Transport
from tests.flows.leaks import Leaks
from tests.flows.people import connect, connection


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    with closing(MemoryStore()) as store:
        yield store


def connected(
    sandbox: Sandbox, wire: Transport, servers: KnownServers, store: MemoryStore, **fields: Any
) -> Connection:
    ours = connection(sandbox, **fields)
    person = "patient" if ours.level == "patient" else "provider"
    tokens = connect(wire, servers, ours, person=person)
    store.save(ConnectionRecord(connection=ours, tokens=tokens), expected=None)
    return ours


@pytest.mark.parametrize("kind", ["post", "basic", "public"])
def test_the_server_is_told_where_it_offers_that(
    sandbox: Sandbox,
    behaviour: Behaviour,
    wire: Transport,
    servers: KnownServers,
    store: MemoryStore,
    leaks: Leaks,
    kind: str,
) -> None:
    behaviour.advertise_revocation = True
    kinds: dict[str, dict[str, Any]] = {
        "post": {},
        "basic": {"auth_method": "client_secret_basic"},
        "public": {"client_id": sandbox.public_client_id, "client_secret": None},
    }
    ours = connected(sandbox, wire, servers, store, **kinds[kind])
    ended = disconnect(wire, store, ours.id, Run(30), servers)
    assert (ended.removed, ended.revoked, ended.problem, ended.advice) == (True, True, None, "")
    assert store.ids() == []
    assert sandbox.tokens.count_active_grants() == 0
    leaks.plant_tokens(sandbox)
    leaks.check(ended)


@pytest.mark.parametrize(
    ("level", "where"),
    [("user", 'in the EHR.*"Revoke access"'), ("patient", 'Patient Fusion.*"Authorized Apps"')],
)
def test_where_it_is_not_offered_a_person_is_told_where_to_go(
    sandbox: Sandbox,
    wire: Transport,
    servers: KnownServers,
    store: MemoryStore,
    level: str,
    where: str,
) -> None:
    ours = connected(sandbox, wire, servers, store, level=level)
    ended = disconnect(wire, store, ours.id, Run(30), servers)
    assert (ended.removed, ended.revoked, ended.problem) == (True, False, None)
    assert re.search(where, ended.advice)
    assert "offers no revocation" in ended.advice
    assert store.ids() == []


def test_it_is_removed_here_even_where_the_server_is_gone(
    sandbox: Sandbox,
    behaviour: Behaviour,
    wire: Transport,
    servers: KnownServers,
    store: MemoryStore,
    leaks: Leaks,
) -> None:
    behaviour.advertise_revocation = True
    ours = connected(sandbox, wire, servers, store)
    leaks.plant_tokens(sandbox)
    sandbox.stop()
    with closing(Transport(Policy(attempts=1))) as impatient:
        ended = disconnect(impatient, store, ours.id, Run(30), servers)
    assert ended.problem is not None
    assert ended.problem.code == "network"
    assert "could not be told" in ended.advice
    assert (ended.removed, ended.revoked, store.ids()) == (True, False, [])
    leaks.check(ended, ended.problem)


def test_what_was_never_authorized_is_only_removed(
    sandbox: Sandbox, wire: Transport, servers: KnownServers, store: MemoryStore
) -> None:
    private = keys.generate("ES384")
    ours = connection(sandbox, level="system", private_key=str(private), key_id="k")
    store.save(ConnectionRecord(connection=ours), expected=None)
    ended = disconnect(wire, store, ours.id, Run(30), servers)
    assert (ended.removed, ended.revoked, ended.advice) == (True, False, "")
    assert list(sandbox.requests) == []


def test_disconnecting_twice_is_harmless(
    wire: Transport, servers: KnownServers, store: MemoryStore
) -> None:
    ended = disconnect(wire, store, "nobody", Run(30), servers)
    assert (ended.removed, ended.revoked) == (False, False)


class Watched(MemoryStore):
    """Tells when somebody asks for the lease, and in which order things happen."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = Event()
        self.happened: list[str] = []

    @contextmanager
    def lease(self, connection_id: str, *, ttl: float, wait: float) -> Iterator[None]:
        self.asked.set()
        with super().lease(connection_id, ttl=ttl, wait=wait):
            yield

    def delete(self, connection_id: str) -> bool:
        self.happened.append("removed")
        return super().delete(connection_id)


def test_a_refresh_in_flight_is_waited_for(
    sandbox: Sandbox, behaviour: Behaviour, wire: Transport, servers: KnownServers
) -> None:
    behaviour.advertise_revocation = True
    store, holding = Watched(), Event()
    ours = connected(sandbox, wire, servers, store)

    def refreshing() -> None:
        with MemoryStore.lease(store, ours.id, ttl=30, wait=0):
            holding.set()
            assert store.asked.wait(10)
            store.happened.append("refreshed")

    refresher = Thread(target=refreshing)
    refresher.start()
    assert holding.wait(10)
    assert disconnect(wire, store, ours.id, Run(30), servers).revoked
    refresher.join(10)
    assert store.happened == ["refreshed", "removed"]


def refusing(hint: str) -> Callable[[Request], Response | None]:
    """Refuse to revoke one kind of token (RFC 7009 §2.2.1)."""

    def answer(request: Request) -> Response | None:
        if not request.path.endswith("/revoke") or request.form["token_type_hint"] != hint:
            return None
        return Response('{"error": "unsupported_token_type"}', 400, mimetype="application/json")

    return answer


@pytest.mark.parametrize(("hint", "revoked"), [("access_token", True), ("refresh_token", False)])
def test_a_server_need_not_take_access_tokens(
    sandbox: Sandbox,
    behaviour: Behaviour,
    wire: Transport,
    servers: KnownServers,
    store: MemoryStore,
    hint: str,
    revoked: bool,
) -> None:
    behaviour.advertise_revocation = True
    ours = connected(sandbox, wire, servers, store)
    behaviour.before_request = refusing(hint)
    ended = disconnect(wire, store, ours.id, Run(30), servers)
    assert (ended.removed, ended.revoked) == (True, revoked)
    assert sandbox.tokens.count_active_grants() == (0 if revoked else 1)


def test_it_is_removed_here_even_while_a_refresh_hangs(
    sandbox: Sandbox,
    behaviour: Behaviour,
    wire: Transport,
    servers: KnownServers,
    store: MemoryStore,
) -> None:
    behaviour.advertise_revocation = True
    ours = connected(sandbox, wire, servers, store)
    with store.lease(ours.id, ttl=30, wait=0):
        ended = disconnect(wire, store, ours.id, Run(0.1), servers)
    assert (ended.removed, ended.revoked, store.ids()) == (True, False, [])
    assert ended.problem is not None
    assert ended.problem.code == "deadline_exceeded"
