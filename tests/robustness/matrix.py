"""The fault matrix: every kind of fault the sandbox has, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from practicefusion_connector import ConnectorError
from practicefusion_connector.sandbox.faults.kinds import KINDS
from tests.robustness.practice import faulty, one, without_sleeping

ASKED_WAIT = 30


@dataclass(frozen=True)
class Row:
    """One fault, once, and what must happen.

    Attributes:
        ends: `data`, or the code of the error.
        requests: how many requests for resources are made.
        waits: whether the wait the server asks for is kept to.
        warns: the code of a warning that comes with the data.
    """

    kind: str
    server: str
    ends: str = "data"
    requests: int = 1
    waits: bool = False
    warns: str = ""


AGAIN: dict[str, Any] = {"requests": 2}
ROWS = [
    Row("429-seconds", "429, `Retry-After: 30`", **AGAIN, waits=True),
    Row("429-date", "429, `Retry-After` as an HTTP date", **AGAIN, waits=True),
    Row("429-epoch-seconds", "429, `Retry-After` as epoch seconds", **AGAIN, waits=True),
    Row("429-epoch-milliseconds", "429, `Retry-After` as epoch milliseconds", **AGAIN, waits=True),
    Row("429-rate-limit", '429, only `RateLimit: "requests";r=0;t=30`', **AGAIN, waits=True),
    Row("429-words", '429, only "try again in another 30 seconds" in words', **AGAIN, waits=True),
    Row("429-silent", "429 without a word", **AGAIN),
    Row("500", "500, an HTML page", **AGAIN),
    Row("502", "502, an HTML page", **AGAIN),
    Row("503", "503, an HTML page", **AGAIN),
    Row("503-wait", "503, `Retry-After: 30`", **AGAIN, waits=True),
    Row("504", "504, an HTML page", **AGAIN),
    Row("reset", "resets the connection instead of answering", **AGAIN),
    Row("reset-in-body", "resets the connection in the middle of the body", **AGAIN),
    Row("truncated", "closes the connection in the middle of the body", **AGAIN),
    Row("slow", "sends the body in drips"),
    Row("stalled", "stops in the middle of the body", **AGAIN),
    Row("expired-token", "401: the access token has expired", **AGAIN),
    Row("html", "200, an HTML page", "invalid_response"),
    Row("empty", "200, nothing", "invalid_response"),
    Row("cut-json", "200, half of the JSON", "invalid_response"),
    Row("no-utf-8", "200, JSON that is not UTF-8", "invalid_response"),
    Row("duplicate-key", "200, JSON that says a name twice", "invalid_response"),
    Row("nan", "200, JSON with NaN", "invalid_response"),
    Row("huge-number", "200, JSON with 1e999", "invalid_response"),
    Row("deep", "200, JSON nested 150 levels deep", "response_too_large"),
    Row("wrong-content-type", "200, JSON as text/plain", warns="unexpected_content_type"),
    Row("wrong-resource", "200, another resource than the one asked for", "invalid_response"),
    Row("wrong-bundle-type", "200, a Bundle of another type", "invalid_response"),
    Row("empty-entry", "200, an entry without a resource", warns="entry_without_resource"),
    Row("wrong-total", "200, a `total` of -1", warns="total_mismatch"),
    Row("broken-gzip", "200, gzip that is none", "invalid_response"),
    Row("gzip-bomb", "200, 100 MB of blanks in 100 kB of gzip", "response_too_large"),
    Row("large-header", "200, header fields of 120 kB", "response_too_large"),
    Row("redirect", "302 to another origin", "invalid_response"),
    Row("self-next", "a `next` link that points to its own page", "invalid_response"),
    Row("foreign-next", "a `next` link to another origin", "invalid_response"),
    Row("inside-next", "a `next` link to the cloud's metadata address", "invalid_response"),
]


def played(row: Row) -> list[str]:
    """Play a row for each sort of request it can befall, and say in words what happened."""
    return [_outcome(row, asked) for asked in ("read", "search") if asked in KINDS[row.kind].asked]


def expected(row: Row) -> str:
    """What must have happened, in the same words."""
    parts = ["the right data" if row.ends == "data" else f"`{row.ends}`"]
    parts.append("1 request" if row.requests == 1 else f"{row.requests} requests")
    if row.waits:
        parts.append(f"no sooner than the {ASKED_WAIT} s asked for")
    if row.warns:
        parts.append(f"warning `{row.warns}`")
    return ", ".join(parts)


def _outcome(row: Row, asked: str) -> str:
    profile = one(row.kind, retry_after=ASKED_WAIT, slow_seconds=1.0)
    with without_sleeping() as runs, faulty(profile) as (connector, sandbox, requests):
        patient = next(iter(sandbox.resources["Patient"].values()))
        number = patient["identifier"][0]["value"]
        calls: dict[str, tuple[str, dict[str, Any]]] = {
            "read": ("get_patient", {"id": patient["id"]}),
            "search": ("search_patients", {"identifier": number}),
        }
        warnings: list[str] = []
        try:
            result = connector.run(*calls[asked])
        except ConnectorError as error:
            ended = f"`{error.code}`"
        else:
            ended = "the right data" if result.resources == [patient] else "WRONG DATA"
            warnings = sorted({warning.code for warning in result.warnings} - {"validation"})
        count = requests.resources()
        kept = any(wait >= ASKED_WAIT - 1 for wait in runs[0].slept)
        strangers = {host for _, host, _, _ in requests.seen} - {sandbox.origin[7:]}
    parts = [ended, "1 request" if count == 1 else f"{count} requests"]
    parts += [f"no sooner than the {ASKED_WAIT} s asked for"] * kept
    parts += [f"warning `{code}`" for code in warnings]
    parts += [f"ASKED {host}" for host in sorted(strangers)]
    return ", ".join(parts)
