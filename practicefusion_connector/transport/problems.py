"""The one place that turns an HTTP answer into a typed error.

Practice Fusion says what went wrong in three shapes: OAuth's `error`/`error_description`
(RFC 6749 §5.2), its own `subcode`/`message`, and FHIR's OperationOutcome; its gateway adds a
fourth, a bare `message`. All are read here. Free text may hold PHI, so it goes to `diagnostics` and
never into the message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from practicefusion_connector import errors
from practicefusion_connector.transport.waits import asked_wait

_BY_STATUS: dict[int, type[errors.ConnectorError]] = {
    400: errors.Rejected,
    401: errors.AuthExpired,
    403: errors.Forbidden,
    404: errors.NotFound,
    408: errors.Timeout,
    410: errors.Gone,
    413: errors.ResponseTooLarge,
    422: errors.Rejected,
    425: errors.UpstreamUnavailable,
    429: errors.RateLimited,
    504: errors.Timeout,
}
_SENTENCES: dict[str, str] = {
    "auth_expired": "The server no longer accepts the access token",
    "forbidden": "The server refuses this connection access",
    "missing_scope": "The grant does not cover this request",
    "gone": "The resource was deleted",
    "internal": "The server gave an answer that has no meaning here",
    "invalid_response": "The server gave an answer that has no meaning here",
    "not_found": "The server has nothing at this address",
    "rate_limited": "The server asks for fewer requests",
    "rejected": "The server refused the request as wrong",
    "response_too_large": "The server refused the request as too large",
    "timeout": "The server did not answer in time",
    "upstream_unavailable": "The server failed",
}
_SCOPE_WORDS = re.compile(r"insufficient_scope|\bscopes?\b", re.I)
_LISTED_SCOPE = re.compile(r"\b(?:user|patient|system)/[A-Za-z*]+\.(?:read|write|\*|[cruds]+)")
_PLAIN_ID = re.compile(r"[\w:.-]{1,128}")
# Codes are shown, so they are words of a known list or shape, and not just whatever was said: a
# server could write a name there. FHIR R4 issue-severity and issue-type, OAuth, Practice Fusion.
_SEVERITIES = frozenset({"fatal", "error", "warning", "information"})
_ISSUE_TYPES = frozenset(
    [
        *("invalid", "structure", "required", "value", "invariant", "security", "login"),
        *("unknown", "expired", "forbidden", "suppressed", "processing", "not-supported"),
        *("duplicate", "multiple-matches", "not-found", "deleted", "too-long", "code-invalid"),
        *("extension", "too-costly", "business-rule", "conflict", "transient", "lock-error"),
        *("no-store", "exception", "timeout", "incomplete", "throttled", "informational"),
    ]
)
_OAUTH_CODE = re.compile(r"[a-z]{1,20}(?:_[a-z]{1,20}){1,4}")
_SUBCODES = frozenset({"BadRequest", "Forbidden", "NotFound", "TooManyRequests", "Unauthorized"})


def error_from(
    status: int, headers: Mapping[str, str], body: bytes, *, now: float, asked_for: str
) -> errors.ConnectorError:
    """Return the error a non-2xx answer stands for.

    Args:
        status: the HTTP status.
        headers: the answer's header fields, with case-insensitive look-up.
        body: what came with it, in any of the server's shapes or none.
        now: POSIX seconds.
        asked_for: a path template safe to show, such as `Patient/{id}`.
    """
    said = _object(body)
    issues, texts = _issues(said)
    texts += _words(said)
    spoken = [*texts, headers.get("WWW-Authenticate", "")]
    kind = _kind(status, issues, spoken)
    missing = _LISTED_SCOPE.findall(" ".join(spoken)) if kind is errors.MissingScope else []
    return kind(
        f"{_SENTENCES[kind.code]} (HTTP {status} for {asked_for}).",
        retry_after=asked_wait(headers, now, texts) if kind.code in _WAITABLE else None,
        http_status=status,
        correlation_id=correlation_id(headers, said),
        issues=issues,
        missing_scopes=missing,
        diagnostics="; ".join(text for text in spoken if text) or None,
    )


_WAITABLE = {"rate_limited", "upstream_unavailable", "timeout"}


def correlation_id(headers: Mapping[str, str], said: Mapping[str, Any]) -> str | None:
    """Return the server's own id of the exchange, from the header or the body."""
    candidates = (
        headers.get("pfCorrelationId"),
        said.get("pfCorrelationId"),
        said.get("request_id"),
        headers.get("X-Correlation-Id"),
        headers.get("X-Request-Id"),
    )
    plain = (c for c in candidates if isinstance(c, str) and _PLAIN_ID.fullmatch(c))
    return next(plain, None)


def _kind(
    status: int, issues: list[dict[str, str]], spoken: list[str]
) -> type[errors.ConnectorError]:
    codes = {issue["code"] for issue in issues}
    if status in (400, 401, 403, 503) and "throttled" in codes:
        return errors.RateLimited
    if status == 403 and _SCOPE_WORDS.search(" ".join(spoken)):
        return errors.MissingScope
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return errors.UpstreamUnavailable
    return errors.Rejected if 400 <= status < 500 else errors.InvalidResponse


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = from_json(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _words(said: Mapping[str, Any]) -> list[str]:
    names = ("error", "error_description", "subcode", "message")
    return [said[name] for name in names if isinstance(said.get(name), str)]


def _issues(said: Mapping[str, Any]) -> tuple[list[dict[str, str]], list[str]]:
    """Return the safe part of what was said (severity and code) and an outcome's texts apart."""
    codes = [said.get(name) for name in ("error", "subcode")]
    issues = [
        {"severity": "error", "code": code}
        for code in codes
        if isinstance(code, str) and (_OAUTH_CODE.fullmatch(code) or code in _SUBCODES)
    ]
    texts: list[str] = []
    listed = said.get("issue") if said.get("resourceType") == "OperationOutcome" else None
    for issue in listed if isinstance(listed, list) else []:
        if not isinstance(issue, dict):
            continue
        known = (("severity", _SEVERITIES), ("code", _ISSUE_TYPES))
        issues.append(
            {name: word for name, words in known if (word := _word(issue, name)) in words}
        )
        details = issue.get("details")
        text = details.get("text") if isinstance(details, dict) else None
        texts += [t for t in (issue.get("diagnostics"), text) if isinstance(t, str)]
    return [{"code": "unknown", **issue} for issue in issues], texts


def _word(issue: Mapping[str, Any], name: str) -> str:
    word = issue.get(name)
    return word if isinstance(word, str) else ""
