"""Asking for an export: one request that starts a job, or the reason why there is none.

A kick-off starts work at the server each time it arrives, so it is repeated only where it surely
did nothing. Servers differ in the parameters they take; what may be left out safely is left out
with a warning, and what would give other records than asked for is an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urljoin

from practicefusion_connector.bulk.exchange import Exchange
from practicefusion_connector.bulk.plan import ExportPlan
from practicefusion_connector.errors import (
    ActionWarning,
    ConnectorError,
    InvalidConfig,
    InvalidResponse,
    RateLimited,
    Rejected,
)
from practicefusion_connector.transport import Answer

_HEADERS = {"Accept": "application/fhir+json", "Prefer": "respond-async"}
# How a server says that it has no such operation, or not for this application; some answer with
# something else, and 200.
_REFUSALS = frozenset({200, 400, 403, 404, 405, 422, 501})

# What may be left out, in the order to try, and what that means. `_typeFilter` is not here: without
# it the server gives records that nobody asked for.
_LEFT_OUT = {
    "_outputFormat": "the server chooses the format",
    "_type": "all types are exported, and those not asked for are not downloaded",
    "_since": "everything is exported, and deletions are not told",
}


@dataclass(frozen=True, slots=True)
class Started:
    """A job at the server; its status URL may hold a secret."""

    status_url: str = field(repr=False)
    since: str | None
    warnings: list[ActionWarning]


def kick_off(plan: ExportPlan, exchange: Exchange) -> Started:
    """Start an export (Bulk Data Access 1.0.1 §Kick-off).

    Raises:
        Rejected: the server does not take a parameter that cannot be left out.
        ConnectorError: see `refused` for whether the server has `$export` at all.
    """
    parameters = plan.parameters()
    warnings: list[ActionWarning] = []
    while True:
        outcome = _asked(plan.kickoff_url(exchange.base_url, parameters), exchange)
        if isinstance(outcome, Answer):
            break
        culprit = _culprit(outcome, [name for name, _ in parameters])
        if culprit is None:
            raise _explained(outcome, [name for name, _ in parameters])
        parameters = [(name, value) for name, value in parameters if name != culprit]
        warnings.append(
            ActionWarning(
                "parameter_left_out",
                f"The server does not take {culprit} at $export: {_LEFT_OUT[culprit]}.",
            )
        )
    since = dict(parameters).get("_since")
    return Started(_status_url(outcome, exchange.base_url), since, warnings)


def refused(error: ConnectorError, plan: ExportPlan) -> bool:
    """Say whether the error of a kick-off means that there is no `$export` for this application."""
    if isinstance(error, RateLimited | InvalidConfig):
        # A server may ask for fewer requests with 400 and 403, too; a token endpoint that refuses
        # the application says nothing of `$export`.
        return False
    codes = {issue.get("code") for issue in error.issues}
    if plan.group is not None and error.http_status == 404 and "not-found" in codes:
        # It is the group that is not there; with an operation that is not, servers say so.
        return False
    return error.http_status in _REFUSALS


def _asked(url: str, exchange: Exchange) -> Answer | Rejected:
    run = exchange.run()
    try:
        return exchange.transport.retrying(
            lambda: exchange.once("GET", url, run, _HEADERS), run, idempotent=False
        )
    except Rejected as error:
        return error


def _culprit(error: Rejected, sent: list[str]) -> str | None:
    """Return the parameter to leave out: one the server names, else the next of the list."""
    said = error.diagnostics or ""
    named = [name for name in sent if name in said]
    if named:
        return next((name for name in named if name in _LEFT_OUT), None)
    if "_typeFilter" in sent:
        # Which one it is is not said; with all others gone it would still be refused.
        return None
    return next((name for name in _LEFT_OUT if name in sent), None)


def _explained(error: Rejected, sent: list[str]) -> Rejected:
    if "_typeFilter" not in sent:
        return error
    return Rejected(
        "The server refuses this export, and _typeFilter is among its parameters; leave "
        "type_filter out, or let the export be done by search (mode crawl).",
        http_status=error.http_status,
        correlation_id=error.correlation_id,
        issues=error.issues,
        diagnostics=error.diagnostics,
    )


def _status_url(answer: Answer, base_url: str) -> str:
    location = answer.headers.get("Content-Location")
    if answer.status != 202 or not location:
        raise InvalidResponse(
            "The server answered the kick-off of an export without saying where its status is "
            f"(HTTP {answer.status}).",
            http_status=answer.status,
        )
    return urljoin(base_url + "/", location)
