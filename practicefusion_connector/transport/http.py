"""Requests sent safely: prepared once, no redirects, paced per practice, retried by one policy.

It sends through requests' adapter (half the cost of a session's `get`, and what `responses` mocks)
and knows neither OAuth nor FHIR. Nothing of a request or an answer gets into an error's text.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TypeVar

import requests
from requests.structures import CaseInsensitiveDict
from tenacity import RetryCallState, Retrying

from practicefusion_connector import errors
from practicefusion_connector.transport.answers import Answer, Incoming
from practicefusion_connector.transport.pacing import Pacing, shared
from practicefusion_connector.transport.policy import Policy
from practicefusion_connector.transport.problems import correlation_id, error_from
from practicefusion_connector.transport.redaction import guard_loggers, path_template
from practicefusion_connector.transport.run import Run
from practicefusion_connector.transport.wire import Wire

T = TypeVar("T")


class Transport:
    """Sends requests for one connector; safe to share between threads.

    Args:
        policy: timeouts, retries, pace and bounds.
        pacing: the paces of the practices; those of the whole process where left out.
        clock: POSIX seconds, for dates the server names.
        uniform: a random number between its two arguments, for jitter.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        pacing: Pacing | None = None,
        clock: Callable[[], float] = time.time,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        guard_loggers()
        self.policy = policy or Policy()
        self.clock = clock
        self._uniform = uniform
        self._pacing = pacing or shared()
        self._wire = Wire(self.policy)

    def close(self) -> None:
        """Close every pooled connection."""
        self._wire.close()

    def get(
        self, url: str, headers: Mapping[str, str], run: Run, *, practice: str | None = None
    ) -> Answer:
        """GET `url`, retrying as the policy says; raises the error of the last attempt.

        `practice` is as in `send`.
        """
        request = requests.PreparedRequest()
        request.method, request.url = "GET", url
        request.headers = CaseInsensitiveDict(headers)
        request.hooks = {"response": []}
        return self.retrying(lambda: self.send(request, run, practice=practice), run)

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

    def send(
        self, request: requests.PreparedRequest, run: Run, *, practice: str | None = None
    ) -> Answer:
        """Send once and read the answer whole; raises the typed error of anything but 2xx.

        Args:
            practice: the FHIR base URL of the connection. Requests under it are paced, and other
                servers are called at public addresses only, unless the practice's own server is
                itself inside. Left out, the caller vouches for the request's address.
        """
        asked_for, paced = self._begin(request, run, practice)
        outcome = self._wire.exchange(request, run, practice, asked_for)
        if isinstance(outcome, errors.ConnectorError):
            raise outcome
        problem = self._judge(outcome, run, asked_for, paced)
        if problem:
            raise problem
        return outcome

    @contextmanager
    def stream(
        self, request: requests.PreparedRequest, run: Run, *, practice: str | None = None
    ) -> Iterator[Incoming]:
        """Send once and give the answer while its body is still on its way.

        It is for bodies of any size: `max_body_bytes` does not hold, every other guard does. Raises
        the typed error of 4xx and 5xx. A redirect is given as it is: whoever follows it must
        decide anew whether the access token goes along.

        `practice` is as in `send`. A retry is the caller's, who knows what was read before.
        """
        asked_for, paced = self._begin(request, run, practice)
        opened = self._wire.open(request, run, practice, asked_for)
        if isinstance(opened, errors.ConnectorError):
            raise opened
        with closing(opened) as incoming:
            if incoming.status >= 400:
                answer = incoming.answer()
                if isinstance(answer, Answer):
                    problem = self._judge(answer, run, asked_for, paced)
                else:
                    problem = answer
                if problem:
                    raise problem
            yield incoming

    def _begin(
        self, request: requests.PreparedRequest, run: Run, practice: str | None
    ) -> tuple[str, str | None]:
        """Wait for the request's turn; return what it asks for, safe to show, and whose pace."""
        run.check()
        url = request.url or ""
        paced = practice if practice is not None and url.startswith(f"{practice}/") else None
        if paced is not None:
            self._pacing.wait(paced, self.policy, run)
        run.trace.attempts += 1
        return path_template(url), paced

    def _judge(
        self, answer: Answer, run: Run, asked_for: str, paced: str | None
    ) -> errors.ConnectorError | None:
        """Note what an answer says of itself and return the error it stands for, if any."""
        problem = self._problem(answer, asked_for)
        said = problem.correlation_id if problem else correlation_id(answer.headers, {})
        if said:
            run.trace.correlation_ids.append(said)
        if paced is not None and isinstance(problem, errors.RateLimited):
            self._pacing.slow_down(paced, self.policy, problem.retry_after)
        return problem

    def _problem(self, answer: Answer, asked_for: str) -> errors.ConnectorError | None:
        if 200 <= answer.status < 300:
            return None
        if 300 <= answer.status < 400:
            return errors.InvalidResponse(
                f"The server redirected {asked_for}; redirects are not followed, because the "
                "access token must not leave the FHIR server.",
                http_status=answer.status,
                correlation_id=correlation_id(answer.headers, {}),
            )
        return error_from(
            answer.status, answer.headers, answer.body, now=self.clock(), asked_for=asked_for
        )
