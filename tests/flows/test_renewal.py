"""Connections that last: refreshes for people, new tokens for systems, discovery asked once."""

from __future__ import annotations

from contextlib import closing

import pytest

from practicefusion_connector import PracticeFusion
from practicefusion_connector.errors import InvalidInput, ReauthRequired
from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.smart.known_servers import KnownServers
from practicefusion_connector.smart.provider import ManagedTokens
from practicefusion_connector.smart.renew import renewal
from practicefusion_connector.stores import ConnectionRecord, MemoryStore
from practicefusion_connector.transport import Run, Transport
from tests.flows.leaks import Leaks
from tests.flows.people import connect, connection


def asked(sandbox: Sandbox, path: str) -> int:
    return sum(request.path.endswith(path) for request in sandbox.requests)


def test_a_stored_connection_runs_and_is_refreshed(
    sandbox: Sandbox, wire: Transport, servers: KnownServers, leaks: Leaks
) -> None:
    ours = connection(sandbox)
    tokens = connect(wire, servers, ours)
    with closing(MemoryStore()) as store:
        store.save(ConnectionRecord(connection=ours, tokens=tokens), expected=None)
        with PracticeFusion.from_store(store, ours.id) as pf:
            first = pf.run("search_patients", {"page_size": 1})
            sandbox.tokens.expire_access()
            second = pf.run("search_patients", {"page_size": 1})
            leaks.plant_tokens(sandbox)
            leaks.check(pf, first, second, tokens, store.load(ours.id))
        assert (first.trace.refreshes, second.trace.refreshes) == (0, 1)
        assert len(second.resources) == 1
        kept = store.load(ours.id)
        assert kept is not None
        assert kept.record.tokens is not None
        assert kept.record.tokens.access_token != tokens.access_token
        assert kept.record.tokens.refresh_token == tokens.refresh_token
        assert kept.record.tokens.context == tokens.context


def test_a_lent_transport_is_not_closed_with_the_connector(
    sandbox: Sandbox, wire: Transport, servers: KnownServers
) -> None:
    ours = connection(sandbox)
    with closing(MemoryStore()) as store:
        record = ConnectionRecord(connection=ours, tokens=connect(wire, servers, ours))
        store.save(record, expected=None)
        closed: list[bool] = []
        wire.close = lambda: closed.append(True)  # type: ignore[method-assign]
        with PracticeFusion.from_store(store, ours.id, transport=wire) as pf:
            pf.run("search_patients", {"page_size": 1})
        assert not closed
        del wire.close


def test_an_unknown_connection_is_said_at_once() -> None:
    with pytest.raises(InvalidInput, match="no connection of this id"):
        PracticeFusion.from_store(MemoryStore(), "nobody")


def test_discovery_is_asked_once_for_many_connections(
    sandbox: Sandbox, wire: Transport, servers: KnownServers
) -> None:
    ours = connection(sandbox)
    renew = renewal(wire, servers)
    tokens = connect(wire, servers, ours)
    for _ in range(3):
        tokens = renew(ours, tokens, Run(30))
    other = connection(sandbox, id="other")
    renew(other, tokens, Run(30))
    assert asked(sandbox, "/.well-known/smart-configuration") == 1


def test_discovery_is_asked_again_after_its_time_and_its_memory_is_bounded(
    sandbox: Sandbox, wire: Transport
) -> None:
    now = [0.0]
    servers = KnownServers(time_to_live=10, bound=1, timer=lambda: now[0])
    ours = connection(sandbox)
    other = connection(sandbox, auth_base_url="http://127.0.0.1:1/other")
    counts = []
    for to, at in ((ours, 0.0), (ours, 9.0), (ours, 11.0), (other, 11.5), (ours, 12.0)):
        now[0] = at
        servers.endpoints(wire, to, Run(30))
        counts.append(asked(sandbox, "/.well-known/smart-configuration"))
    assert counts == [1, 1, 2, 3, 4]


def test_a_persons_connection_without_tokens_must_be_authorized(
    sandbox: Sandbox, wire: Transport, servers: KnownServers
) -> None:
    with pytest.raises(ReauthRequired, match="never authorized"):
        renewal(wire, servers)(connection(sandbox), None, Run(30))
    assert not list(sandbox.requests)


@pytest.mark.parametrize("rotates", [False, True])
def test_a_grant_revoked_by_the_person_is_noticed(
    sandbox: Sandbox, behaviour: Behaviour, wire: Transport, servers: KnownServers, rotates: bool
) -> None:
    behaviour.refresh_rotates = rotates
    ours = connection(sandbox)
    with closing(MemoryStore()) as store:
        record = ConnectionRecord(connection=ours, tokens=connect(wire, servers, ours))
        store.save(record, expected=None)
        sandbox.tokens.revoke_grants()
        managed = ManagedTokens(ours.id, store, renewal(wire, servers))
        with PracticeFusion(ours, managed, transport=wire) as pf:
            with pytest.raises(ReauthRequired):
                pf.run("search_patients")
            before = len(list(sandbox.requests))
            with pytest.raises(ReauthRequired):
                PracticeFusion.from_store(store, ours.id, transport=wire).run("search_patients")
        assert len(list(sandbox.requests)) == before
        kept = store.load(ours.id)
        assert kept is not None
        assert kept.record.status == "reauth_required"
