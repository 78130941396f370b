"""A connection: which practice, which application, which authority.

Pure data with checks; it knows nothing of the network or of tokens. Secrets are `SecretStr`, so
that no repr and no log shows them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from practicefusion_connector.errors import InvalidConfig

M = TypeVar("M", bound=BaseModel)
Level = Literal["user", "patient", "system"]
AuthMethod = Literal["client_secret_post", "client_secret_basic", "client_secret_basic_raw"]
Algorithm = Literal["RS384", "ES384"]

_PLAIN_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d+)?")


def is_loopback(host: str | None) -> bool:
    """Say whether `host` names this machine (RFC 8252 §7.3)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def checked_url(url: str) -> str:
    """Return `url` without a trailing slash, or raise `ValueError` where it is not fit for tokens.

    https is required except on loopback; credentials, queries and fragments have no place in it.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it must be an absolute URL that begins with https://")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("it must begin with https:// (http is allowed on loopback only)")
    if not _PLAIN_HOST.fullmatch(parts.netloc.rpartition("@")[2]):
        # Libraries disagree on where such a host ends, so a check of it would prove nothing.
        raise ValueError("its host must be a plain name or address")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("it must have no user name, no query and no fragment")
    return parts._replace(path=parts.path.rstrip("/")).geturl()


def exact_url(url: str) -> str:
    """Return `url` as it is, or raise `ValueError` as `checked_url` does: it is compared, not read.

    A JWKS URL must equal the registered one to the letter, a slash at its end included.
    """
    checked_url(url)
    return url


def connection_of(kind: type[M], fields: Mapping[str, Any], *, whole: str = "") -> M:
    """Build a connection of some kind from form fields; a field left empty was not filled in.

    Args:
        whole: the field to name where it is the connection as a whole that is wrong.

    Raises:
        InvalidConfig: naming each wrong field.
    """
    present = {name: value for name, value in fields.items() if value not in (None, "")}
    try:
        return kind(**present)
    except ValidationError as error:
        problems = [
            {
                "path": ".".join(map(str, item["loc"])) or whole,
                "message": item["msg"].removeprefix("Value error, "),
            }
            for item in error.errors(include_input=False, include_url=False)
        ]
    told = "; ".join(f"{problem['path']}: {problem['message']}" for problem in problems)
    raise InvalidConfig(f"The connection is not usable: {told}.", problems=problems)


BaseURL = Annotated[str, AfterValidator(checked_url)]
ExactURL = Annotated[str, AfterValidator(exact_url)]


class Connection(BaseModel):
    """One practice, reached by one application on one level of authority.

    Build it with `Connection.of(...)`, which raises `InvalidConfig`; the fields are those a host's
    connection form asks for (`schemas/connection.schema.json`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: str = Field(
        default="default",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",
        title="Connection ID",
        description="The host's own name for this connection.",
    )
    fhir_base_url: BaseURL = Field(
        title="FHIR Base URL",
        description="The practice's FHIR base URL; also the audience of its tokens.",
        examples=["https://api.practicefusion.com/fhir/r4/v1/118b460b-8390-4754-8e4a-1dd5ee20f599"],
    )
    auth_base_url: BaseURL | None = Field(
        default=None,
        title="Auth Base URL",
        description="Where /authorize and /token live, used only when the server declares no "
        "endpoints itself.",
    )
    client_id: str = Field(
        min_length=1, title="Client ID", description="The application's id at Practice Fusion."
    )
    client_secret: SecretStr | None = Field(
        default=None,
        title="Client Secret",
        description="The application's secret; left out for a public application.",
    )
    redirect_uri: str | None = Field(
        default=None,
        title="Redirect URI",
        description="Where the browser returns after authorization; must be registered.",
    )
    scopes: tuple[str, ...] | None = Field(
        default=None,
        title="Scopes",
        description="Scopes to ask for; left out, they follow from the actions.",
    )
    level: Level = Field(
        default="user",
        title="Level",
        description="Whose authority: a provider (user), a patient, or the application (system).",
    )
    auth_method: AuthMethod = Field(
        default="client_secret_post",
        title="Client Authentication",
        description="How the client secret travels to the token endpoint.",
    )
    private_key: SecretStr | None = Field(
        default=None,
        title="Private Key",
        description="The application's private key, as PEM, a JWK or a JWK Set; used instead of a "
        "secret (private_key_jwt).",
    )
    key_id: str | None = Field(
        default=None,
        title="Key ID",
        description="The key's kid in the registered JWKS; a JWK with a kid of its own needs none.",
    )
    algorithm: Algorithm | None = Field(
        default=None,
        title="Signing Algorithm",
        description="RS384 for an RSA key, ES384 for a P-384 key; left out, it follows the key.",
    )
    jwks_url: ExactURL | None = Field(
        default=None,
        title="JWKS URL",
        description="Where the public keys are hosted, exactly as registered; sent as jku.",
    )

    @field_validator("scopes", mode="before")
    @classmethod
    def _split(cls, scopes: Any) -> Any:
        # OAuth writes scopes as one space-separated string (RFC 6749 §3.3); forms do too.
        return tuple(scopes.split()) if isinstance(scopes, str) else scopes

    @classmethod
    def of(cls, **fields: Any) -> Connection:
        """Build a connection from form fields, or raise `InvalidConfig` naming each wrong field."""
        return connection_of(cls, fields)
