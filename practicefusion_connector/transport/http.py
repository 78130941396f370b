"""One HTTP request, sent safely: prepared once, no redirects, bounded, retried by one policy.

It sends through requests' adapter (half the cost of a session's `get`, and what `responses` mocks)
and knows neither OAuth nor FHIR. Nothing of a request or an answer gets into an error's text.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import requests
from pydantic_core import from_json
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from tenacity import RetryCallState, Retrying
from urllib3 import exceptions as wire

from practicefusion_connector import errors
from practicefusion_connector.transport.policy import Policy
from practicefusion_connector.transport.problems import correlation_id, error_from
from practicefusion_connector.transport.redaction import guard_loggers, path_template
from practicefusion_connector.transport.run import Run

T = TypeVar("T")
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer, read whole."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """Return the parsed body, or raise `InvalidResponse`."""
        try:
            return from_json(self.body, allow_inf_nan=False)
        except ValueError:
            pass
        kind = self.headers.get("Content-Type", "no content type").split(";")[0]
        raise errors.InvalidResponse(
            f"The server's answer for {path_template(self.url)} is not JSON ({kind}, "
            f"{len(self.body)} bytes).",
            http_status=self.status,
            correlation_id=correlation_id(self.headers, {}),
        )


class Transport:
    """Sends requests for one connector; safe to share between threads.

    Args:
        policy: timeouts, retries and bounds.
        clock: POSIX seconds, for dates the server names.
        uniform: a random number between its two arguments, for jitter.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        clock: Callable[[], float] = time.time,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        guard_loggers()
        self.policy = policy or Policy()
        self.clock = clock
        self._uniform = uniform
        self._adapter = HTTPAdapter(pool_maxsize=64)
        self._proxies = dict(self.policy.proxies)

    def close(self) -> None:
        """Close every pooled connection."""
        self._adapter.close()

    def get(self, url: str, headers: Mapping[str, str], run: Run) -> Answer:
        """GET `url`, retrying as the policy says; raises the error of the last attempt."""
        request = requests.PreparedRequest()
        request.method, request.url = "GET", url
        request.headers = CaseInsensitiveDict(headers)
        request.hooks = {"response": []}
        return self.retrying(lambda: self.send(request, run), run)

    def retrying(self, attempt: Callable[[], T], run: Run, *, idempotent: bool = True) -> T:
        """Call `attempt` until it succeeds or another try makes no sense."""

        def failure(state: RetryCallState) -> BaseException | None:
            return state.outcome.exception() if state.outcome else None

        def hopeless(state: RetryCallState) -> bool:
            error, number = failure(state), state.attempt_number
            if error is None or not self.policy.worth_another(error, number, idempotent=idempotent):
                return True
            return state.upcoming_sleep > min(self.policy.longest_wait, run.remaining())

        def wait(state: RetryCallState) -> float:
            return self.wait_before_next(failure(state), state.attempt_number)

        def note(state: RetryCallState) -> None:
            reasons.append(getattr(failure(state), "code", "retry"))

        reasons: list[str] = []
        retrying = Retrying(
            stop=hopeless,
            wait=wait,
            before_sleep=note,
            sleep=lambda seconds: run.sleep(seconds, reasons[-1]),
            reraise=True,
        )
        return retrying(attempt)

    def wait_before_next(self, error: BaseException | None, attempt: int) -> float:
        """Return the seconds to wait: full jitter, and never less than the server asked for."""
        jitter = self._uniform(0, self.policy.backoff * 2 ** (attempt - 1))
        return (getattr(error, "retry_after", None) or 0.0) + jitter

    def send(self, request: requests.PreparedRequest, run: Run) -> Answer:
        """Send once and read the answer whole; raises the typed error of anything but 2xx."""
        run.check()
        run.trace.attempts += 1
        asked_for = path_template(request.url or "")
        outcome = self._exchange(request, run, asked_for)
        if isinstance(outcome, errors.ConnectorError):
            raise outcome
        said = correlation_id(outcome.headers, {})
        if said:
            run.trace.correlation_ids.append(said)
        if 200 <= outcome.status < 300:
            return outcome
        if 300 <= outcome.status < 400:
            raise errors.InvalidResponse(
                f"The server redirected {asked_for}; redirects are not followed, because the "
                "access token must not leave the FHIR server.",
                http_status=outcome.status,
            )
        raise error_from(
            outcome.status, outcome.headers, outcome.body, now=self.clock(), asked_for=asked_for
        )

    def _exchange(
        self, request: requests.PreparedRequest, run: Run, asked_for: str
    ) -> Answer | errors.ConnectorError:
        # Errors are returned and raised outside the handler: the text of the libraries' own
        # exceptions holds the URL with its query, and an exception's context would carry it along.
        try:
            response = self._adapter.send(
                request,
                stream=True,
                timeout=(
                    min(self.policy.connect_timeout, max(run.remaining(), 0.001)),
                    min(self.policy.read_timeout, max(run.remaining(), 0.001)),
                ),
                verify=self.policy.ca_bundle or True,
                proxies=self._proxies,
            )
            try:
                body = self._read(response, run, asked_for)
            finally:
                response.close()
        except errors.ConnectorError as error:
            return error
        except requests.ConnectTimeout:
            return errors.ConnectFailure(
                f"The server could not be reached in time for {asked_for}."
            )
        except (requests.Timeout, wire.TimeoutError):
            return errors.Timeout(f"The server did not answer in time for {asked_for}.")
        except (requests.RequestException, wire.HTTPError, OSError) as error:
            return _network_failure(error, asked_for)
        return Answer(request.url or "", response.status_code, response.headers, body)

    def _read(self, response: requests.Response, run: Run, asked_for: str) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in response.raw.stream(_CHUNK, decode_content=True):
            size += len(part)
            if size > self.policy.max_body_bytes:
                raise errors.ResponseTooLarge(
                    f"The answer for {asked_for} is larger than the limit of "
                    f"{self.policy.max_body_bytes} bytes."
                )
            parts.append(part)
            run.check()
        return b"".join(parts)


def _network_failure(error: Exception, asked_for: str) -> errors.ConnectorError:
    if isinstance(error, requests.exceptions.SSLError):
        return errors.InvalidConfig(
            f"The server's TLS certificate could not be verified for {asked_for}; "
            "check the base URL, or name the right certificate authorities."
        )
    if isinstance(error, wire.DecodeError):
        return errors.InvalidResponse(f"The answer for {asked_for} could not be decompressed.")
    if error.args and isinstance(error.args[0], wire.MaxRetryError):
        return errors.ConnectFailure(f"The server could not be reached for {asked_for}.")
    return errors.NetworkFailure(f"The connection to the server broke off for {asked_for}.")
