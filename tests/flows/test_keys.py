"""Private keys: made, kept in a file of their owner's, rotated, and used to sign."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from joserfc import jwt
from joserfc.jwk import KeySet

from practicefusion_connector import Connection
from practicefusion_connector.connection import Algorithm
from practicefusion_connector.errors import InvalidConfig, InvalidInput
from practicefusion_connector.smart import key_files, keys
from tests.flows.leaks import Leaks

AUDIENCE = "https://ehr.example/fhir/token"
FIELDS = {"fhir_base_url": "https://ehr.example/fhir", "client_id": "app", "level": "system"}


def pem(key: Any, password: bytes | None = None) -> str:
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    return text.decode()


RSA_PEM = pem(rsa.generate_private_key(65537, 2048))
EC_PEM = pem(ec.generate_private_key(ec.SECP384R1()))


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_an_assertion_says_what_practice_fusion_asks_for(algorithm: Algorithm) -> None:
    private = keys.generate(algorithm)
    connection = Connection.of(
        **FIELDS, private_key=json.dumps(private), jwks_url="https://app.example/jwks.json"
    )
    first, second = (keys.client_assertion(connection, AUDIENCE, now=1000.9) for _ in "12")
    public = KeySet.import_key_set({"keys": [keys.public_jwk(private)]})
    token = jwt.decode(first, public, algorithms=[algorithm])
    assert token.header == {
        "alg": algorithm,
        "kid": private["kid"],
        "typ": "JWT",
        "jku": "https://app.example/jwks.json",
    }
    claims = token.claims
    jti = claims.pop("jti")
    assert claims == {"iss": "app", "sub": "app", "aud": AUDIENCE, "exp": 1240}
    assert jwt.decode(second, public, algorithms=[algorithm]).claims["jti"] != jti


@pytest.mark.parametrize(
    ("text", "algorithm"),
    [
        (RSA_PEM, "RS384"),
        (EC_PEM, "ES384"),
        (EC_PEM.replace("\n", "\\n"), "ES384"),
        (json.dumps({"keys": [keys.generate("ES384") | {"kid": "k"}]}), "ES384"),
    ],
)
def test_a_key_may_be_pem_or_jwk_or_one_of_a_set(text: str, algorithm: str) -> None:
    signing = keys.signing_key(Connection.of(**FIELDS, private_key=text, key_id="k"))
    assert (signing.key_id, signing.algorithm) == ("k", algorithm)


def test_the_key_id_chooses_during_a_rotation() -> None:
    old, new = keys.generate("ES384"), keys.generate("ES384")
    both = json.dumps({"keys": [old, new]})
    for one in (old, new):
        connection = Connection.of(**FIELDS, private_key=both, key_id=one["kid"])
        assert keys.signing_key(connection).key.as_dict(private=True)["d"] == one["d"]


EC_JWK = keys.generate("ES384")


@pytest.mark.filterwarnings("ignore:Key size")
@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"private_key": RSA_PEM}, "key_id"),
        ({"private_key": RSA_PEM, "key_id": "k", "algorithm": "ES384"}, "algorithm"),
        ({"private_key": "no key at all", "key_id": "k"}, "private_key"),
        ({"private_key": '{"kty": "EC", "d": "canary', "key_id": "k"}, "private_key"),
        ({"private_key": pem(ec.generate_private_key(ec.SECP256R1())), "key_id": "k"},
         "private_key"),
        ({"private_key": pem(rsa.generate_private_key(65537, 1024)), "key_id": "k"},
         "private_key"),
        ({"private_key": pem(ec.generate_private_key(ec.SECP384R1()), b"password"),
          "key_id": "k"}, "private_key"),
        ({"private_key": json.dumps(keys.public_jwk(EC_JWK))}, "private_key"),
        ({"private_key": json.dumps(EC_JWK), "key_id": "another"}, "key_id"),
        ({"private_key": json.dumps({"keys": [EC_JWK]}), "key_id": "another"}, "key_id"),
        ({"private_key": json.dumps({"keys": "EC"}), "key_id": "another"}, "key_id"),
        ({}, "private_key"),
    ],
)  # fmt: skip
def test_a_key_that_cannot_sign_is_explained(
    fields: dict[str, str], path: str, leaks: Leaks
) -> None:
    connection = Connection.of(**FIELDS, **fields)
    leaks.plant("private key", fields.get("private_key", "no private key"))
    leaks.plant("private exponent", EC_JWK["d"])
    with pytest.raises(InvalidConfig) as refused:
        keys.signing_key(connection)
    assert [problem["path"] for problem in refused.value.problems] == [path]
    leaks.check(refused.value, connection)


def test_a_key_file_goes_through_a_rotation(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    first = key_files.create(file, "ES384")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    second = key_files.rotate(file)
    published = key_files.public_set(file)["keys"]
    assert [key["kid"] for key in published] == [first, second] == key_files.key_ids(file)
    assert all("d" not in key for key in published)
    assert key_files.finish(file) == [first]
    assert key_files.key_ids(file) == [second]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


def test_a_key_file_is_neither_overwritten_nor_rotated_twice(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key_files.create(file, "ES384")
    with pytest.raises(InvalidInput, match="there is such a file already"):
        key_files.create(file, "ES384")
    with pytest.raises(InvalidInput, match="one key only"):
        key_files.finish(file)
    key_files.rotate(file)
    with pytest.raises(InvalidInput, match="finish that rotation first"):
        key_files.rotate(file)
    assert len(key_files.key_ids(file)) == 2


@pytest.mark.parametrize("content", [None, "", "[]", '{"keys": []}', '{"keys": [{"kid": "x"}]}'])
def test_what_is_no_key_file_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "keys.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InvalidInput, match="key file is not usable"):
        key_files.public_set(file)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys.json"
    key_files.create(file, "ES384")
    before = file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(InvalidInput, match="No space left"):
        key_files.rotate(file)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]
