"""What takes more than one fault to go wrong; the table of these is in docs/faults.md."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import wraps
from threading import Event

import pytest

from practicefusion_connector import Connection, HostTokens, Policy, PracticeFusion, errors
from practicefusion_connector.sandbox import FaultProfile
from tests.robustness.documents import check_part, table
from tests.robustness.practice import QUICK, faulty, one, without_sleeping
from tests.transport.wire import hangs_up, ok, says, serving

HELD: list[tuple[str, str]] = []
PROMISED: list[str] = []


def situation(what: str, promise: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Note a situation and its promise once the test of it has passed."""
    PROMISED.append(what)

    def noting(test: Callable[[], None]) -> Callable[[], None]:
        @wraps(test)
        def noted() -> None:
            test()
            HELD.append((what, promise))

        return noted

    return noting


@situation(
    "429 with a longer wait than the deadline",
    "`rate_limited` at once, with `retry_after`; nothing is waited for",
)
def test_a_wait_beyond_the_deadline_fails_at_once() -> None:
    with without_sleeping() as runs, faulty(one("429-seconds", retry_after=900)) as (pf, _, asked):
        with pytest.raises(errors.RateLimited) as caught:
            pf.run("search_patients", {"gender": "female"}, deadline=600)
        assert caught.value.retry_after == 900
        assert caught.value.retryable
        assert (runs[0].slept, asked.resources()) == ([], 1)


@situation(
    "429 with a longer wait than the longest the policy allows",
    "`rate_limited` at once, with `retry_after`",
)
def test_a_wait_beyond_the_policy_fails_at_once() -> None:
    with without_sleeping() as runs, faulty(one("429-date", retry_after=100)) as (pf, _, asked):
        with pytest.raises(errors.RateLimited) as caught:
            pf.run("search_patients", {"gender": "female"})
        assert caught.value.retry_after == pytest.approx(100, abs=2)
        assert (runs[0].slept, asked.resources()) == ([], 1)


@situation(
    "429 with `Retry-After`, cut off in the body",
    "the right data, no sooner than the wait asked for",
)
def test_a_refusal_counts_though_its_body_is_lost() -> None:
    refusal = b"HTTP/1.1 429 X\r\nRetry-After: 30\r\nContent-Length: 99\r\n\r\n{"
    patient = ok(b'{"resourceType":"Patient","id":"1"}', "Content-Type: application/json")
    with without_sleeping() as runs, serving(hangs_up(refusal), says(patient)) as server:
        with _at(server.url) as pf:
            assert len(pf.run("get_patient", {"id": "1"})) == 1
        assert runs[0].slept[0] >= 30


@situation("500 for good", "`upstream_unavailable` after 2 requests")
def test_a_500_gets_one_more_chance() -> None:
    with faulty(FaultProfile(rate=1, kinds={"500": 1})) as (pf, _, asked):
        with pytest.raises(errors.UpstreamUnavailable) as caught:
            pf.run("search_patients", {"gender": "female"})
        assert (asked.resources(), caught.value.http_status) == (2, 500)


@situation("503 for good", "`upstream_unavailable` after 5 requests")
def test_a_503_gets_four_more_chances() -> None:
    with faulty(FaultProfile(rate=1, kinds={"503": 1})) as (pf, _, asked):
        with pytest.raises(errors.UpstreamUnavailable):
            pf.run("search_patients", {"gender": "female"})
        assert asked.resources() == 5


@situation("20 threads meet one expired token", "the right data for all, one token request")
def test_an_expired_token_is_refreshed_once_for_all() -> None:
    with faulty() as (pf, sandbox, asked):
        patient = next(iter(sandbox.resources["Patient"]))
        pf.run("get_patient", {"id": patient})
        sandbox.tokens.expire_access()
        before, together = asked.tokens(), threading.Barrier(20)

        def read() -> int:
            together.wait(10)
            return len(pf.run("get_patient", {"id": patient}))

        with ThreadPoolExecutor(20) as pool:
            found = [future.result() for future in [pool.submit(read) for _ in range(20)]]
        assert found == [1] * 20
        assert asked.tokens() - before == 1


@situation("the access token dies between two pages", "the right data, no page twice")
def test_a_token_may_die_between_two_pages() -> None:
    with faulty() as (pf, sandbox, _):
        patient = next(iter(sandbox.resources["Patient"]))
        inputs = {"patient": patient, "_count": 3}
        whole = pf.run("search_observations", {**inputs, "max_items": 30}).resources
        found = []
        for page in pf.pages("search_observations", {**inputs, "max_items": 30}):
            found += page.resources
            sandbox.tokens.expire_access()
        assert found == whole
        assert len(whole) > 6


@situation("the caller cancels during a wait", "`cancelled`, within a fraction of a second")
def test_cancelling_ends_a_wait() -> None:
    cancel = Event()
    with faulty(one("429-seconds", retry_after=30)) as (pf, sandbox, _):
        timer = threading.Timer(0.3, cancel.set)
        timer.start()
        began = time.monotonic()
        with pytest.raises(errors.Cancelled):
            pf.run("search_patients", {"gender": "female"}, cancel=cancel)
        assert time.monotonic() - began < 5
        timer.join()
        assert len(sandbox.faults) == 1


@situation("the caller cancels while the server is silent", "`cancelled`, within half a second")
def test_cancelling_ends_the_wait_for_an_answer() -> None:
    cancel = Event()
    with serving(_silent_until_cancelled(cancel)) as server, _at(server.url) as pf:
        began = time.monotonic()
        with pytest.raises(errors.Cancelled):
            pf.run("get_patient", {"id": "1"}, cancel=cancel)
        assert time.monotonic() - began < 5


def _silent_until_cancelled(cancel: Event) -> Callable[[socket.socket], None]:
    def script(connection: socket.socket) -> None:
        cancel.set()
        connection.recv(1)  # returns when the client gives up

    return script


@situation("a header that comes a byte at a time", "`deadline_exceeded`, at the deadline")
def test_a_header_that_trickles_in_ends_at_the_deadline() -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        pause = Event()
        while True:
            connection.sendall(b"X")
            pause.wait(0.05)

    with serving(script) as server, _at(server.url) as pf:
        began = time.monotonic()
        with pytest.raises(errors.DeadlineExceeded):
            pf.run("get_patient", {"id": "1"}, deadline=0.4)
        assert time.monotonic() - began < 5


@situation("more entries on a page than the limit", "`response_too_large`")
def test_a_page_has_a_limit_of_entries() -> None:
    with faulty(policy=replace(QUICK, max_entries=3)) as (pf, sandbox, _):
        patient = next(iter(sandbox.resources["Patient"]))
        assert len(pf.run("search_observations", {"patient": patient, "_count": 3})) == 3
        with pytest.raises(errors.ResponseTooLarge, match="_count"):
            pf.run("search_observations", {"patient": patient, "_count": 4})


@situation("a search that goes on and on", "`response_too_large` after the most pages allowed")
def test_a_search_has_a_limit_of_pages() -> None:
    with faulty(policy=replace(QUICK, max_pages=3)) as (pf, sandbox, asked):
        patient = next(iter(sandbox.resources["Patient"]))
        inputs = {"patient": patient, "_count": 1, "max_items": 50}
        with pytest.raises(errors.ResponseTooLarge, match="3 pages"):
            pf.run("search_observations", inputs)
        assert asked.resources() == 3


@situation("pages that go round in a circle", "`invalid_response` before a page is read twice")
def test_pages_in_a_circle_are_noticed() -> None:
    pages: list[bytes] = []
    with serving(lambda c: c.sendall(pages[0]), lambda c: c.sendall(pages[1])) as server:
        there, back = f"{server.url}/Patient?page=2", f"{server.url}/Patient?gender=female"
        pages += [_page(there), _page(back)]
        with _at(server.url) as pf, pytest.raises(errors.InvalidResponse, match="circle"):
            pf.run("search_patients", {"gender": "female", "max_items": 50})
        assert len(server.requests) == 2


def _page(link: str) -> bytes:
    bundle = f'{{"resourceType":"Bundle","type":"searchset","link":[{_link(link)}]}}'
    return ok(bundle.encode(), "Content-Type: application/fhir+json")


def _link(url: str) -> str:
    return f'{{"relation":"next","url":"{url}"}}'


@situation("says there are more pages and gives no link", "`invalid_response`, not a short result")
def test_a_next_link_that_cannot_be_followed_is_no_end() -> None:
    bundle = b'{"resourceType":"Bundle","type":"searchset","link":[{"relation":"next","url":7}]}'
    answer = says(ok(bundle, "Content-Type: application/fhir+json"))
    refused = pytest.raises(errors.InvalidResponse, match="no link")
    with serving(answer) as server, _at(server.url) as pf, refused:
        pf.run("search_patients", {"gender": "female"})


@situation("the token endpoint redirects", "`invalid_response`; the secret goes nowhere else")
def test_a_redirect_of_the_token_endpoint_is_refused() -> None:
    moved = b"HTTP/1.1 307 Moved\r\nLocation: %s/taken\r\nContent-Length: 0\r\n\r\n"
    bodies: list[bytes] = []
    with (
        serving() as stranger,
        serving(lambda c: c.sendall(bodies[0]), says(moved % stranger.url.encode())) as server,
    ):
        bodies.append(ok(f'{{"token_endpoint":"{server.url}/token"}}'.encode()))
        pf = _backend_connector(server.url)
        with pf, pytest.raises(errors.ConnectorError) as caught:
            pf.run("get_patient", {"id": "1"})
        assert caught.value.code == "invalid_response"
        assert (len(server.requests), stranger.connections) == (2, 0)


def _at(url: str) -> PracticeFusion:
    connection = Connection.of(fhir_base_url=url, client_id="x")
    return PracticeFusion(connection, HostTokens(lambda: "t"))


def _backend_connector(url: str) -> PracticeFusion:
    from practicefusion_connector.stores import ConnectionRecord, MemoryStore

    connection = Connection.of(
        fhir_base_url=url, client_id="app", client_secret="s", level="system"
    )
    store = MemoryStore()
    store.save(ConnectionRecord(connection=connection), expected=None)
    return PracticeFusion.from_store(store, connection.id, policy=Policy(attempts=1))


def test_the_table_in_the_documentation_is_what_held() -> None:
    if len(HELD) < len(PROMISED):
        pytest.skip("only a part of the situations was played")
    check_part("faults.md", "situations", table(["situation", "the connector"], HELD))
