"""The OpenID provider nobody here wrote, started on loopback for the tests."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from practicefusion_connector.connection import Connection
from practicefusion_connector.smart import keys
from practicefusion_connector.smart.known_servers import KnownServers
from practicefusion_connector.testing.person import read_forms
from practicefusion_connector.transport import Policy, Transport
from tests.flows.leaks import Leaks

CALLBACK = "http://127.0.0.1:1/callback"
SECRET = "secret+with/reserved=characters"
NODE = Path(__file__).parent / "node"
KEYS = {algorithm: keys.generate(algorithm) for algorithm in ("RS384", "ES384")}


@dataclass(frozen=True)
class OpenIdProvider:
    """A running provider."""

    origin: str

    @property
    def fhir_base_url(self) -> str:
        return f"{self.origin}/fhir"

    @property
    def counts(self) -> dict[str, int]:
        """How many refreshes, revoked grants and refused token requests there were so far."""
        found: dict[str, int] = requests.get(f"{self.origin}/counts", timeout=10).json()
        return found

    def connection(self, client_id: str = "post", **fields: Any) -> Connection:
        """Return a connection of one of the applications; its id is how it authenticates."""
        given: dict[str, Any] = {
            "fhir_base_url": self.fhir_base_url,
            "client_id": client_id,
            "redirect_uri": CALLBACK,
            "scopes": "openid fhirUser offline_access user/Patient.read user/Unknown.read",
        }
        if client_id in ("post", "basic"):
            given["client_secret"] = SECRET
        if client_id == "basic":
            given["auth_method"] = "client_secret_basic"
        if client_id in KEYS:
            given |= {
                "level": "system",
                "private_key": json.dumps(KEYS[client_id]),
                "scopes": "system/Patient.rs",
            }
        return Connection.of(**(given | fields))

    def allow(self, authorization_url: str) -> str:
        """Log in and consent on the provider's pages; return the callback URL."""
        with requests.Session() as browser:
            browser.trust_env = False
            page = browser.get(authorization_url, allow_redirects=False, timeout=10)
            for _ in range(12):
                if page.is_redirect:
                    target = urljoin(page.url, page.headers["Location"])
                    if target.startswith(CALLBACK):
                        return target
                    page = browser.get(target, allow_redirects=False, timeout=10)
                    continue
                page.raise_for_status()
                form = next(form for form in read_forms(page.text) if "prompt" in form.fields)
                if "password" in form.fields:
                    form.fields |= {"login": "dr-loopback", "password": "any"}
                page = browser.post(
                    urljoin(page.url, form.action),
                    data=form.fields,
                    allow_redirects=False,
                    timeout=10,
                )
        raise AssertionError("The provider's pages lead nowhere.")


def _clients() -> list[dict[str, Any]]:
    person = {
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    }
    system = {
        "redirect_uris": [],
        "response_types": [],
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
    }
    secret = {"client_secret": SECRET}
    return [
        person | secret | {"client_id": "post", "token_endpoint_auth_method": "client_secret_post"},
        person | secret | {"client_id": "basic", "id_token_signed_response_alg": "ES384"},
        person | {"client_id": "public", "token_endpoint_auth_method": "none"},
        *(
            system | {"client_id": algorithm, "jwks": {"keys": [keys.public_jwk(key)]}}
            for algorithm, key in KEYS.items()
        ),
    ]


@pytest.fixture(scope="session")
def provider() -> Iterator[OpenIdProvider]:
    """The provider, or a skip that names what is missing."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("service missing: oidc-provider (node is not installed)")
    if not (NODE / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("service missing: oidc-provider (npm ci was not run in tests/oidc/node)")
    settings = json.dumps({"clients": _clients(), "accessTokenSeconds": 3})
    with subprocess.Popen(
        [node, "provider.mjs", settings],
        cwd=NODE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = next((line for line in process.stdout if line.startswith('{"origin"')), None)
            if line is None:
                pytest.fail("The OpenID provider did not start.")
            yield OpenIdProvider(json.loads(line)["origin"])
        finally:
            process.stdin.close()
            process.wait(timeout=30)


@pytest.fixture
def wire() -> Iterator[Transport]:
    with closing(Transport(Policy(backoff=0.0, deadline=30.0))) as transport:
        yield transport


@pytest.fixture
def servers() -> KnownServers:
    return KnownServers()


@pytest.fixture
def leaks(caplog: pytest.LogCaptureFixture) -> Iterator[Leaks]:
    with caplog.at_level(0):
        watch = Leaks(caplog)
        yield watch
    watch.check()
