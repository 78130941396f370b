"""Backend services: client credentials with a signed assertion or a secret."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from practicefusion_connector.sandbox import Sandbox
from tests.sandbox.apps import App, error_of, system_token

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPE = "system/Patient.rs system/Observation.rs"


@pytest.fixture(scope="module")
def keys() -> dict[str, Any]:
    return {
        "RS384": RSAKey.generate_key(2048, {"kid": "rsa-1"}),
        "ES384": ECKey.generate_key("P-384", {"kid": "ec-1"}),
        "RS256": RSAKey.generate_key(2048, {"kid": "rsa-2"}),
    }


@pytest.fixture
def registered(own: Sandbox, keys: dict[str, Any]) -> Sandbox:
    own.register_jwks({"keys": [key.as_dict(private=False) for key in keys.values()]})
    return own


def _ask(
    sandbox: Sandbox,
    key: Any,
    alg: str = "RS384",
    scope: str = SCOPE,
    header: dict[str, Any] | None = None,
    **claims: Any,
) -> requests.Response:
    app = App(sandbox)
    client = sandbox.backend_client_id
    payload = {
        "iss": client,
        "sub": client,
        "aud": f"{app.base}/token",
        "exp": int(time.time()) + 240,
        "jti": uuid.uuid4().hex,
        **claims,
    }
    heading = {"alg": alg, "kid": key.kid, "typ": "JWT", **(header or {})}
    heading = {name: value for name, value in heading.items() if value is not None}
    return app.token(
        client_id=None,
        client_secret=None,
        grant_type="client_credentials",
        scope=scope,
        client_assertion_type=ASSERTION_TYPE,
        client_assertion=jwt.encode(heading, payload, key, algorithms=[alg]),
    )


@pytest.mark.parametrize("alg", ["RS384", "ES384"])
def test_a_signed_assertion_gives_a_system_token(
    registered: Sandbox, keys: dict[str, Any], alg: str
) -> None:
    answer = _ask(registered, keys[alg], alg)

    token = answer.json()
    assert answer.status_code == 200, answer.text
    assert token["scope"] == SCOPE
    assert token["expires_in"] == 3600
    assert "refresh_token" not in token
    found = App(registered).get("Observation", token["access_token"], {"_count": "1"}).json()
    assert found["total"] == len(registered.resources["Observation"])


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "https://api.practicefusion.com/token"},
        {"exp": int(time.time()) + 100_000},
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"iss": "somebody-else"},
        {"jti": None},
        {"header": {"kid": None}},
        {"header": {"kid": "unknown"}},
        {"header": {"jku": "https://elsewhere.example/jwks"}},
    ],
)
def test_an_assertion_that_breaks_a_rule_is_refused(
    registered: Sandbox, keys: dict[str, Any], change: dict[str, Any]
) -> None:
    jwks = {"keys": [key.as_dict(private=False) for key in keys.values()]}
    registered.register_jwks(jwks, url="https://app.example/jwks")
    assert error_of(_ask(registered, keys["RS384"], **change)) == (400, "invalid_client")


def test_the_registered_key_url_is_taken(registered: Sandbox, keys: dict[str, Any]) -> None:
    url = "https://app.example/jwks"
    registered.register_jwks({"keys": [keys["RS384"].as_dict(private=False)]}, url=url)
    assert _ask(registered, keys["RS384"], header={"jku": url}).status_code == 200


def test_other_algorithms_are_refused(registered: Sandbox, keys: dict[str, Any]) -> None:
    assert error_of(_ask(registered, keys["RS256"], "RS256")) == (400, "invalid_client")
    shared_secret = OctKey.import_key("x" * 48, {"kid": "rsa-1"})
    assert error_of(_ask(registered, shared_secret, "HS384")) == (400, "invalid_client")


def test_a_key_nobody_registered_is_refused(own: Sandbox, keys: dict[str, Any]) -> None:
    assert error_of(_ask(own, keys["RS384"])) == (400, "invalid_client")
    own.register_jwks({"keys": [keys["RS256"].as_dict(private=False)]})
    forged = _ask(own, keys["RS384"], header={"kid": "rsa-2"})
    assert error_of(forged) == (400, "invalid_client")


def test_an_assertion_serves_once(registered: Sandbox, keys: dict[str, Any]) -> None:
    jti = uuid.uuid4().hex
    assert _ask(registered, keys["RS384"], jti=jti).status_code == 200
    assert error_of(_ask(registered, keys["RS384"], jti=jti)) == (400, "invalid_client")


def test_a_secret_works_too(shared: Sandbox) -> None:
    token = system_token(shared, "Patient")
    assert App(shared).get("Patient", token).status_code == 200


@pytest.mark.parametrize(
    "scope", ["system/Patient.read", "system/*.rs", "user/Patient.rs", "system/Patient", ""]
)
def test_a_scope_it_may_not_have_gets_the_vendors_error(shared: Sandbox, scope: str) -> None:
    app = App(shared, shared.backend_client_id, shared.backend_client_secret)

    answer = app.token(grant_type="client_credentials", scope=scope)

    message = "client does not have permissions to requested scope"
    assert error_of(answer) == (401, message)
    assert answer.json()["subcode"] == "Unauthorized"


def test_the_practice_may_not_have_granted_access(own: Sandbox) -> None:
    own.behaviour.practice_grants_system_apps = False
    app = App(own, own.backend_client_id, own.backend_client_secret)
    answer = app.token(grant_type="client_credentials", scope=SCOPE)
    message = "practice has not granted access to system application"
    assert error_of(answer) == (403, message)


def test_each_app_has_its_own_grant_types(shared: Sandbox) -> None:
    person_app = App(shared)
    answer = person_app.token(grant_type="client_credentials", scope=SCOPE)
    assert error_of(answer) == (400, "unauthorized_client")

    backend = App(shared, shared.backend_client_id, shared.backend_client_secret)
    url = backend.authorize_url("user/Patient.read")
    redirected = requests.get(url, allow_redirects=False, timeout=10)
    assert "error=unauthorized_client" in redirected.headers["Location"]
