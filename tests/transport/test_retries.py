"""Which answers are tried again, how long is waited, and when it stops."""

from __future__ import annotations

import email.utils
from threading import Event
from typing import Any

import pytest
import requests
import responses

from practicefusion_connector import errors
from practicefusion_connector.transport import Answer, Policy, Run, Transport
from tests.transport.wire import FastRun

URL = "https://ehr.example/fhir/Patient/1"
NOW = 1_795_221_200.0
POLICY = Policy(requests_per_second=None)


def low(least: float, most: float) -> float:
    """The least jitter there can be."""
    return least


def high(least: float, most: float) -> float:
    """The most jitter there can be."""
    return most


def get(run: Run, *, policy: Policy = POLICY, uniform: Any = low) -> Answer:
    return Transport(policy, clock=lambda: NOW, uniform=uniform).get(URL, {}, run)


def post(run: Run) -> Answer:
    transport = Transport(POLICY, clock=lambda: NOW, uniform=low)
    request = requests.Request("POST", URL, data={"a": "b"}).prepare()
    return transport.retrying(lambda: transport.send(request, run), run, idempotent=False)


def answers(*statuses: int, method: str = "GET", **more: Any) -> responses.RequestsMock:
    mock = responses.RequestsMock(assert_all_requests_are_fired=False)
    for status in statuses:
        mock.add(method, URL, status=status, body=b"{}", **more)
    return mock


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_again(status: int) -> None:
    run = FastRun()
    with answers(status, 200) as mock:
        assert get(run).status == 200
        assert len(mock.calls) == run.trace.attempts == 2
    assert len(run.trace.waits) == 1


@pytest.mark.parametrize(
    "status", [301, 302, 307, 400, 401, 403, 404, 405, 409, 410, 412, 413, 422, 501, 505, 511]
)
def test_a_lasting_failure_is_not_tried_again(status: int) -> None:
    run = FastRun()
    with answers(status, 200) as mock:
        with pytest.raises(errors.ConnectorError) as caught:
            get(run)
        assert len(mock.calls) == run.trace.attempts == 1
    assert caught.value.http_status == status
    assert run.slept == []


@pytest.mark.parametrize(("status", "sent"), [(429, 5), (503, 5), (504, 5), (500, 2)])
def test_it_gives_up_after_the_policy_s_attempts_and_a_plain_500_after_two(
    status: int, sent: int
) -> None:
    with answers(*[status] * 9) as mock:
        with pytest.raises(errors.ConnectorError) as caught:
            get(FastRun())
        assert len(mock.calls) == sent
    assert caught.value.http_status == status


@pytest.mark.parametrize(
    ("status", "sent"), [(429, 2), (503, 2), (408, 1), (425, 1), (500, 1), (502, 1), (504, 1)]
)
def test_what_is_not_idempotent_is_tried_again_only_where_the_server_did_nothing(
    status: int, sent: int
) -> None:
    run = FastRun()
    with answers(status, 200, method="POST") as mock:
        if sent == 2:
            assert post(run).status == 200
        else:
            with pytest.raises(errors.ConnectorError):
                post(run)
        assert len(mock.calls) == sent


@pytest.mark.parametrize(
    ("failure", "sent"),
    [
        (requests.ConnectTimeout(), 2),
        (requests.ReadTimeout(), 1),
        (requests.ConnectionError("reset"), 1),
    ],
)
def test_a_post_that_may_have_arrived_is_not_sent_twice(failure: Exception, sent: int) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add("POST", URL, body=failure)
        mock.add("POST", URL, body=b"{}")
        if sent == 2:
            post(FastRun())
        else:
            with pytest.raises(errors.NetworkFailure):
                post(FastRun())
        assert len(mock.calls) == sent


def test_the_wait_doubles_with_full_jitter() -> None:
    run = FastRun()
    with answers(503, 503, 503, 503, 200):
        get(run, uniform=high)
    assert run.slept == [0.5, 1.0, 2.0, 4.0]
    asked: list[tuple[float, float]] = []

    def halfway(least: float, most: float) -> float:
        asked.append((least, most))
        return (least + most) / 2

    run = FastRun()
    with answers(503, 503, 200):
        get(run, uniform=halfway)
    assert asked == [(0, 0.5), (0, 1.0)]
    assert run.slept == [0.25, 0.5]


LATER = email.utils.formatdate(NOW + 20, usegmt=True)
THROTTLED = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "throttled", "diagnostics": "Retry in 14 seconds."}],
}


@pytest.mark.parametrize(
    ("headers", "body", "wait"),
    [
        ({"Retry-After": "7"}, {}, 7),
        ({"Retry-After": "0.5"}, {}, 0.5),
        ({"Retry-After": LATER}, {}, 20),
        ({"Retry-After": str(int(NOW) + 29)}, {}, 29),
        ({"Retry-After": str(int(NOW * 1000) + 28_643)}, {}, 28.643),
        ({"RateLimit": '"requests";r=0;t=32'}, {}, 32),
        ({"RateLimit-Reset": "11"}, {}, 11),
        ({"Retry-After": "3", "RateLimit": '"requests";r=0;t=32'}, {}, 32),
        ({}, THROTTLED, 14),
        ({"Retry-After": "3"}, THROTTLED, 14),
    ],
    ids=[
        *("seconds", "fraction", "date", "epoch seconds", "epoch milliseconds", "RateLimit"),
        *("RateLimit-Reset", "the longer one", "outcome", "outcome is longer"),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_it_never_comes_back_earlier_than_asked(
    status: int, headers: dict[str, str], body: dict[str, Any], wait: float
) -> None:
    run = FastRun()
    with responses.RequestsMock() as mock:
        mock.add("GET", URL, status=status, headers=headers, json=body)
        mock.add("GET", URL, body=b"{}")
        get(run)
    assert run.slept == [pytest.approx(wait)]
    run = FastRun()
    with responses.RequestsMock() as mock:
        mock.add("GET", URL, status=status, headers=headers, json=body)
        mock.add("GET", URL, body=b"{}")
        get(run, uniform=high)
    assert run.slept == [pytest.approx(wait + 0.5)]


@pytest.mark.parametrize(
    "policy",
    [
        Policy(deadline=30, requests_per_second=None),
        Policy(deadline=600, longest_wait=30, requests_per_second=None),
    ],
    ids=["over the deadline", "over the longest wait"],
)
def test_a_wait_that_is_too_long_fails_at_once_and_says_how_long(policy: Policy) -> None:
    run = FastRun(policy.deadline)
    with answers(429, 200, headers={"Retry-After": "45"}) as mock:
        with pytest.raises(errors.RateLimited) as caught:
            get(run, policy=policy)
        assert len(mock.calls) == 1
    assert caught.value.retry_after == 45
    assert run.slept == []


def test_a_date_in_the_past_asks_for_no_wait() -> None:
    run = FastRun()
    with answers(429, 200, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}):
        get(run)
    assert run.slept == [0]


def test_a_cancel_wakes_a_sleep_and_ends_the_action() -> None:
    class Impatient(Event):
        """An event whose caller trips it as soon as anybody waits."""

        def wait(self, timeout: float | None = None) -> bool:
            self.set()
            return super().wait(timeout)

    with answers(429, 200, headers={"Retry-After": "50"}) as mock:
        with pytest.raises(errors.Cancelled):
            get(Run(600, cancel=Impatient()))
        assert len(mock.calls) == 1


def test_a_cancel_before_it_starts_sends_nothing() -> None:
    cancel = Event()
    cancel.set()
    with answers(200) as mock:
        with pytest.raises(errors.Cancelled):
            get(Run(600, cancel=cancel))
        assert len(mock.calls) == 0


def test_a_deadline_in_the_past_sends_nothing() -> None:
    with answers(200) as mock:
        with pytest.raises(errors.DeadlineExceeded):
            get(Run(0))
        assert len(mock.calls) == 0


def test_the_trace_tells_attempts_waits_and_the_server_s_ids() -> None:
    run = FastRun()
    with responses.RequestsMock() as mock:
        mock.add("GET", URL, status=503, json={"pfCorrelationId": "in-body"})
        mock.add("GET", URL, status=429, headers={"pfCorrelationId": "in-header"})
        mock.add("GET", URL, body=b"{}", headers={"X-Request-Id": "of-success"})
        get(run, uniform=high)
    trace = run.finish()
    assert trace.attempts == 3
    assert trace.waits == [(0.5, "upstream_unavailable"), (1.0, "rate_limited")]
    assert trace.correlation_ids == ["in-body", "in-header", "of-success"]
    assert trace.duration_ms == 1500.0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(status: int) -> None:
    elsewhere = "https://other.example/steal?token=CANARY"
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add("GET", URL, status=status, headers={"Location": elsewhere})
        mock.add("GET", elsewhere, body=b"{}")
        with pytest.raises(errors.InvalidResponse) as caught:
            get(FastRun())
        assert [call.request.url for call in mock.calls] == [URL]
    assert "CANARY" not in repr(caught.value.to_dict())
