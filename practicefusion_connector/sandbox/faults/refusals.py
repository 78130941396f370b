"""Faults that are honest: too many requests, in each form servers say it, and failures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from email.utils import formatdate

from werkzeug.wrappers import Response

from practicefusion_connector.sandbox.faults.exchange import Exchange, kind

_FHIR_JSON = "application/fhir+json"


def _outcome(status: int, code: str, words: str) -> Response:
    issue = {"severity": "error", "code": code, "diagnostics": words}
    body = {"resourceType": "OperationOutcome", "issue": [issue]}
    return Response(json.dumps(body), status=status, content_type=_FHIR_JSON)


def _refusing(name: str, says: Callable[[int], tuple[str, str]]) -> None:
    """Register a 429 whose wait is said in a header field, made from the seconds."""

    def fault(exchange: Exchange) -> Response:
        response = _outcome(429, "throttled", "Too many requests.")
        field, value = says(exchange.profile.retry_after)
        response.headers[field] = value
        return response

    kind(name, "read", "search", "token")(fault)


_refusing("429-seconds", lambda s: ("Retry-After", str(s)))
_refusing("429-date", lambda s: ("Retry-After", formatdate(time.time() + s, usegmt=True)))
_refusing("429-epoch-seconds", lambda s: ("Retry-After", str(int(time.time()) + s)))
_refusing("429-epoch-milliseconds", lambda s: ("Retry-After", str(int((time.time() + s) * 1000))))
_refusing("429-rate-limit", lambda s: ("RateLimit", f'"requests";r=0;t={s}'))


@kind("429-words", "read", "search", "token")
def _only_in_words(exchange: Exchange) -> Response:
    words = f"Too many requests. Try again in another {exchange.profile.retry_after} seconds."
    return _outcome(429, "throttled", words)


@kind("429-silent", "read", "search", "token")
def _without_a_word(exchange: Exchange) -> Response:
    return Response(status=429)


def _failing(status: int) -> None:
    @kind(str(status), "read", "search", "token")
    def fault(exchange: Exchange) -> Response:
        page = f"<html><body><h1>{status}</h1></body></html>"
        return Response(page, status=status, content_type="text/html")


for _status in (500, 502, 503, 504):
    _failing(_status)


@kind("503-wait", "read", "search", "token")
def _busy(exchange: Exchange) -> Response:
    response = _outcome(503, "transient", "The service is being restarted.")
    response.headers["Retry-After"] = str(exchange.profile.retry_after)
    return response
