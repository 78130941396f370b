"""The id_token: believed only where signature, issuer, audience, expiry and nonce all fit."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from pydantic import SecretStr
from werkzeug.wrappers import Request, Response

from practicefusion_connector import TokenSet
from practicefusion_connector.errors import InvalidResponse
from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.smart import identity, launch
from practicefusion_connector.smart.discovery import Endpoints
from practicefusion_connector.smart.known_servers import KnownServers
from practicefusion_connector.transport import Run, Transport
from tests.flows.leaks import Leaks
from tests.flows.people import allow, connect, connection

NOW = 1_800_000_000.0
ISSUER = "https://ehr.example/fhir"
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "subject-canary",
    "aud": "app",
    "exp": NOW + 300,
    "iat": NOW,
    "nonce": "nonce-canary",
    "fhirUser": f"{ISSUER}/Practitioner/123",
}
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
EC384 = ECKey.generate_key("P-384", {"kid": "ec384", "use": "sig"})
KEYS: dict[str, Any] = {"keys": [key.as_dict(private=False) for key in (RSA, EC, EC384)]}


def signed(changes: dict[str, Any] | None = None, key: Any = RSA, algorithm: str = "RS256") -> str:
    claims = {name: value for name, value in (CLAIMS | (changes or {})).items() if value != ""}
    header = {"alg": algorithm, "kid": key.kid}
    return jwt.encode(header, claims, key, algorithms=[algorithm])


def verify(id_token: str, **changes: Any) -> identity.Identity:
    expected: dict[str, Any] = {
        "issuer": ISSUER,
        "client_id": "app",
        "nonce": "nonce-canary",
        "now": NOW,
    }
    return identity.verify(id_token, KEYS, **(expected | changes))


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (RSA, "RS384"), (EC, "ES256"), (EC384, "ES384")],
)
def test_a_good_id_token_says_who_connected(key: Any, algorithm: str) -> None:
    who = verify(signed(key=key, algorithm=algorithm))
    assert who == ("subject-canary", "Practitioner/123")


def test_a_slash_at_the_issuers_end_makes_no_difference() -> None:
    assert verify(signed({"iss": f"{ISSUER}/"})).subject == "subject-canary"
    assert verify(signed(), issuer=f"{ISSUER}/").subject == "subject-canary"


def test_several_audiences_need_the_authorized_party() -> None:
    assert verify(signed({"aud": ["app", "other"], "azp": "app"})).subject == "subject-canary"


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"iss": "https://other.example/fhir"}, "iss"),
        ({"iss": ""}, "iss"),
        ({"aud": "another-app"}, "aud"),
        ({"aud": ["another-app"]}, "aud"),
        ({"aud": ""}, "aud"),
        ({"aud": ["app", "other"]}, "azp"),
        ({"azp": "another-app"}, "azp"),
        ({"exp": NOW - 61}, "exp"),
        ({"exp": ""}, "exp"),
        ({"exp": "never"}, "exp"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": ""}, "nonce"),
        ({"sub": ""}, "sub"),
        ({"iat": NOW + 3600}, "iat"),
        ({"nbf": NOW + 3600}, "nbf"),
    ],
)
def test_a_wrong_claim_is_named_and_never_quoted(
    changes: dict[str, Any], claim: str, leaks: Leaks
) -> None:
    token = signed(changes)
    leaks.plant("id_token", token)
    leaks.plant("subject", "subject-canary")
    leaks.plant("nonce", "nonce-canary")
    with pytest.raises(InvalidResponse, match=f'its claim "{claim}"') as refused:
        verify(token)
    leaks.check(refused.value)


def test_a_clock_may_be_a_minute_off() -> None:
    assert verify(signed({"exp": NOW - 59})).subject == "subject-canary"


def encoded(data: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


def forged(algorithm: str, secret: bytes | None = None) -> str:
    content = f"{encoded({'alg': algorithm, 'kid': 'rsa'})}.{encoded(CLAIMS)}"
    if secret is None:
        return f"{content}."
    mac = hmac.new(secret, content.encode(), hashlib.sha256).digest()
    return f"{content}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


@pytest.mark.parametrize(
    "token",
    [
        forged("none"),
        forged("HS256", b"client-secret"),
        forged("HS256", RSA.as_pem(private=False)),
        signed(algorithm="RS512"),
        signed(algorithm="PS256"),
    ],
)
def test_other_ways_of_signing_prove_nothing(token: str, leaks: Leaks) -> None:
    leaks.plant("id_token", token)
    with pytest.raises(InvalidResponse, match="signed in a way that proves nothing") as refused:
        verify(token)
    leaks.check(refused.value)


@pytest.mark.parametrize(
    "token",
    [
        signed(key=RSAKey.generate_key(2048, {"kid": "rsa"})),
        signed(key=RSAKey.generate_key(2048, {"kid": "unknown"})),
        signed()[:-8] + "AAAAAAAA",
        "not-a-token",
        "a.b.c",
    ],
)
def test_a_signature_that_does_not_fit_is_refused(token: str, leaks: Leaks) -> None:
    leaks.plant("id_token", token)
    with pytest.raises(InvalidResponse, match="does not fit") as refused:
        verify(token)
    leaks.check(refused.value)


@pytest.mark.parametrize("keys", [{}, {"keys": []}, {"keys": [{"kty": "RSA"}]}, {"keys": ["x"]}])
def test_a_broken_key_set_verifies_nothing(keys: dict[str, Any]) -> None:
    with pytest.raises(InvalidResponse):
        identity.verify(signed(), keys, issuer=ISSUER, client_id="app", nonce=None, now=NOW)


@pytest.mark.parametrize(
    ("claim", "reference"),
    [
        ("https://api.practicefusion.com/fhir/r4/v1/guid/Practitioner/123", "Practitioner/123"),
        ("Patient/a-b.c", "Patient/a-b.c"),
        ("https://ehr.example/RelatedPerson/9", "RelatedPerson/9"),
        ("https://ehr.example/Observation/9", None),
        ("https://ehr.example/NotPatient/9/x", None),
        ("Practitioner/", None),
        (None, None),
        (["Patient/1"], None),
    ],
)
def test_fhir_user_comes_out_as_a_reference(claim: object, reference: str | None) -> None:
    assert identity.reference(claim) == reference


def test_new_keys_of_the_server_are_fetched_once(
    sandbox: Sandbox, wire: Transport, servers: KnownServers
) -> None:
    ours = connection(sandbox)
    endpoints = servers.endpoints(wire, ours, Run(30))
    assert endpoints.jwks is not None
    old = KeySet([RSAKey.generate_key(2048, {"kid": "old"})]).as_dict(private=False)
    servers._keys.keep(endpoints.jwks, dict(old))
    assert connect(wire, servers, ours).context["fhirUser"].startswith("Practitioner/")
    connect(wire, servers, ours)
    assert sum(request.path.endswith("/jwk") for request in sandbox.requests) == 1


def test_a_launch_ends_where_the_id_token_is_anothers(
    sandbox: Sandbox, behaviour: Behaviour, wire: Transport, servers: KnownServers, leaks: Leaks
) -> None:
    """The server answers with keys that are not those it signed with: asked twice, then refused."""
    ours, run = connection(sandbox), Run(30)
    wrong = KeySet([RSAKey.generate_key(2048, {"kid": "sandbox_jwt_signing_key_v1"})])

    def other_keys(request: Request) -> Response | None:
        if request.path.endswith("/jwk"):
            return Response(json.dumps(wrong.as_dict(private=False)), mimetype="application/json")
        return None

    behaviour.before_request = other_keys
    endpoints = servers.endpoints(wire, ours, run)
    pending = launch.begin(ours, endpoints, ("openid", "fhirUser"))
    leaks.plant_all_in(pending)
    callback = allow(pending.url.get_secret_value())
    with pytest.raises(InvalidResponse, match="does not fit") as refused:
        launch.complete(wire, ours, endpoints, pending, callback, run, servers=servers)
    leaks.plant_tokens(sandbox)
    leaks.check(refused.value)
    assert sum(request.path.endswith("/jwk") for request in sandbox.requests) == 2


def test_an_id_token_for_another_nonce_is_refused(
    sandbox: Sandbox, wire: Transport, servers: KnownServers
) -> None:
    ours, run = connection(sandbox), Run(30)
    endpoints = servers.endpoints(wire, ours, run)
    pending = launch.begin(ours, endpoints, ("openid",))
    callback = allow(pending.url.get_secret_value())
    other = pending.model_copy(update={"nonce": SecretStr("another")})
    with pytest.raises(InvalidResponse, match='its claim "nonce"'):
        launch.complete(wire, ours, endpoints, other, callback, run, servers=servers)


def test_an_id_token_that_cannot_be_checked_is_dropped(
    wire: Transport, servers: KnownServers, sandbox: Sandbox
) -> None:
    tokens = TokenSet(access_token=SecretStr("a"), id_token=SecretStr(signed()), issued_at=NOW)
    endpoints = Endpoints("https://ehr.example/authorize", "https://ehr.example/token")
    got = identity.identified(wire, servers, connection(sandbox), endpoints, tokens, None, Run(30))
    assert got.id_token is None
    assert "fhirUser" not in got.context
