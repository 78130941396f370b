"""Every flow against an authorization server nobody here wrote (npm oidc-provider)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from practicefusion_connector import Connection, PracticeFusion, TokenSet
from practicefusion_connector.errors import (
    AuthExpired,
    InvalidConfig,
    InvalidResponse,
    ReauthRequired,
)
from practicefusion_connector.smart import disconnect, launch, oauth
from practicefusion_connector.smart.known_servers import KnownServers
from practicefusion_connector.smart.provider import HostTokens, ManagedTokens
from practicefusion_connector.smart.renew import renewal
from practicefusion_connector.stores import ConnectionRecord, ConnectionStore, Sealer, SqlStore
from practicefusion_connector.transport import Run, Transport
from tests.flows.leaks import Leaks
from tests.oidc.conftest import KEYS, SECRET, OpenIdProvider

ASKED = ("openid", "fhirUser", "offline_access", "user/Patient.read", "user/Unknown.read")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ConnectionStore]:
    sealer = Sealer(Fernet.generate_key().decode())
    with closing(SqlStore(f"sqlite:///{tmp_path}/connections.db", sealer)) as store:
        yield store


def connect(
    provider: OpenIdProvider, wire: Transport, servers: KnownServers, ours: Connection
) -> TokenSet:
    run = Run(30)
    endpoints = servers.endpoints(wire, ours, run)
    pending = launch.begin(ours, endpoints, ASKED)
    callback = provider.allow(pending.url.get_secret_value())
    return launch.complete(wire, ours, endpoints, pending, callback, run, servers=servers)


def refreshed(
    wire: Transport, servers: KnownServers, ours: Connection, tokens: TokenSet
) -> TokenSet:
    return renewal(wire, servers)(ours, tokens, Run(30))


def accepted(wire: Transport, ours: Connection, tokens: TokenSet) -> bool:
    """Say whether the FHIR endpoint takes the access token."""
    host = HostTokens(tokens.access_token.get_secret_value)
    try:
        PracticeFusion(ours, host, transport=wire).run("get_patient", {"id": "p1"})
    except AuthExpired:
        return False
    return True


@pytest.mark.parametrize("client_id", ["post", "basic", "public"])
def test_authorization_code(
    provider: OpenIdProvider,
    wire: Transport,
    servers: KnownServers,
    leaks: Leaks,
    client_id: str,
) -> None:
    leaks.plant("client secret", SECRET)
    ours = provider.connection(client_id)
    tokens = connect(provider, wire, servers, ours)
    leaks.plant_all_in(tokens)
    assert tokens.context["fhirUser"] == "Practitioner/dr-loopback"
    assert "user/Patient.read" in tokens.scope
    assert "user/Unknown.read" not in tokens.scope
    assert tokens.lifetime() == 3
    assert tokens.refresh_token is not None
    assert accepted(wire, ours, tokens)
    leaks.check(ours, tokens)


def test_a_basic_secret_must_be_encoded_here(
    provider: OpenIdProvider, wire: Transport, servers: KnownServers, leaks: Leaks
) -> None:
    leaks.plant("client secret", SECRET)
    raw = provider.connection("basic", auth_method="client_secret_basic_raw")
    with pytest.raises(InvalidConfig, match="refuses the application") as refused:
        connect(provider, wire, servers, raw)
    leaks.check(refused.value)


def test_a_code_is_worth_nothing_without_its_verifier(
    provider: OpenIdProvider, wire: Transport, servers: KnownServers, leaks: Leaks
) -> None:
    ours, run = provider.connection(), Run(30)
    endpoints = servers.endpoints(wire, ours, run)
    pending = launch.begin(ours, endpoints, ASKED)
    leaks.plant_all_in(pending)
    callback = provider.allow(pending.url.get_secret_value())
    other = launch.begin(ours, endpoints, ASKED).code_verifier
    wrong = pending.model_copy(update={"code_verifier": other})
    with pytest.raises(ReauthRequired, match="code is no longer good") as refused:
        launch.complete(wire, ours, endpoints, wrong, callback, run, servers=servers)
    leaks.check(refused.value)


def test_an_id_token_for_another_application_is_refused(
    provider: OpenIdProvider, wire: Transport, servers: KnownServers
) -> None:
    ours, run = provider.connection(), Run(30)
    endpoints = servers.endpoints(wire, ours, run)
    pending = launch.begin(ours, endpoints, ASKED)
    callback = provider.allow(pending.url.get_secret_value())
    forged = pending.model_copy(update={"nonce": SecretStr("of another launch")})
    with pytest.raises(InvalidResponse, match='its claim "nonce"'):
        launch.complete(wire, ours, endpoints, forged, callback, run, servers=servers)


def test_a_refresh_rotates_and_the_store_keeps_the_new_one(
    provider: OpenIdProvider,
    wire: Transport,
    servers: KnownServers,
    store: ConnectionStore,
    leaks: Leaks,
) -> None:
    """Seven seconds on tokens of three: every action works, and no refresh is one too many."""
    ours = provider.connection()
    first = connect(provider, wire, servers, ours)
    leaks.plant_all_in(first)
    store.save(ConnectionRecord(connection=ours, tokens=first), expected=None)
    before = provider.counts
    ends, actions = time.monotonic() + 7, 0
    with PracticeFusion.from_store(store, ours.id, transport=wire) as pf:
        while time.monotonic() < ends:
            assert pf.run("search_patients").resources[0]["id"] == "p1"
            actions += 1
            Event().wait(0.05)
    kept = store.load(ours.id)
    assert kept is not None
    assert kept.record.tokens is not None
    assert kept.record.tokens.refresh_token != first.refresh_token
    leaks.plant_all_in(kept.record.tokens)
    after = provider.counts
    assert actions > 20
    assert 2 <= after["refreshes"] - before["refreshes"] <= 3
    assert after["grants_revoked"] == before["grants_revoked"]
    assert after["token_errors"] == before["token_errors"]
    leaks.check(kept, pf)


def test_many_threads_share_one_refresh(
    provider: OpenIdProvider, wire: Transport, servers: KnownServers, store: ConnectionStore
) -> None:
    ours = provider.connection()
    tokens = connect(provider, wire, servers, ours)
    expired = tokens.model_copy(update={"expires_at": tokens.issued_at})
    store.save(ConnectionRecord(connection=ours, tokens=expired), expected=None)
    before = provider.counts["refreshes"]
    with (
        PracticeFusion.from_store(store, ours.id, transport=wire) as pf,
        ThreadPoolExecutor(8) as pool,
    ):
        ran = list(pool.map(lambda _: pf.run("get_patient", {"id": "p1"}), range(8)))
    assert [len(result) for result in ran] == [1] * 8
    assert provider.counts["refreshes"] == before + 1


def test_the_replay_of_a_rotated_token_ends_the_grant_and_is_noticed(
    provider: OpenIdProvider,
    wire: Transport,
    servers: KnownServers,
    store: ConnectionStore,
    leaks: Leaks,
) -> None:
    ours = provider.connection()
    old = connect(provider, wire, servers, ours)
    new = refreshed(wire, servers, ours, old)
    assert accepted(wire, ours, new)
    with pytest.raises(ReauthRequired, match="connect again") as refused:
        refreshed(wire, servers, ours, old)
    assert not accepted(wire, ours, new)
    store.save(ConnectionRecord(connection=ours, tokens=new), expected=None)
    with (
        PracticeFusion.from_store(store, ours.id, transport=wire) as pf,
        pytest.raises(ReauthRequired) as noticed,
    ):
        pf.run("search_patients")
    kept = store.load(ours.id)
    assert kept is not None
    assert kept.record.status == "reauth_required"
    leaks.plant_all_in(old)
    leaks.plant_all_in(new)
    leaks.check(refused.value, noticed.value, kept)


@pytest.mark.parametrize("client_id", ["post", "basic", "public"])
def test_disconnecting_revokes_at_the_server(
    provider: OpenIdProvider,
    wire: Transport,
    servers: KnownServers,
    store: ConnectionStore,
    client_id: str,
) -> None:
    ours = provider.connection(client_id)
    tokens = connect(provider, wire, servers, ours)
    store.save(ConnectionRecord(connection=ours, tokens=tokens), expected=None)
    ended = disconnect(wire, store, ours.id, Run(30), servers)
    assert (ended.removed, ended.revoked, ended.problem) == (True, True, None)
    assert store.ids() == []
    assert not accepted(wire, ours, tokens)
    with pytest.raises(ReauthRequired):
        refreshed(wire, servers, ours, tokens)


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_backend_services(
    provider: OpenIdProvider,
    wire: Transport,
    servers: KnownServers,
    store: ConnectionStore,
    leaks: Leaks,
    algorithm: str,
) -> None:
    leaks.plant("private exponent", KEYS[algorithm]["d"])
    ours = provider.connection(algorithm)
    store.save(ConnectionRecord(connection=ours), expected=None)
    with PracticeFusion.from_store(store, ours.id, transport=wire) as pf:
        ran = pf.run("get_patient", {"id": "p1"})
        again = ManagedTokens(ours.id, store, renewal(wire, servers))
        refused = again.access_token(Run(30))
        assert again.access_token(Run(30), rejected=refused) != refused
    assert ran.resource["id"] == "p1"
    kept = store.load(ours.id)
    assert kept is not None
    assert kept.record.tokens is not None
    assert kept.record.tokens.scope == ("system/Patient.rs",)
    leaks.plant_all_in(kept.record.tokens)
    leaks.check(ours, pf, kept, ran)


def test_an_assertion_serves_once(
    provider: OpenIdProvider,
    wire: Transport,
    servers: KnownServers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server remembers each jti, so this proves that ours are fresh and that it would tell."""
    ours = provider.connection("ES384")
    endpoints = servers.endpoints(wire, ours, Run(30))

    def token() -> TokenSet:
        return oauth.client_credentials(wire, ours, endpoints, ["system/Patient.rs"], Run(30))

    assert token().access_token != token().access_token
    monkeypatch.setattr("secrets.token_urlsafe", lambda _: "always the same")
    token()
    with pytest.raises(InvalidConfig, match="refuses the application"):
        token()


def test_a_key_that_is_not_registered_is_refused(
    provider: OpenIdProvider, wire: Transport, servers: KnownServers
) -> None:
    ours = provider.connection("ES384").model_copy(update={"client_id": "RS384"})
    with pytest.raises(InvalidConfig, match="the registered JWKS"):
        refreshed(wire, servers, ours, TokenSet(access_token=SecretStr("-"), issued_at=0))
