"""Standalone launch: from a connection to its first tokens (SMART App Launch 2.0 §2.0.8).

Two steps with a person between them. `begin` gives a URL to open and a `Pending` to keep;
`complete` takes the URL the browser came back to and gives the tokens. A launch from the EHR
begins in `ehr_launch` and is completed here.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qs, urlsplit

import pkce
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import (
    ActionWarning,
    Forbidden,
    InvalidConfig,
    InvalidInput,
    ReauthRequired,
)
from practicefusion_connector.smart import oauth
from practicefusion_connector.smart.discovery import Endpoints
from practicefusion_connector.smart.known_servers import KnownServers, shared
from practicefusion_connector.smart.scopes import not_granted
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.transport import Run, Transport

_BEGIN_AGAIN = "begin the authorization again"


class Pending(BaseModel):
    """What must be kept between the two steps; its secrets never show in a repr.

    A web application keeps it where the browser cannot read it: `to_json` and `from_json`.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    url: SecretStr
    state: SecretStr
    code_verifier: SecretStr
    scopes: tuple[str, ...]
    nonce: SecretStr | None = None

    def to_json(self) -> str:
        """Return it with its real secrets; `model_dump_json` would mask them for good."""
        return json.dumps(self.model_dump(), default=SecretStr.get_secret_value)

    @classmethod
    def from_json(cls, text: str) -> Pending:
        """Rebuild what `to_json` gave, or raise `InvalidInput`."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            # The cause would hold the input, which is full of secrets.
            pass
        raise InvalidInput(f"What was kept of the authorization is damaged; {_BEGIN_AGAIN}.")


def begin(connection: Connection, endpoints: Endpoints, scopes: Iterable[str]) -> Pending:
    """Return the authorization request for a standalone launch.

    PKCE is always S256 (RFC 7636 §4.2) and the audience is the FHIR base. The scope `launch` is
    refused: it belongs to a launch from the EHR, and the server would fail only after the consent.

    Raises:
        InvalidConfig: no redirect URI, no authorization endpoint, or a scope that cannot be asked.
    """
    asked = tuple(dict.fromkeys(scopes))
    if "launch" in asked:
        raise InvalidConfig('A standalone launch cannot ask for the scope "launch"; leave it out.')
    return request(connection, endpoints, asked)


def request(
    connection: Connection, endpoints: Endpoints, scopes: tuple[str, ...], **extra: str
) -> Pending:
    """Return an authorization request with PKCE, a state and, for `openid`, a nonce."""
    if any(scope != "fhirUser" and scope.lower() == "fhiruser" for scope in scopes):
        raise InvalidConfig('The scope is spelt "fhirUser"; the server refuses other spellings.')
    if not connection.redirect_uri:
        raise InvalidConfig("The connection needs a redirect URI to be authorized by a person.")
    nonce = None
    if "openid" in scopes:
        nonce = SecretStr(secrets.token_urlsafe(32))
        extra["nonce"] = nonce.get_secret_value()
    state = secrets.token_urlsafe(32)
    verifier, challenge = pkce.generate_pkce_pair(code_verifier_length=96)
    url = oauth.authorization_url(
        connection, endpoints, scopes, state=state, code_challenge=challenge, **extra
    )
    return Pending(
        url=SecretStr(url),
        state=SecretStr(state),
        code_verifier=SecretStr(verifier),
        scopes=scopes,
        nonce=nonce,
    )


def complete(
    transport: Transport,
    connection: Connection,
    endpoints: Endpoints,
    pending: Pending,
    callback_url: str,
    run: Run,
    *,
    servers: KnownServers | None = None,
) -> TokenSet:
    """Check the URL the browser came back to and exchange its code for tokens.

    An id_token that comes along is verified, and says in the context who connected (`fhirUser`).
    What the answer lacks is in `shortcomings`.

    Args:
        servers: remembers the keys that id_tokens are signed with; the process's own where left
            out.

    Raises:
        InvalidInput: the URL is not the answer to this request.
        Forbidden: the person refused, or the server did.
        InvalidResponse: the id_token is not what it should be.
        ConnectorError: as `oauth.exchange_code`.
    """
    code = read_callback(callback_url, pending, endpoints.issuer)
    verifier = pending.code_verifier.get_secret_value()
    tokens = oauth.exchange_code(transport, connection, endpoints, code, verifier, run)
    if tokens.id_token is None:
        return tokens
    try:
        from practicefusion_connector.smart import identity
    except InvalidConfig:
        # Without the extra `smart` nothing can check it, and what is not checked is not kept.
        return tokens.model_copy(update={"id_token": None})
    nonce = pending.nonce.get_secret_value() if pending.nonce else None
    known = servers or shared()
    return identity.identified(transport, known, connection, endpoints, tokens, nonce, run)


def shortcomings(pending: Pending, tokens: TokenSet) -> list[ActionWarning]:
    """Return what was asked for and did not come; the connection works without it."""
    found = []
    if missing := not_granted(pending.scopes, tokens.scope or pending.scopes):
        found.append(ActionWarning("scope_not_granted", f"Not granted: {', '.join(missing)}."))
    if "openid" in pending.scopes and tokens.id_token is None:
        found.append(
            ActionWarning(
                "id_token_missing",
                "No id_token that can be checked came along, so it is not known who connected.",
            )
        )
    if "offline_access" in pending.scopes and tokens.refresh_token is None:
        found.append(
            ActionWarning(
                "refresh_token_missing",
                "No refresh token came along, so a person must "
                "connect again when the access token expires.",
            )
        )
    return found


def read_callback(callback_url: str, pending: Pending, issuer: str | None) -> str:
    """Return the authorization code in a callback URL (RFC 6749 §4.1.2, RFC 9207 for `iss`)."""
    try:
        query = parse_qs(urlsplit(callback_url).query)
    except ValueError:  # no URL, so no answer to the request either
        query = {}
    answer: Mapping[str, str] = {name: values[0] for name, values in query.items()}
    expected = pending.state.get_secret_value()
    if not hmac.compare_digest(
        answer.get("state", "").encode("utf-8", "replace"), expected.encode()
    ):
        raise InvalidInput(
            f"The callback's state is not the one sent out, so it may be forged; {_BEGIN_AGAIN}."
        )
    if "iss" in answer and issuer and answer["iss"].rstrip("/") != issuer.rstrip("/"):
        raise InvalidInput(f"The callback comes from another issuer; {_BEGIN_AGAIN}.")
    if "error" in answer:
        raise _refused(answer["error"])
    if not answer.get("code"):
        raise InvalidInput(f"The callback carries no authorization code; {_BEGIN_AGAIN}.")
    return answer["code"]


def _refused(error: str) -> Exception:
    """Say what an authorization error means (RFC 6749 §4.1.2.1)."""
    if error == "access_denied":
        return Forbidden("The person did not allow access.")
    if error in (
        "invalid_scope",
        "unauthorized_client",
        "invalid_request",
        "unsupported_response_type",
    ):
        return InvalidConfig(
            f"The server refused the authorization request ({error}): check client id, redirect "
            "URI and scopes."
        )
    return ReauthRequired(f"The server could not finish the authorization; {_BEGIN_AGAIN}.")
