"""Knowing before it fails: is this connection set up so that the actions will run?

`examine` asks the practice a few questions, reads no record, and gives a `Report` for a host's
"test connection" or the command line. Whatever is wrong becomes a check with a sentence; nothing
is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import CODES, AuthExpired, ConnectorError
from practicefusion_connector.registry import Action, Registry, shipped
from practicefusion_connector.smart.check import capability_statement, told, try_token
from practicefusion_connector.smart.known_servers import KnownServers, shared
from practicefusion_connector.smart.provider import ManagedTokens, TokenProvider
from practicefusion_connector.smart.scopes import covers
from practicefusion_connector.transport import Answer, Run, Transport

State = Literal["ok", "warning", "failed", "skipped"]

# Seconds. A signed assertion is good for 240 s of the 300 s a server allows, and an id_token may
# be 60 s off: a clock further away than that fails one of the two.
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
    missing_parameters: Mapping[str, list[str]] = field(default_factory=dict)
    new_parameters: Mapping[str, list[str]] = field(default_factory=dict)
    clock_skew: float | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing failed; warnings do not count."""
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
    servers: KnownServers | None = None,
    deadline: float = 60.0,
) -> Report:
    """Examine a connection: TLS, clock, discovery, token, scopes, and what the server declares.

    Args:
        connection: which practice and application.
        tokens: hands out the access token; without it the token is not tested.
        transport: asks the questions.
        granted_scopes: of the grant; read from the store where `tokens` are `ManagedTokens`.
        registry: the actions; the shipped ones where left out.
        servers: remembers discovery; the process's own where left out.
        deadline: seconds for all of it.
    """
    run, base, core = Run(deadline), connection.fhir_base_url, (registry or shipped()).core()
    host = urlsplit(base).hostname or base
    answer, problem = _reach(transport, base, run)
    if problem and not problem.http_status:
        # No answer at all, or none that can be trusted: nothing else can be asked.
        return Report(host, (_failed("server", problem),))
    skew = _skew(answer, transport.clock()) if answer else None
    checks = [_tls(base), _clock(skew)]

    def discovery() -> Check:
        found = (servers or shared()).endpoints(transport, connection, run)
        at = urlsplit(found.token).hostname
        return Check("discovery", "ok", f"Tokens come from {at} (told by {found.source}).")

    checks.append(_made("discovery", discovery))
    practice = None
    try:
        practice = told(answer, base) if answer else None
    except ConnectorError as error:
        problem = error
    missing, new = differences(core, practice.statement) if practice else ({}, {})
    checks.append(_failed("server", problem) if problem else _parameters(missing, new))
    granted = tuple(granted_scopes or ())
    checks.append(_made("token", lambda: _token(transport, base, tokens, granted, run)))
    if not granted and isinstance(tokens, ManagedTokens):
        granted = tokens.granted_scopes()
    actions = action_checks(core, connection, granted)
    checks.append(_scopes(actions))
    return Report(practice.label if practice else host, tuple(checks), actions, missing, new, skew)


def action_checks(
    actions: Iterable[Action], connection: Connection, granted_scopes: Iterable[str]
) -> tuple[ActionCheck, ...]:
    """Return which actions the grant lets run; nothing where no scope is known."""
    granted = tuple(granted_scopes)
    if not granted:
        return ()
    level = connection.level
    found = []
    for action in actions:
        wanted = action.scopes.v2 if level == "system" else action.scopes.v1
        works = covers(granted, action)
        found.append(ActionCheck(action.key, works, None if works else f"{level}/{wanted}"))
    return tuple(found)


def differences(
    actions: Iterable[Action], statement: Mapping[str, Any]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Compare the actions' parameters with a CapabilityStatement's (FHIR R4 `searchParam`).

    Returns:
        By resource, those offered as declared that the server does not declare; and those it
        declares that no action offers.
    """
    rest = [each for each in _dicts(statement.get("rest")) if each.get("mode") == "server"]
    everywhere = {name for each in rest for name in _names(each)}
    declared = {
        str(resource.get("type")): _names(resource)
        for each in rest
        for resource in _dicts(each.get("resource"))
    }
    missing, new = {}, {}
    for action in actions:
        if action.operation != "search":
            continue
        own = declared.get(action.resource, set())
        offered = {parameter.name for parameter in action.parameters}
        promised = {each.name for each in action.parameters if each.support == "declared"}
        if lost := sorted(promised - own - everywhere):
            missing[action.resource] = lost
        if added := sorted(own - offered):
            new[action.resource] = added
    return missing, new


def _reach(
    transport: Transport, base: str, run: Run
) -> tuple[Answer | None, ConnectorError | None]:
    try:
        return capability_statement(transport, base, run), None
    except ConnectorError as error:
        return None, error


def _made(name: str, make: Callable[[], Check]) -> Check:
    try:
        return make()
    except ConnectorError as error:
        return _failed(name, error)


def _failed(name: str, error: ConnectorError) -> Check:
    return Check(name, "failed", f"{error.message} {CODES[error.code].advice}")


def _tls(base: str) -> Check:
    if urlsplit(base).scheme == "https":
        return Check("TLS", "ok", "The server's certificate was verified.")
    return Check("TLS", "warning", "Plain http, which is good for this machine only.")


def _skew(answer: Answer, now: float) -> float | None:
    try:
        return round(now - parsedate_to_datetime(answer.headers["Date"]).timestamp(), 1)
    except (KeyError, ValueError):
        return None


def _clock(skew: float | None) -> Check:
    if skew is None:
        return Check("clock", "skipped", "The server did not say its time.")
    # A Date has whole seconds, and the answer took a while.
    if abs(skew) <= _SKEW_NOTED:
        return Check("clock", "ok", "This machine's clock agrees with the server's.")
    says = f"This machine's clock is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}; set it."
    return Check("clock", "failed" if abs(skew) > _SKEW_FATAL else "warning", says)


def _token(
    transport: Transport,
    base: str,
    tokens: TokenProvider | None,
    granted: tuple[str, ...],
    run: Run,
) -> Check:
    if tokens is None:
        return Check("token", "skipped", "No access token was given.")
    token = tokens.access_token(run)
    if token is None:
        return Check("token", "skipped", "The connection uses no access token.")
    try:
        try_token(transport, base, token, granted, run)
    except AuthExpired:
        # As for an action: a refused token is renewed once before anything is said.
        fresh = tokens.access_token(run, rejected=token)
        try_token(transport, base, fresh, granted, run)
    return Check("token", "ok", "The server accepts the access token.")


def _scopes(actions: tuple[ActionCheck, ...]) -> Check:
    if not actions:
        return Check("scopes", "skipped", "The granted scopes are not known.")
    works = sum(action.works for action in actions)
    says = f"{works} of {len(actions)} actions will run with the scopes granted."
    if works == len(actions):
        return Check("scopes", "ok", says)
    return Check("scopes", "warning" if works else "failed", f"{says} Connect again for the rest.")


def _parameters(missing: Mapping[str, list[str]], new: Mapping[str, list[str]]) -> Check:
    lost, added = (sum(map(len, each.values())) for each in (missing, new))
    if not lost and not added:
        says = "The server declares exactly what the actions offer as declared."
        return Check("search parameters", "ok", says)
    says = f"{lost} that the actions offer are not declared by the server; {added} are new there."
    return Check("search parameters", "warning" if lost else "ok", says)


def _names(declared: Mapping[str, Any]) -> set[str]:
    return {str(each.get("name")) for each in _dicts(declared.get("searchParam"))}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
