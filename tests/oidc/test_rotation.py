"""Rotating refresh tokens whose replay ends the grant, many workers, and workers that die."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from benchmarks.refresh import Workers
from benchmarks.refresh_worker import CONNECTION, Tally
from practicefusion_connector.connector import PracticeFusion
from practicefusion_connector.smart import launch
from practicefusion_connector.smart.known_servers import KnownServers
from practicefusion_connector.stores import ConnectionRecord, Sealer, open_store
from practicefusion_connector.transport import Policy, Run, Transport
from tests.oidc.conftest import OpenIdProvider

SECONDS = 120
TOKEN_SECONDS = 3


@pytest.mark.soak
def test_the_grant_outlives_two_minutes_of_killed_workers(
    provider: OpenIdProvider, wire: Transport, servers: KnownServers, tmp_path: Path
) -> None:
    ours, run = provider.connection(id=CONNECTION), Run(60)
    endpoints = servers.endpoints(wire, ours, run)
    pending = launch.begin(ours, endpoints, ours.scopes or ())
    callback = provider.allow(pending.url.get_secret_value())
    tokens = launch.complete(wire, ours, endpoints, pending, callback, run, servers=servers)
    key = Fernet.generate_key().decode()
    url = f"sqlite:///{tmp_path}/store.db"
    before = provider.counts
    with closing(open_store(url, Sealer(key))) as store:
        store.save(ConnectionRecord(connection=ours, tokens=tokens), expected=None)

        given = Namespace(processes=4, threads=2, seconds=SECONDS, kill_every=5)
        # What nothing can keep is spared: a kill between the server's answer and the store's write
        # (docs/stores.md).
        Workers(given, tmp_path, url, key, "p1", spare=True).run()

        with PracticeFusion.from_store(store, CONNECTION, policy=Policy()) as pf:
            assert pf.run("get_patient", {"id": "p1"}).resource["id"] == "p1"
    tallies = [Tally.read(path) for path in tmp_path.glob("*.tally")]
    after = provider.counts
    assert [codes for _, codes in tallies if codes] == []
    assert sum(done for done, _ in tallies) > SECONDS
    # A replay would be a refused token request, and the end of the grant.
    assert after["token_errors"] == before["token_errors"]
    assert after["grants_revoked"] == before["grants_revoked"]
    assert after["refreshes"] - before["refreshes"] >= SECONDS / TOKEN_SECONDS / 2
