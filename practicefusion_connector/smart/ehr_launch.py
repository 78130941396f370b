"""Launch from the EHR: the practice opens the app and names itself (SMART App Launch 2.0 §2.0.7).

The EHR sends the browser to the app's launch URL with `iss` and `launch`. Anybody can send such a
URL, so `iss` is believed only where it names a practice that is known; before that, nothing is
asked of any host. The answer is completed with `launch.complete`, as a standalone launch is.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from practicefusion_connector.connection import Connection, checked_url
from practicefusion_connector.errors import Forbidden, InvalidConfig, InvalidInput
from practicefusion_connector.smart.discovery import Endpoints
from practicefusion_connector.smart.known_servers import KnownServers, shared
from practicefusion_connector.smart.launch import Pending, request
from practicefusion_connector.transport import Run, Transport

Lookup = Callable[[str], Connection | None]


class VendorHosts(Container[str]):
    """Holds every FHIR base URL on Practice Fusion's own hosts, over https."""

    domains = ("practicefusion.com", "patientfusion.com")

    def __contains__(self, base_url: object) -> bool:
        try:
            parts = urlsplit(checked_url(base_url)) if isinstance(base_url, str) else None
        except ValueError:
            parts = None
        host = (parts.hostname if parts and parts.scheme == "https" else None) or ""
        return any(host.endswith(f".{name}") for name in self.domains)


class EhrLaunch(NamedTuple):
    """What was begun: for which connection, at which endpoints, and what to keep meanwhile."""

    connection: Connection
    endpoints: Endpoints
    pending: Pending


def read_launch_url(url: str) -> tuple[str, str]:
    """Return `iss` and `launch` from the URL the EHR opened, or raise `InvalidInput`."""
    try:
        query = parse_qs(urlsplit(url).query)
    except ValueError:
        query = {}
    missing = [name for name in ("iss", "launch") if len(query.get(name, ())) != 1]
    if missing:
        raise InvalidInput(
            f"The launch URL must carry {' and '.join(missing)} once; open the app from the EHR.",
            problems=[{"path": name, "message": "must be there once"} for name in missing],
        )
    return query["iss"][0], query["launch"][0]


def begin(
    transport: Transport,
    connection: Connection | Lookup,
    iss: str,
    launch: str,
    scopes: Iterable[str],
    run: Run,
    *,
    practices: Container[str] | None = None,
    servers: KnownServers | None = None,
) -> EhrLaunch:
    """Return the authorization request for a launch from the EHR.

    Args:
        transport: asks the practice for its endpoints, once `iss` is known to be a practice.
        connection: of the one practice that may launch; or a function that gives the connection
            for a base URL, `None` where the host has none.
        iss: the FHIR base URL the EHR names, as it came; not to be trusted.
        launch: the EHR's own value, passed on as it came.
        scopes: what to ask for; `launch` is added, and what belongs to a standalone launch
            (`launch/patient`, `launch/encounter`) is left out.
        run: its deadline.
        practices: with a function, the base URLs that may launch: a set, a `Directory`, or
            anything that answers `in`; Practice Fusion's own hosts where left out.
        servers: remembers discovery; the process's own where left out.

    Raises:
        InvalidInput: `iss` is no base URL, or `launch` is empty.
        Forbidden: `iss` is no practice that is known.
        ConnectorError: as `discover` and `launch.begin`.
    """
    if not launch:
        raise InvalidInput(
            "The launch carries no launch value; open the app from the EHR.",
            problems=[{"path": "launch", "message": "must not be empty"}],
        )
    chosen = _practice(
        connection, _base_url(iss), VendorHosts() if practices is None else practices
    )
    endpoints = (servers or shared()).endpoints(transport, chosen, run)
    own = [scope for scope in scopes if scope not in ("launch/patient", "launch/encounter")]
    asked = tuple(dict.fromkeys(["launch", *own]))
    return EhrLaunch(chosen, endpoints, request(chosen, endpoints, asked, launch=launch))


def _base_url(iss: str) -> str:
    try:
        return checked_url(iss)
    except ValueError:
        pass
    raise InvalidInput(
        "iss is not the base URL of a FHIR server; open the app from the EHR.",
        problems=[{"path": "iss", "message": "must be an https URL without a query"}],
    )


def _practice(
    connection: Connection | Lookup, base_url: str, practices: Container[str]
) -> Connection:
    if isinstance(connection, Connection):
        found: Connection | None = connection if connection.fhir_base_url == base_url else None
    elif base_url in practices:
        found = connection(base_url)
    else:
        found = None
    if found is None:
        raise Forbidden(
            "The launch names a practice (iss) that this application is not set up for, so nothing "
            "was sent there. Add a connection for the practice if it should be."
        )
    if found.fhir_base_url != base_url:
        raise InvalidConfig("The connection found for the launch belongs to another practice.")
    return found
