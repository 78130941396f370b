"""Where a practice's authorization endpoints are (SMART App Launch 2.0 §3, Conformance).

The practice's own `.well-known/smart-configuration` first, then its CapabilityStatement's security
extension, then the connection's auth base URL. The patient surface authorizes on another host than
the provider surface, so nothing is assumed from the FHIR base.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from practicefusion_connector.connection import Connection, checked_url, is_loopback
from practicefusion_connector.errors import (
    AuthExpired,
    Forbidden,
    InvalidConfig,
    InvalidResponse,
    NotFound,
    Rejected,
)
from practicefusion_connector.transport import Run, Transport

_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
# An answer that means "not offered here"; anything else (network, 5xx) is a failure to report.
# A server may ask even here for a token, which nobody has yet.
_ABSENT = (NotFound, Forbidden, Rejected, AuthExpired, InvalidResponse)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """A practice's OAuth endpoints and what its server says it can do."""

    authorization: str | None
    token: str
    issuer: str | None = None
    introspection: str | None = None
    revocation: str | None = None
    jwks: str | None = None
    capabilities: tuple[str, ...] = ()
    source: str = "smart-configuration"


def discover(transport: Transport, connection: Connection, run: Run) -> Endpoints:
    """Return the endpoints of the connection's practice.

    Raises:
        InvalidConfig: where the server declares none and the connection has no auth base URL.
        InvalidResponse: where a declared endpoint is not fit for tokens.
        ConnectorError: where the server could not be asked.
    """
    base = connection.fhir_base_url
    for path, read in (
        ("/.well-known/smart-configuration", _from_smart_configuration),
        ("/metadata", _from_capability_statement),
    ):
        try:
            document = transport.get(
                base + path, {"Accept": "application/json"}, run, practice=base
            ).json()
        except _ABSENT:
            continue
        if isinstance(document, dict) and (found := read(document, base)):
            return found
    if connection.auth_base_url:
        auth = connection.auth_base_url
        return Endpoints(f"{auth}/authorize", f"{auth}/token", source="auth-base-url")
    raise InvalidConfig(
        "The server declares no authorization endpoints. Check the FHIR base URL (it must name one "
        "practice), or give the connection an auth base URL."
    )


def _from_smart_configuration(document: Mapping[str, Any], base: str) -> Endpoints | None:
    if not document.get("token_endpoint"):
        return None
    listed = document.get("capabilities")
    return Endpoints(
        authorization=_fit(document.get("authorization_endpoint"), base),
        token=_fit(document["token_endpoint"], base) or "",
        issuer=document["issuer"] if isinstance(document.get("issuer"), str) else None,
        introspection=_fit(document.get("introspection_endpoint"), base),
        revocation=_fit(document.get("revocation_endpoint"), base),
        jwks=_fit(document.get("jwks_uri"), base),
        capabilities=tuple(map(str, listed)) if isinstance(listed, list) else (),
    )


def _from_capability_statement(document: Mapping[str, Any], base: str) -> Endpoints | None:
    uris = {
        part.get("url"): part.get("valueUri")
        for rest in _dicts(document.get("rest"))
        for extension in _dicts(_dict(rest.get("security")).get("extension"))
        if extension.get("url") == _OAUTH_URIS
        for part in _dicts(extension.get("extension"))
    }
    if not uris.get("token"):
        return None
    return Endpoints(
        authorization=_fit(uris.get("authorize"), base),
        token=_fit(uris["token"], base) or "",
        introspection=_fit(uris.get("introspect"), base),
        revocation=_fit(uris.get("revoke"), base),
        source="capability-statement",
    )


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _fit(url: Any, base: str) -> str | None:
    """Return a declared endpoint where tokens may go to it; a remote server cannot name ours."""
    if not url:
        return None
    try:
        fit = checked_url(url)
    except (ValueError, AttributeError, TypeError):
        fit = ""
    inward = is_loopback(urlsplit(fit).hostname) and not is_loopback(urlsplit(base).hostname)
    if not fit or inward:
        raise InvalidResponse(
            "The server declares an authorization endpoint that is not an https URL of its own."
        )
    return fit
