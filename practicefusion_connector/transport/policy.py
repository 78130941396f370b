"""How hard to try: timeouts, retries and bounds, as one value passed in.

Units are seconds and bytes. Nothing here is read from the environment.
"""

from __future__ import annotations

from dataclasses import dataclass

from practicefusion_connector.errors import ConnectFailure, ConnectorError, RateLimited

# Worth another try for an idempotent request. 401 is not here: a token is refreshed, not retried.
RETRIED_CODES = frozenset({"rate_limited", "upstream_unavailable", "timeout", "network"})
# 501 and its like say that the server never will.
_PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of one connector; the defaults suit an interactive workflow step.

    Attributes:
        attempts: requests at most for one answer, the first included.
        longest_wait: the longest single wait; where the server asks for more, the action fails as
            rate limited with `retry_after`, so that the host can reschedule it.
        deadline: all the time one action may take, waits and pages included.
        backoff: the first exponential step; jitter is full, between zero and the step.
        requests_per_second: the pace at which one practice is asked, whoever asks; a 429 halves
            it for a while. `None` leaves it to the server.
        burst: requests that may go out at once after a quiet time.
        pace_loopback: keep to the pace on loopback too, where the sandbox and tests live.
        max_body_bytes: size of one answer after decompression.
        max_header_bytes: size of one answer's header fields.
        max_json_depth: how deep objects and lists may lie within each other, 200 at most.
        max_entries: entries of one page.
        max_pages: pages one action follows at most, a guard and not a limit of results.
        public_addresses_only: call no address inside the network, not even the practice's own; for
            hosts whose users type base URLs. Left off, other servers may be inside only where the
            practice's own server is.
        ca_bundle: a file of certificate authorities; `None` takes requests' own.
    """

    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    attempts: int = 5
    longest_wait: float = 60.0
    deadline: float = 120.0
    backoff: float = 0.5
    requests_per_second: float | None = 5.0
    burst: int = 10
    pace_loopback: bool = False
    max_body_bytes: int = 32 * 1024 * 1024
    max_header_bytes: int = 64 * 1024
    max_json_depth: int = 64
    max_entries: int = 10_000
    max_pages: int = 1000
    public_addresses_only: bool = False
    proxies: tuple[tuple[str, str], ...] = ()
    ca_bundle: str | None = None

    def worth_another(self, error: BaseException, attempt: int, *, idempotent: bool) -> bool:
        """Say whether attempt number `attempt`, which ended in `error`, is worth repeating.

        A request that is not idempotent is repeated only where the server surely did not act on
        it: it was never sent, was rate limited, or met a 503.
        """
        if not isinstance(error, ConnectorError) or error.code not in RETRIED_CODES:
            return False
        answered = error.http_status is not None and not isinstance(error, RateLimited)
        if answered and error.http_status not in _PASSING_STATUSES:
            return False
        if not idempotent and not (
            isinstance(error, ConnectFailure | RateLimited) or error.http_status == 503
        ):
            return False
        # A plain 500 is as often a lasting fault as a passing one: it gets one more chance.
        return attempt < (2 if error.http_status == 500 else self.attempts)
