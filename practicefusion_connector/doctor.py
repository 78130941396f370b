"""Knowing before it fails: is this connection set up so that the actions will run?

`examine` asks the practice a few questions, reads no record, and gives a `Report` for a host's
"test connection" or the command line. Whatever is wrong becomes a check with a sentence; nothing
is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import CODES, AuthExpired, ConnectorError
from practicefusion_connector.registry import Action, Registry, shipped
from practicefusion_connector.smart.capabilities import (
    Capabilities,
    capabilities,
    capability_statement,
)
from practicefusion_connector.smart.check import try_token
from practicefusion_connector.smart.discovery import Endpoints
from practicefusion_connector.smart.known_servers import KnownServers
from practicefusion_connector.smart.provider import ManagedTokens, TokenProvider
from practicefusion_connector.smart.scopes import covers
from practicefusion_connector.transport import Run, Transport

State = Literal["ok", "warning", "failed", "skipped"]

# Seconds. A signed assertion is good for 240 s of the 300 s a server allows, an id_token may be
# 60 s off: a clock that is further away fails one of the two.
_SKEW_NOTED, _SKEW_FATAL = 10.0, 60.0


@dataclass(frozen=True, slots=True)
class Check:
    """One question and what came of it; `says` is safe to show."""

    name: str
    state: State
    says: str


@dataclass(frozen=True, slots=True)
class ActionCheck:
    """Whether an action will run with this grant, and the scope it lacks where it will not."""

    key: str
    works: bool
    lacks: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What `examine` found.

    Attributes:
        label: the practice's name, or its host.
        checks: in the order they were made.
        actions: each core action; empty where the granted scopes are not known.
        missing_parameters: by resource, search parameters the actions offer as declared and this
            server does not declare.
        new_parameters: by resource, search parameters this server declares and no action offers.
        clock_skew: seconds this machine's clock is ahead of the server's, where it said its time.
    """

    label: str
    checks: tuple[Check, ...]
    actions: tuple[ActionCheck, ...] = ()
    missing_parameters: dict[str, list[str]] = field(default_factory=dict)
    new_parameters: dict[str, list[str]] = field(default_factory=dict)
    clock_skew: float | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing failed; warnings and scopes that were not asked for do not count."""
        return not any(check.state == "failed" for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready data."""
        return {"ok": self.ok, **asdict(self)}


def examine(
    connection: Connection,
    tokens: TokenProvider | None = None,
    *,
    transport: Transport,
    granted_scopes: Iterable[str] | None = None,
    registry: Registry | None = None,
    deadline: float = 60.0,
) -> Report:
    """Examine a connection: discovery, TLS, clock, token, scopes, and what the server declares.

    Args:
        connection: which practice and application.
        tokens: hands out the access token; without it the token is not tested.
        transport: asks the questions.
        granted_scopes: of the grant; read from the store where `tokens` are `ManagedTokens`.
        registry: the actions; the shipped ones where left out.
        deadline: seconds for all of it.
    """
    examination = _Examination(connection, transport, Run(deadline))
    discovered = examination.ask("discovery", examination.discovery)
    declared = examination.ask("capability statement", examination.declared)
    examination.tls(reached=bool(discovered or declared))
    skew = examination.clock(declared) if declared else None
    examination.ask("token", lambda: examination.token(tokens, granted_scopes))
    if granted_scopes is None and isinstance(tokens, ManagedTokens):
        granted_scopes = tokens.granted_scopes()
    core = (registry or shipped()).core()
    actions = _actions(core, connection, tuple(granted_scopes or ()))
    examination.scopes(actions)
    missing, new = _differences(core, declared) if declared else ({}, {})
    if declared:
        examination.parameters(missing, new)
    return Report(
        declared.label if declared else urlsplit(connection.fhir_base_url).hostname or "",
        tuple(examination.checks),
        actions,
        missing,
        new,
        skew,
    )
