"""Whether a connection works, in one call, for a host's "test connection" button.

Three questions: does the practice answer, is the access token accepted, does the grant cover what
is wanted. No record is read: the token is tried on an id that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import (
    ConnectorError,
    Forbidden,
    InvalidConfig,
    NotFound,
    Rejected,
)
from practicefusion_connector.registry import shipped
from practicefusion_connector.smart.known_servers import KnownServers, shared
from practicefusion_connector.smart.scopes import not_granted, scopes_for
from practicefusion_connector.transport import Answer, Run, Transport

_NO_SUCH_ID = "practicefusion-connector-check"
_SCOPED_TYPE = re.compile(r"(?:user|patient|system)/([A-Z][A-Za-z]+)\.")

# Answers that come only after the token was accepted.
_ACCEPTED = (NotFound, Forbidden, Rejected)


@dataclass(frozen=True, slots=True)
class ConnectionCheck:
    """What a connection test found; safe to show.

    Attributes:
        ok: the practice answers and accepts the token.
        label: what to call the connection: the practice's name, or its host.
        granted_scopes: as the token endpoint told them.
        missing_scopes: wanted but not granted.
        fhir_version: as the server tells it.
        problem: what went wrong, with a remedy; `None` where `ok`.
    """

    ok: bool
    label: str
    granted_scopes: tuple[str, ...] = ()
    missing_scopes: tuple[str, ...] = ()
    fhir_version: str | None = None
    problem: ConnectorError | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the check as JSON-ready data."""
        return {
            "ok": self.ok,
            "label": self.label,
            "granted_scopes": list(self.granted_scopes),
            "missing_scopes": list(self.missing_scopes),
            "fhir_version": self.fhir_version,
            "problem": self.problem.to_dict() if self.problem else None,
        }


class Told(NamedTuple):
    """What a practice's CapabilityStatement tells of the practice."""

    label: str
    fhir_version: str | None
    statement: Mapping[str, Any]


def check(
    transport: Transport,
    connection: Connection,
    access_token: str | None,
    granted: Iterable[str],
    run: Run,
    servers: KnownServers | None = None,
) -> ConnectionCheck:
    """Test a connection; whatever is wrong comes back as `problem`, nothing is raised."""
    host = urlsplit(connection.fhir_base_url).hostname or connection.id
    scopes = tuple(granted)
    wanted = connection.scopes or scopes_for(shipped().core(), connection.level)
    missing = not_granted(wanted, scopes) if scopes else ()
    practice: Told | None = None
    try:
        (servers or shared()).endpoints(transport, connection, run)
        practice = told(
            capability_statement(transport, connection.fhir_base_url, run),
            connection.fhir_base_url,
        )
        if access_token is not None:
            try_token(transport, connection.fhir_base_url, access_token, scopes, run)
    except ConnectorError as error:
        return ConnectionCheck(
            False,
            practice.label if practice else host,
            scopes,
            missing,
            practice.fhir_version if practice else None,
            error,
        )
    return ConnectionCheck(True, practice.label, scopes, missing, practice.fhir_version)


def capability_statement(transport: Transport, base: str, run: Run) -> Answer:
    """Ask the server what it can do (FHIR R4 http §3.1.0.14); that needs no token."""
    return transport.get(
        f"{base}/metadata", {"Accept": "application/fhir+json"}, run, practice=base
    )


def told(answer: Answer, base: str) -> Told:
    """Read a CapabilityStatement, or raise `InvalidConfig` where it is none."""
    document = answer.json()
    if not isinstance(document, dict) or document.get("resourceType") != "CapabilityStatement":
        raise InvalidConfig("There is no FHIR server at the FHIR base URL; check it.")
    implementation = document.get("implementation")
    described = implementation.get("description") if isinstance(implementation, dict) else None
    label = described if isinstance(described, str) and described.strip() else None
    version = document.get("fhirVersion")
    return Told(
        (label or urlsplit(base).hostname or base).strip()[:200],
        version if isinstance(version, str) else None,
        document,
    )


def try_token(
    transport: Transport, base: str, access_token: str | None, granted: Iterable[str], run: Run
) -> None:
    """Ask for a record that does not exist: without a good token the server refuses even that.

    Raises:
        AuthExpired: the server refuses the token.
        ConnectorError: the server could not be asked.
    """
    types = (found[1] for scope in granted if (found := _SCOPED_TYPE.match(scope)))
    headers = {"Accept": "application/fhir+json"}
    if access_token is not None:
        headers["Authorization"] = f"Bearer {access_token}"
    try:
        transport.get(f"{base}/{next(types, 'Patient')}/{_NO_SUCH_ID}", headers, run, practice=base)
    except _ACCEPTED:
        return
