"""The pace: shared, adapting, kept by waiting only where there is time to."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from practicefusion_connector import Connection, HostTokens, Policy, PracticeFusion, errors
from practicefusion_connector.sandbox import FaultProfile
from practicefusion_connector.transport import Run, Transport
from practicefusion_connector.transport.pacing import Pacing
from tests.robustness.practice import QUICK, faulty
from tests.transport.wire import ok, says, serving

HERE, THERE = "https://a.example/fhir", "https://b.example/fhir"
POLICY = Policy(requests_per_second=5, burst=3)


class Clock:
    """A clock that pretends: it moves when a run sleeps."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Sleeper(Run):
    """A run whose sleep moves the pace's clock."""

    def __init__(self, clock: Clock, deadline: float = 1000.0) -> None:
        self._clock_moved = clock
        super().__init__(deadline, clock=clock)

    def sleep(self, seconds: float, reason: str) -> None:
        self.trace.waits.append((seconds, reason))
        self._clock_moved.now += seconds
        self.check()


def moments(pacing: Pacing, clock: Clock, count: int, policy: Policy = POLICY) -> list[float]:
    """When each of so many requests, one after the other, may go out."""
    began, found = clock.now, []
    for _ in range(count):
        pacing.wait(HERE, policy, Sleeper(clock))
        found.append(round(clock.now - began, 2))
    return found


def test_a_burst_goes_out_at_once_and_the_rest_at_the_pace() -> None:
    clock = Clock()
    pacing = Pacing(clock=clock)
    assert moments(pacing, clock, 6) == pytest.approx([0, 0, 0, 0.2, 0.4, 0.6], abs=0.02)
    clock.now += 60
    assert moments(pacing, clock, 4) == pytest.approx([0, 0, 0, 0.2], abs=0.02)


def test_a_pace_below_one_a_second_is_kept_too() -> None:
    clock = Clock()
    slow = Policy(requests_per_second=0.25, burst=1)
    assert moments(Pacing(clock=clock), clock, 3, slow) == pytest.approx([0, 4, 8], abs=0.05)


def test_waits_are_told_in_the_trace() -> None:
    clock = Clock()
    pacing = Pacing(clock=clock)
    moments(pacing, clock, 3)
    run = Sleeper(clock)
    pacing.wait(HERE, POLICY, run)
    assert [reason for _, reason in run.trace.waits] == ["pacing"]


def test_a_429_halves_the_pace_once_and_it_recovers() -> None:
    clock = Clock()
    pacing = Pacing(clock=clock)
    moments(pacing, clock, 3)
    for _ in range(4):  # what four threads had under way together
        pacing.slow_down(HERE, POLICY, None)
    halved = moments(pacing, clock, 3)
    assert halved[2] - halved[1] == pytest.approx(0.4, abs=0.03)
    clock.now += 100
    assert moments(pacing, clock, 5)[-1] == pytest.approx(0.4, abs=0.03)


def test_a_429_with_a_wait_stops_everybody_who_asks_this_practice_and_nobody_else() -> None:
    clock = Clock()
    pacing = Pacing(clock=clock)
    moments(pacing, clock, 1)
    pacing.slow_down(HERE, POLICY, 20.0)
    pacing.wait(THERE, POLICY, Sleeper(clock))
    assert clock.now == 1_000
    assert moments(pacing, clock, 1)[0] >= 20


def test_a_wait_beyond_the_deadline_is_refused_at_once_with_when_to_come_back() -> None:
    clock = Clock()
    pacing = Pacing(clock=clock)
    moments(pacing, clock, 1)
    pacing.slow_down(HERE, POLICY, 50.0)
    run = Sleeper(clock, deadline=10)
    with pytest.raises(errors.RateLimited) as caught:
        pacing.wait(HERE, POLICY, run)
    assert caught.value.retry_after == pytest.approx(50, abs=1)
    assert (run.trace.waits, clock.now) == ([], 1_000)


def test_no_server_stops_a_practice_for_longer_than_the_longest_wait() -> None:
    clock = Clock()
    pacing = Pacing(clock=clock)
    moments(pacing, clock, 1)
    pacing.slow_down(HERE, POLICY, 1_000_000.0)
    assert moments(pacing, clock, 1)[0] <= POLICY.longest_wait + 1


def test_cancelling_ends_the_wait_for_ones_turn() -> None:
    pacing, cancel = Pacing(), Event()
    slow = Policy(requests_per_second=0.01, burst=1)
    pacing.wait(HERE, slow, Run(5))
    threading.Timer(0.1, cancel.set).start()
    with pytest.raises(errors.Cancelled):
        pacing.wait(HERE, slow, Run(500, cancel=cancel))


def test_those_who_wait_are_told_by_their_place_in_the_queue() -> None:
    pacing = Pacing()
    slow = Policy(requests_per_second=1, burst=1)
    pacing.wait(HERE, slow, Run(5))
    cancel = Event()

    def wait() -> None:
        with pytest.raises(errors.Cancelled):
            pacing.wait(HERE, slow, Run(500, cancel=cancel))

    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(wait) for _ in range(3)]
        pace = pacing._pace(HERE)
        while pace._waiting < 3:
            time.sleep(0.005)
        # Three are ahead, so four seconds; there would be time for one.
        with pytest.raises(errors.RateLimited) as caught:
            pacing.wait(HERE, slow, Run(2.5))
        cancel.set()
        for done in waiting:
            done.result()
    assert caught.value.retry_after == pytest.approx(4, abs=1.2)
    assert pace._waiting == 0


def test_loopback_is_paced_only_where_the_policy_says_so_and_none_means_never() -> None:
    clock = Clock()
    pacing = Pacing(clock=clock)
    for practice, policy in (
        ("http://127.0.0.1:8080/fhir", POLICY),
        ("http://localhost/fhir", POLICY),
        (HERE, replace(POLICY, requests_per_second=None)),
    ):
        for _ in range(50):
            pacing.wait(practice, policy, Sleeper(clock))
    assert clock.now == 1_000
    for _ in range(5):
        pacing.wait("http://127.0.0.1/fhir", replace(POLICY, pace_loopback=True), Sleeper(clock))
    assert clock.now > 1_000


def test_only_the_practice_is_paced_and_connectors_of_a_process_share_its_pace() -> None:
    policy = replace(QUICK, requests_per_second=2, burst=1, pace_loopback=True)
    patient = ok(b'{"resourceType":"Patient","id":"1"}', "Content-Type: application/json")
    with serving(*[says(patient)] * 2, *[says(ok(b"{}"))] * 3) as server:
        connection = Connection.of(fhir_base_url=f"{server.url}/fhir", client_id="x")
        waits = []
        for _ in range(2):
            with PracticeFusion(connection, HostTokens(lambda: "t"), policy=policy) as pf:
                waits += pf.run("get_patient", {"id": "1"}).trace.waits
        assert [reason for _, reason in waits] == ["pacing"]
        transport, run = Transport(policy), Run(10)
        for _ in range(3):
            transport.get(f"{server.url}/token", {}, run, practice=connection.fhir_base_url)
        transport.close()
        assert run.trace.waits == []


def test_a_429_of_the_server_slows_the_pace() -> None:
    policy = replace(QUICK, requests_per_second=200, burst=100, pace_loopback=True)
    profile = FaultProfile(rate=1, kinds={"429-seconds": 1}, times=1, retry_after=1)
    with faulty(profile, policy=policy) as (pf, sandbox, _):
        patient = next(iter(sandbox.resources["Patient"]))
        found = pf.run("get_patient", {"id": patient})
        assert "rate_limited" in [reason for _, reason in found.trace.waits]
        pace = pf._transport._pacing._pace(sandbox.fhir_base_url)
        assert pace._factor == 0.5


ASKING = """
import json, sys, time
import redis
from practicefusion_connector.transport import Policy, Run
from practicefusion_connector.transport.pacing import Pacing
pacing, policy = Pacing(redis.Redis.from_url(sys.argv[1])), Policy(requests_per_second=20, burst=1)
sys.stdin.readline()
for _ in range(10):
    pacing.wait("https://shared.example/fhir", policy, Run(30))
print(json.dumps(time.time()))
"""


def test_processes_that_share_a_redis_share_the_pace(redis_url: str) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", ASKING, redis_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    began = time.time()
    ends = [json.loads(worker.communicate("go\n", timeout=60)[0]) for worker in workers]
    # Alone each would be done in half a second; together they take a second at least.
    assert max(ends) - began >= 0.9


def test_without_its_redis_a_process_keeps_the_pace_alone_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    never_again = Retry(NoBackoff(), 0)
    gone = redis.Redis(unix_socket_path="/nonexistent/redis.sock", retry=never_again)
    clock = Clock()
    pacing = Pacing(gone, clock=clock)
    said = ["Redis does not answer; this process paces its requests alone."]
    assert moments(pacing, clock, 5) == pytest.approx([0, 0, 0, 0.2, 0.4], abs=0.02)
    assert [record.message for record in caplog.records] == said
    clock.now += 60  # then it is asked again
    moments(pacing, clock, 2)
    assert [record.message for record in caplog.records] == said * 2
    gone.close()


def test_nothing_is_left_running() -> None:
    before = threading.active_count()
    Pacing().wait(HERE, POLICY, Run(5))
    assert threading.active_count() == before


def paced_run(actions: int, threads: int, per_second: float) -> tuple[float, float]:
    """How long so many actions take by the ideal, and the share of requests answered 429."""
    limit = FaultProfile(requests_per_second=per_second, burst=10)
    policy = Policy(requests_per_second=per_second, burst=5, pace_loopback=True, deadline=600)
    with faulty(limit, policy=policy) as (pf, sandbox, asked):
        patient = next(iter(sandbox.resources["Patient"]))
        began = time.monotonic()
        with ThreadPoolExecutor(threads) as pool:
            calls = [pool.submit(pf.run, "get_patient", {"id": patient}) for _ in range(actions)]
            assert all(len(call.result()) == 1 for call in calls)
        took = time.monotonic() - began
        refused = sum(fault.kind == "limit" for fault in sandbox.faults)
        return took / (actions / per_second), refused / asked.resources()


def test_many_threads_keep_to_the_servers_limit() -> None:
    ratio, refused = paced_run(actions=60, threads=8, per_second=40)
    assert ratio < 1.3
    assert refused == 0


@pytest.mark.soak
def test_600_actions_of_8_threads_take_the_ideal_time_and_meet_no_429() -> None:
    ratio, refused = paced_run(actions=600, threads=8, per_second=20)
    assert ratio < 1.1
    assert refused < 0.01
