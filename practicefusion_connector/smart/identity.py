"""Who connected: the id_token, verified (OpenID Connect Core §3.1.3.7, SMART App Launch 2.0).

Signature, issuer, audience, expiry and nonce, or nothing is believed. No claim gets into an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import InvalidResponse
from practicefusion_connector.smart.discovery import Endpoints
from practicefusion_connector.smart.jose import errors as jose_errors
from practicefusion_connector.smart.jose import jwk, jwt
from practicefusion_connector.smart.known_servers import KnownServers
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.transport import Run, Transport

if TYPE_CHECKING:
    from joserfc.jwt import ClaimsOption

# Asymmetric only: with HS256 anybody who knows the client secret, or the public key used as one,
# could sign; "none" is no signature at all.
ALGORITHMS = ("RS256", "RS384", "ES256", "ES384")

# Seconds two machines' clocks may differ.
_LEEWAY = 60

_FHIR_USER = re.compile(
    r"(?:^|/)((?:Patient|Practitioner|PractitionerRole|RelatedPerson|Person)"
    r"/[A-Za-z0-9.-]{1,64})$"
)
_UNUSABLE = (jose_errors.JoseError, ValueError, TypeError, KeyError, AttributeError)


class Identity(NamedTuple):
    """Who the id_token speaks of.

    Attributes:
        subject: the person's id at the issuer.
        fhir_user: the person as a FHIR reference, such as `Practitioner/123`.
    """

    subject: str
    fhir_user: str | None


class _UnfitKeys(InvalidResponse):
    """The keys at hand do not verify the signature; newer ones may."""


def identified(
    transport: Transport,
    servers: KnownServers,
    connection: Connection,
    endpoints: Endpoints,
    tokens: TokenSet,
    nonce: str | None,
    run: Run,
) -> TokenSet:
    """Return `tokens` with a verified id_token and the `fhirUser` it names.

    Where the server publishes no issuer or keys the id_token proves nothing and is dropped.

    Raises:
        InvalidResponse: the id_token is wrong.
        ConnectorError: the keys could not be had.
    """
    if tokens.id_token is None:
        return tokens
    if endpoints.jwks is None or endpoints.issuer is None:
        return tokens.model_copy(update={"id_token": None})
    token, issuer = tokens.id_token.get_secret_value(), endpoints.issuer
    client_id, now = connection.client_id, transport.clock()

    def checked(*, fresh: bool) -> Identity:
        jwks, practice = endpoints.jwks or "", connection.fhir_base_url
        keys = servers.keys(transport, jwks, run, fresh=fresh, practice=practice)
        return verify(token, keys, issuer=issuer, client_id=client_id, nonce=nonce, now=now)

    try:
        who = checked(fresh=False)
    except _UnfitKeys:
        # The server may have changed its keys since they were asked for; once is enough.
        who = checked(fresh=True)
    context = {name: value for name, value in tokens.context.items() if name != "fhirUser"}
    if who.fhir_user:
        context["fhirUser"] = who.fhir_user
    return tokens.model_copy(update={"context": context})


def verify(
    id_token: str,
    jwks: Mapping[str, Any],
    *,
    issuer: str,
    client_id: str,
    nonce: str | None,
    now: float,
) -> Identity:
    """Return whom `id_token` identifies, or raise `InvalidResponse` saying which check failed.

    Args:
        id_token: as the token endpoint gave it.
        jwks: the issuer's JWK Set.
        issuer: as discovery names it.
        client_id: must be among the audience.
        nonce: the one sent with the authorization request, or `None` where none was.
        now: POSIX seconds.
    """
    claims = _signed_claims(id_token, jwks)
    bare = issuer.rstrip("/")
    expected: dict[str, ClaimsOption] = {
        "iss": {"essential": True, "values": [bare, f"{bare}/"]},
        "aud": {"essential": True, "value": client_id},
        "exp": {"essential": True},
        "sub": {"essential": True},
        "nbf": {},
        "iat": {},
    }
    if nonce:
        expected["nonce"] = {"essential": True, "value": nonce}
    audience = claims.get("aud")
    if "azp" in claims or (isinstance(audience, list) and len(audience) > 1):
        expected["azp"] = {"essential": True, "value": client_id}
    wrong = next((name for name in expected if not _fits(claims, name, expected[name], now)), None)
    if wrong:
        raise InvalidResponse(
            f'The id_token is not believed: its claim "{wrong}" is missing, out of time or not the '
            "one expected. Begin the authorization again; if it stays so, check this machine's "
            "clock and the client id."
        )
    return Identity(claims["sub"], reference(claims.get("fhirUser")))


def reference(fhir_user: object) -> str | None:
    """Return a `fhirUser` claim, an absolute URL or not, as a reference such as `Patient/123`."""
    found = _FHIR_USER.search(fhir_user) if isinstance(fhir_user, str) else None
    return found[1] if found else None


def _signed_claims(id_token: str, jwks: Mapping[str, Any]) -> dict[str, Any]:
    # Errors are raised outside the handlers: what the library raises may quote the token.
    unfit = True
    try:
        keys = jwk.KeySet.import_key_set(cast(Any, jwks))
        return jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims
    except jose_errors.UnsupportedAlgorithmError:
        unfit = False
    except _UNUSABLE:
        pass
    if unfit:
        raise _UnfitKeys("The id_token's signature does not fit the server's published keys.")
    raise InvalidResponse("The id_token is signed in a way that proves nothing.")


def _fits(claims: dict[str, Any], name: str, option: ClaimsOption, now: float) -> bool:
    registry = jwt.JWTClaimsRegistry(now=int(now), leeway=_LEEWAY, **{name: option})
    try:
        registry.validate({name: claims[name]} if name in claims else {})
    except _UNUSABLE:
        return False
    return True
