"""Everything that can go wrong, as one tree.

ConnectorError
├── InvalidInput            invalid_input          an input was refused before anything was sent
├── InvalidConfig           invalid_config         the connection itself is wrong
├── AuthError
│   ├── AuthExpired         auth_expired           the access token is no longer good
│   ├── ReauthRequired      reauth_required        the grant is dead: a person must connect again
│   └── RefreshBusy         auth_refresh_busy      another worker holds the refresh
├── Forbidden               forbidden              the server refuses this connection
│   └── MissingScope        missing_scope          the grant lacks a scope
├── NotFound                not_found              no such resource
│   └── Gone                gone                   it was there and has been deleted
├── Rejected                rejected               the server refused the request as wrong
├── RateLimited             rate_limited           too many requests; wait
├── UpstreamUnavailable     upstream_unavailable   the server failed
├── NetworkFailure          network                the connection to the server broke
│   ├── ConnectFailure                             … or was never made: nothing was sent
│   └── Timeout             timeout                the server did not answer in time
├── InvalidResponse         invalid_response       the answer makes no sense
├── ResponseTooLarge        response_too_large     the answer is over the limit
├── DeadlineExceeded        deadline_exceeded      the caller's time is up
├── Cancelled               cancelled              the caller stopped it
└── InternalError           internal               a defect in this library

Whether a code is worth a retry, what remedies it and how HTTP says it are properties of the code,
held in `CODES`. Messages are sentences that are safe to show: no PHI, no token, no response body.
This file knows nothing of the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple


@dataclass(frozen=True, slots=True)
class Code:
    """What is true of an error code wherever it is raised."""

    title: str
    retryable: bool
    remedy: str
    http_status: int
    advice: str


CODES: dict[str, Code] = {
    "invalid_input": Code(
        "Invalid input",
        False,
        "fix_input",
        400,
        "Correct the input named and run the action again.",
    ),
    "invalid_config": Code(
        "Invalid connection", False, "fix_connection", 400, "Correct the connection's settings."
    ),
    "auth_expired": Code(
        "Access token expired", True, "refresh", 401, "Refresh the access token and try again."
    ),
    "reauth_required": Code(
        "Authorization needed", False, "reconnect", 401, "Connect again: a person must sign in."
    ),
    "auth_refresh_busy": Code(
        "Token refresh busy", True, "wait", 503, "Another worker is refreshing; try again shortly."
    ),
    "missing_scope": Code(
        "Missing scope",
        False,
        "reconnect_with_scopes",
        403,
        "Connect again and grant the scopes named.",
    ),
    "forbidden": Code(
        "Forbidden", False, "ask_admin", 403, "Ask the practice's administrator for access."
    ),
    "not_found": Code("Not found", False, "check_id", 404, "Check the id."),
    "gone": Code("Deleted", False, "check_id", 410, "The resource was deleted; drop the id."),
    "rejected": Code(
        "Rejected by the server", False, "fix_input", 422, "Correct the input the server refused."
    ),
    "rate_limited": Code(
        "Rate limited", True, "wait", 429, "Wait for the time given, then try again."
    ),
    "upstream_unavailable": Code(
        "Server unavailable", True, "wait", 502, "The server failed; try again later."
    ),
    "timeout": Code("Timed out", True, "wait", 504, "The server was slow; try again later."),
    "network": Code(
        "Network failure", True, "wait", 502, "Check the network and the base URL; try again."
    ),
    "invalid_response": Code(
        "Invalid response", False, "report", 502, "Report this with the correlation id."
    ),
    "response_too_large": Code(
        "Response too large", False, "narrow_search", 413, "Narrow the search or ask for less."
    ),
    "deadline_exceeded": Code(
        "Deadline exceeded", True, "wait", 504, "Give the action more time, or try again later."
    ),
    "cancelled": Code("Cancelled", False, "none", 499, "The caller stopped the action."),
    "internal": Code("Internal error", False, "report", 500, "Report this; it is a defect."),
}


class ActionWarning(NamedTuple):
    """Something the caller should know that does not spoil the result; safe to show."""

    code: str
    message: str


class ConnectorError(Exception):
    """Base of every error this library raises; `str(error)` is one sentence safe to show.

    Attributes:
        retry_after: seconds to wait before trying again, where anybody said so.
        http_status: the server's HTTP status, where there was an answer.
        correlation_id: the server's own id for the exchange (`pfCorrelationId`).
        issues: `severity` and `code` of each OperationOutcome issue; never their free text.
        problems: for `invalid_input`, a `path` and a `message` for each field refused.
        missing_scopes: for `missing_scope`, the scopes the grant lacks.
        diagnostics: the server's free text. It may hold PHI, so it is in no message and no dict.
    """

    code: ClassVar[str] = "internal"

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        http_status: int | None = None,
        correlation_id: str | None = None,
        issues: Iterable[Mapping[str, str]] = (),
        problems: Iterable[Mapping[str, str]] = (),
        missing_scopes: Iterable[str] = (),
        action: str | None = None,
        connection_id: str | None = None,
        diagnostics: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        self.http_status = http_status
        self.correlation_id = correlation_id
        self.issues = [dict(issue) for issue in issues]
        self.problems = [dict(problem) for problem in problems]
        self.missing_scopes = list(missing_scopes)
        self.action = action
        self.connection_id = connection_id
        self.diagnostics = diagnostics

    @property
    def retryable(self) -> bool:
        """Whether trying again can help; a property of the code."""
        return CODES[self.code].retryable

    @property
    def remedy(self) -> str:
        """What helps, as one word a host can branch on."""
        return CODES[self.code].remedy

    def to_dict(self) -> dict[str, Any]:
        """Return the error as RFC 9457 problem details; matches `schemas/error.schema.json`."""
        code = CODES[self.code]
        optional = {
            "retry_after_seconds": self.retry_after,
            "upstream_status": self.http_status,
            "correlation_id": self.correlation_id,
            "issues": self.issues,
            "problems": self.problems,
            "missing_scopes": self.missing_scopes,
            "action": self.action,
            "connection_id": self.connection_id,
        }
        return {
            "type": f"urn:practicefusion-connector:error:{self.code}",
            "title": code.title,
            "status": code.http_status,
            "detail": self.message,
            "code": self.code,
            "retryable": code.retryable,
            "remedy": code.remedy,
            "advice": code.advice,
            **{name: value for name, value in optional.items() if value not in (None, [])},
        }

    @staticmethod
    def from_dict(problem: Mapping[str, Any]) -> ConnectorError:
        """Rebuild the error that `to_dict` described (its `diagnostics` are not carried)."""
        return BY_CODE[problem["code"]](
            problem["detail"],
            retry_after=problem.get("retry_after_seconds"),
            http_status=problem.get("upstream_status"),
            correlation_id=problem.get("correlation_id"),
            issues=problem.get("issues", ()),
            problems=problem.get("problems", ()),
            missing_scopes=problem.get("missing_scopes", ()),
            action=problem.get("action"),
            connection_id=problem.get("connection_id"),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions pickle by their positional arguments; workers and queues need all the rest.
        return ConnectorError.from_dict, (self.to_dict(),)


class InvalidInput(ConnectorError):
    """An input was refused before anything was sent; `problems` names each field."""

    code = "invalid_input"


class InvalidConfig(ConnectorError):
    """The connection's settings are wrong or do not fit the server."""

    code = "invalid_config"


class AuthError(ConnectorError):
    """Base of the errors about tokens and grants."""


class AuthExpired(AuthError):
    """The access token is expired, superseded or unknown; a refresh helps."""

    code = "auth_expired"


class ReauthRequired(AuthError):
    """The grant is dead (RFC 6749 §5.2 `invalid_grant`) or never was: a person must connect."""

    code = "reauth_required"


class RefreshBusy(AuthError):
    """Another worker holds the refresh of this connection and did not finish in time."""

    code = "auth_refresh_busy"


class Forbidden(ConnectorError):
    """The server refuses this connection what it asked for."""

    code = "forbidden"


class MissingScope(Forbidden):
    """The grant lacks a scope (RFC 6750 §3.1 `insufficient_scope`); `missing_scopes` names it."""

    code = "missing_scope"


class NotFound(ConnectorError):
    """The server has no such resource."""

    code = "not_found"


class Gone(NotFound):
    """The resource existed and was deleted (FHIR R4 http §3.1.0.7)."""

    code = "gone"


class Rejected(ConnectorError):
    """The server refused the request as wrong (400 or 422)."""

    code = "rejected"


class RateLimited(ConnectorError):
    """The server, or the connector's own pacing, asks to wait; `retry_after` says how long."""

    code = "rate_limited"


class UpstreamUnavailable(ConnectorError):
    """The server failed (5xx)."""

    code = "upstream_unavailable"


class NetworkFailure(ConnectorError):
    """The connection to the server broke."""

    code = "network"


class ConnectFailure(NetworkFailure):
    """The connection was never made, so nothing was sent; even a POST may be tried again."""


class Timeout(NetworkFailure):
    """The server did not answer in time."""

    code = "timeout"


class InvalidResponse(ConnectorError):
    """The answer makes no sense: not JSON, another resource type, a link to another host."""

    code = "invalid_response"


class ResponseTooLarge(ConnectorError):
    """The answer is over a limit of size, depth, entries or pages."""

    code = "response_too_large"


class DeadlineExceeded(ConnectorError):
    """The caller's deadline passed, or the next wait would pass it."""

    code = "deadline_exceeded"


class Cancelled(ConnectorError):
    """The caller tripped the cancel token."""

    code = "cancelled"


class InternalError(ConnectorError):
    """A defect in this library."""

    code = "internal"


def sentence(told: str) -> str:
    """Return a text with a full stop where it does not end as a sentence does."""
    return told if told.endswith((".", "?")) else f"{told}."


def _tree(root: type[ConnectorError]) -> Iterable[type[ConnectorError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


BY_CODE: dict[str, type[ConnectorError]] = {
    error.code: error for error in _tree(ConnectorError) if "code" in vars(error)
}
BY_CODE["internal"] = InternalError
