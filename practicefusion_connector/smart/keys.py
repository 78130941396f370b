"""An application's private key, and the assertion it signs instead of sending a secret.

RFC 7523 §2.2 and SMART App Launch 2.0, "Client Authentication: Asymmetric". Pure: no file and no
network. Keys never show: not in a repr, not in an error.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any, cast

from practicefusion_connector.connection import Algorithm, Connection
from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.smart.jose import errors as jose_errors
from practicefusion_connector.smart.jose import jwk, jwt

# The server refuses more than 300 s ahead; the rest is room for a clock that is a little fast.
ASSERTION_LIFETIME = 240

_RSA_BITS = 3072
_SMALLEST_RSA = 2048


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that is fit to sign, with its id and algorithm."""

    key: jwk.RSAKey | jwk.ECKey = field(repr=False)
    key_id: str
    algorithm: Algorithm


def generate(algorithm: Algorithm) -> dict[str, Any]:
    """Return a new private JWK; its `kid` is its thumbprint (RFC 7638)."""
    parameters = cast(Any, {"use": "sig", "alg": algorithm})
    key: jwk.RSAKey | jwk.ECKey
    if algorithm == "RS384":
        key = jwk.RSAKey.generate_key(_RSA_BITS, parameters, auto_kid=True)
    else:
        key = jwk.ECKey.generate_key("P-384", parameters, auto_kid=True)
    return dict(key.as_dict(private=True))


def public_jwk(private: dict[str, Any]) -> dict[str, Any]:
    """Return the public half of a private JWK."""
    return dict(jwk.JWKRegistry.import_key(private).as_dict(private=False))


def client_assertion(connection: Connection, audience: str, now: float) -> str:
    """Return a signed assertion for one token request (SMART App Launch 2.0, `private_key_jwt`).

    Args:
        connection: with a private key.
        audience: the practice's token endpoint; an assertion is good for one practice only.
        now: POSIX seconds.

    Raises:
        InvalidConfig: the key, its id or its algorithm is not usable.
    """
    signing = signing_key(connection)
    header = {"alg": signing.algorithm, "kid": signing.key_id, "typ": "JWT"}
    if connection.jwks_url:
        header["jku"] = connection.jwks_url
    claims = {
        "iss": connection.client_id,
        "sub": connection.client_id,
        "aud": audience,
        "exp": int(now) + ASSERTION_LIFETIME,
        "jti": secrets.token_urlsafe(24),
    }
    return jwt.encode(header, claims, signing.key, algorithms=[signing.algorithm])


def signing_key(connection: Connection) -> SigningKey:
    """Return the connection's private key, or raise `InvalidConfig` saying what is wrong with it.

    The key may be PEM, a JWK, or a JWK Set from which `key_id` chooses.
    """
    if connection.private_key is None:
        raise _wrong("private_key", "it is missing.")
    text = connection.private_key.get_secret_value().strip()
    found = _jwk(text, connection.key_id) if text.startswith("{") else {}
    key = _imported(found or text)
    key_id = connection.key_id or found.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise _wrong("key_id", "it is missing; it names the key in the registered JWKS (kid).")
    algorithm = _algorithm(key)
    if connection.algorithm not in (None, algorithm):
        raise _wrong("algorithm", f"the private key is one for {algorithm}.")
    return SigningKey(key, key_id, algorithm)


def _jwk(text: str, key_id: str | None) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        document = {}
    if "keys" not in document:
        if document.get("kid", key_id) != (key_id or document.get("kid")):
            raise _wrong("key_id", "the private key carries another kid.")
        return cast(dict[str, Any], document)
    keys = document["keys"] if isinstance(document["keys"], list) else []
    fitting = [key for key in keys if key_id is None or key.get("kid") == key_id]
    if len(fitting) != 1:
        raise _wrong("key_id", "it must name one key of the JWK Set in private_key.")
    return cast(dict[str, Any], fitting[0])


def _imported(source: str | dict[str, Any]) -> jwk.RSAKey | jwk.ECKey:
    # Nothing is raised inside a handler here: what the libraries raise may quote the key.
    for kind in (jwk.RSAKey, jwk.ECKey):
        try:
            # A form or an environment variable often holds a PEM's line ends as two characters.
            key = kind.import_key(
                source.replace("\\n", "\n") if isinstance(source, str) else source
            )
        except (jose_errors.JoseError, ValueError, TypeError, KeyError, AttributeError):
            continue
        if key.is_private and isinstance(key, jwk.RSAKey | jwk.ECKey):
            return key
    raise _wrong(
        "private_key",
        "it must be an RSA or P-384 private key without a password, as PEM or JWK.",
    )


def _algorithm(key: jwk.RSAKey | jwk.ECKey) -> Algorithm:
    if isinstance(key, jwk.RSAKey):
        if key.raw_value.key_size < _SMALLEST_RSA:
            raise _wrong("private_key", f"an RSA key needs at least {_SMALLEST_RSA} bits.")
        return "RS384"
    if key.curve_name != "P-384":
        raise _wrong("private_key", "an elliptic curve key must be on the curve P-384.")
    return "ES384"


def _wrong(path: str, message: str) -> InvalidConfig:
    return InvalidConfig(
        f"The connection cannot sign: {path}: {message}",
        problems=[{"path": path, "message": message}],
    )
