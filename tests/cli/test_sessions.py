"""Opening a practice by what a person named, and keeping its tokens good."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from practicefusion_connector.cli.sessions import at_url, connected, in_sandbox
from practicefusion_connector.errors import InvalidConfig, InvalidInput, ReauthRequired
from tests.cli.conftest import Commands


def test_the_sandbox_is_authorized_as_a_provider_with_all_scopes() -> None:
    with in_sandbox() as (sandbox, pf):
        assert pf.connection.fhir_base_url == sandbox.fhir_base_url
        found = pf.run("search_patients", {"page_size": 1})
        assert found.total == len(sandbox.resources["Patient"])
        assert sandbox.tokens.count_refreshes() == 0


def test_an_expired_token_is_refreshed_in_the_store() -> None:
    with in_sandbox() as (sandbox, pf):
        sandbox.tokens.expire_access()
        first = pf.run("search_patients")
        again = pf.run("search_patients")
        assert first.trace.refreshes == 1
        assert again.trace.refreshes == 0
        assert sandbox.tokens.count_refreshes() == 1


def test_a_revoked_grant_needs_a_person() -> None:
    with in_sandbox() as (sandbox, pf):
        sandbox.tokens.revoke_grants()
        with pytest.raises(ReauthRequired, match="A person must connect again"):
            pf.run("search_patients")


def test_a_connection_that_is_not_stored(stored: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in stored.environment.items():
        monkeypatch.setenv(name, value or "")
    with pytest.raises(InvalidInput, match='There is no connection "other"'):
        connected("other").__enter__()


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "practicefusion_connector.sandbox", None)
    with pytest.raises(InvalidConfig, match=r"pip install 'practicefusion-connector\[all\]'"):
        in_sandbox().__enter__()


class OpenServer(BaseHTTPRequestHandler):
    """A FHIR server that asks nobody for a token; but for Goals it does."""

    def do_GET(self) -> None:
        found = {"resource": {"resourceType": "Patient", "id": "p1"}}
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [found]}
        body = json.dumps(bundle).encode()
        self.send_response(401 if "/Goal" in self.path else 200)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def open_server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), OpenServer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/fhir"
        server.shutdown()
        thread.join()


def test_an_open_server_needs_no_token(open_server: str, commands: Commands) -> None:
    with at_url(open_server) as pf:
        assert pf.run("search_patients").resource["id"] == "p1"
    where = ["--fhir-base-url", open_server]
    assert commands("actions", "run", "search_patients", "--json", *where).json["total"] == 1
    commands("actions", "run", "search_goals", *where).failed_in_one_line(
        3, "reauth_required: The server wants an access token; connect first."
    )
