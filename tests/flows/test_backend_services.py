"""Backend services: a token for the application itself, by key or by secret."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.wrappers import Request, Response

from practicefusion_connector import Connection, PracticeFusion
from practicefusion_connector.connection import Algorithm
from practicefusion_connector.errors import Forbidden, InvalidConfig
from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.smart import keys, oauth
from practicefusion_connector.smart.known_servers import KnownServers
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.stores import ConnectionRecord, MemoryStore
from practicefusion_connector.transport import Run, Transport
from tests.flows.leaks import Leaks

SCOPES = ("system/Patient.rs", "system/Observation.rs")
JWKS_URL = "https://app.example/jwks.json"


def system(sandbox: Sandbox, **fields: Any) -> Connection:
    return Connection.of(
        fhir_base_url=sandbox.fhir_base_url,
        client_id=sandbox.backend_client_id,
        level="system",
        **fields,
    )


def get_token(wire: Transport, connection: Connection, *scopes: str) -> TokenSet:
    run = Run(30)
    endpoints = KnownServers().endpoints(wire, connection, run)
    return oauth.client_credentials(wire, connection, endpoints, scopes or SCOPES, run)


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
@pytest.mark.parametrize("jwks_url", [None, JWKS_URL])
def test_a_key_gets_a_token(
    sandbox: Sandbox, wire: Transport, leaks: Leaks, algorithm: Algorithm, jwks_url: str | None
) -> None:
    private = keys.generate(algorithm)
    sandbox.register_jwks({"keys": [keys.public_jwk(private)]}, JWKS_URL)
    connection = system(sandbox, private_key=json.dumps(private), jwks_url=jwks_url)
    leaks.plant("private exponent", private["d"])
    tokens = get_token(wire, connection)
    leaks.plant_tokens(sandbox)
    assert tokens.scope == SCOPES
    assert tokens.lifetime() == 3600
    assert tokens.refresh_token is None
    leaks.check(connection, tokens)


@pytest.mark.parametrize(
    "method", ["client_secret_post", "client_secret_basic", "client_secret_basic_raw"]
)
def test_an_older_set_up_uses_a_secret(
    sandbox: Sandbox, wire: Transport, leaks: Leaks, method: str
) -> None:
    leaks.plant("secret", sandbox.backend_client_secret)
    connection = system(sandbox, client_secret=sandbox.backend_client_secret, auth_method=method)
    assert get_token(wire, connection).scope == SCOPES


class Recorder:
    """Keeps the forms sent to the token endpoint; answers the first ones in place of the server."""

    def __init__(self, *answers: Response) -> None:
        self.forms: list[dict[str, str]] = []
        self._answers = list(answers)

    def __call__(self, request: Request) -> Response | None:
        if not request.path.endswith("/token"):
            return None
        self.forms.append(request.form.to_dict())
        return self._answers.pop(0) if self._answers else None


def test_what_is_sent_is_what_was_seen_to_work(
    sandbox: Sandbox, behaviour: Behaviour, wire: Transport
) -> None:
    private = keys.generate("ES384")
    sandbox.register_jwks({"keys": [keys.public_jwk(private)]})
    behaviour.before_request = recorder = Recorder()
    get_token(wire, system(sandbox, private_key=json.dumps(private)))
    (form,) = recorder.forms
    assert sorted(form) == ["client_assertion", "client_assertion_type", "grant_type", "scope"]
    assert form["grant_type"] == "client_credentials"
    assert form["scope"] == " ".join(SCOPES)
    public = KeySet.import_key_set({"keys": [keys.public_jwk(private)]})
    claims = jwt.decode(form["client_assertion"], public, algorithms=["ES384"]).claims
    assert claims["aud"] == f"{sandbox.fhir_base_url}/token"


@pytest.mark.parametrize("status", [429, 503])
def test_another_attempt_carries_another_assertion(
    sandbox: Sandbox, behaviour: Behaviour, wire: Transport, status: int
) -> None:
    private = keys.generate("ES384")
    sandbox.register_jwks({"keys": [keys.public_jwk(private)]})
    behaviour.before_request = recorder = Recorder(Response(status=status))
    assert get_token(wire, system(sandbox, private_key=json.dumps(private))).scope == SCOPES
    first, second = recorder.forms
    assert first["client_assertion"] != second["client_assertion"]


def test_a_system_connection_renews_itself_in_the_store(sandbox: Sandbox) -> None:
    private = keys.generate("ES384")
    sandbox.register_jwks({"keys": [keys.public_jwk(private)]})
    connection = system(sandbox, private_key=json.dumps(private), scopes=" ".join(SCOPES))
    with closing(MemoryStore()) as store:
        store.save(ConnectionRecord(connection=connection), expected=None)
        with PracticeFusion.from_store(store, connection.id) as pf:
            counts = [pf.run("search_patients").trace.refreshes for _ in range(2)]
            sandbox.tokens.expire_access()
            counts.append(pf.run("search_patients").trace.refreshes)
        assert counts == [1, 0, 1]
        kept = store.load(connection.id)
    assert kept is not None
    assert kept.record.tokens is not None
    assert kept.record.tokens.scope == SCOPES


def test_without_scopes_of_its_own_it_asks_for_every_actions(sandbox: Sandbox) -> None:
    connection = system(sandbox, client_secret=sandbox.backend_client_secret)
    with closing(MemoryStore()) as store:
        store.save(ConnectionRecord(connection=connection), expected=None)
        with PracticeFusion.from_store(store, connection.id) as pf:
            pf.run("search_patients")
            actions = {key for keys in pf.categories().values() for key in keys}
            wanted = {action.key for action in pf.registry.core() if action.categories}
    assert actions == wanted


def test_two_keys_serve_during_a_rotation(sandbox: Sandbox, wire: Transport) -> None:
    old, new = keys.generate("ES384"), keys.generate("RS384")
    sandbox.register_jwks({"keys": [keys.public_jwk(old), keys.public_jwk(new)]})
    both = json.dumps({"keys": [old, new]})
    for one in (old, new):
        connection = system(sandbox, private_key=both, key_id=one["kid"])
        assert get_token(wire, connection).scope == SCOPES


def test_a_key_that_is_not_registered_is_explained(
    sandbox: Sandbox, wire: Transport, leaks: Leaks
) -> None:
    private = keys.generate("ES384")
    sandbox.register_jwks({"keys": [keys.public_jwk(keys.generate("ES384"))]})
    connection = system(sandbox, private_key=json.dumps(private))
    leaks.plant("private exponent", private["d"])
    with pytest.raises(InvalidConfig, match="key id, the registered JWKS") as refused:
        get_token(wire, connection)
    leaks.check(refused.value)


def test_a_jku_that_is_not_the_registered_one_is_refused(sandbox: Sandbox, wire: Transport) -> None:
    private = keys.generate("ES384")
    sandbox.register_jwks({"keys": [keys.public_jwk(private)]}, JWKS_URL)
    connection = system(sandbox, private_key=json.dumps(private), jwks_url=JWKS_URL + "/")
    with pytest.raises(InvalidConfig, match="refuses the application"):
        get_token(wire, connection)


def test_the_older_spelling_of_a_system_scope_is_explained(
    sandbox: Sandbox, wire: Transport
) -> None:
    connection = system(sandbox, client_secret=sandbox.backend_client_secret)
    with pytest.raises(InvalidConfig, match=r"system/ scopes in \.rs"):
        get_token(wire, connection, "system/Patient.read")


def test_a_practice_that_has_not_granted_access_is_told_apart(
    sandbox: Sandbox, behaviour: Behaviour, wire: Transport
) -> None:
    behaviour.practice_grants_system_apps = False
    connection = system(sandbox, client_secret=sandbox.backend_client_secret)
    with pytest.raises(Forbidden, match="practice has not granted access"):
        get_token(wire, connection)


def test_neither_key_nor_secret_is_said_before_anything_is_sent(
    sandbox: Sandbox, wire: Transport
) -> None:
    with pytest.raises(InvalidConfig, match="needs a private key"):
        get_token(wire, system(sandbox))
    assert not any(request.path.endswith("/token") for request in sandbox.requests)
