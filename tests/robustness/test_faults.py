"""The tap itself: profiles by name, faults that reproduce, a record that identifies nobody."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import requests

import practicefusion_connector
from practicefusion_connector.sandbox import FaultProfile, Sandbox
from practicefusion_connector.sandbox.faults import profile_names
from practicefusion_connector.sandbox.faults.kinds import KINDS
from practicefusion_connector.sandbox.faults.limiter import TokenBucket
from tests.robustness.practice import faulty


@pytest.mark.parametrize("name", profile_names())
def test_every_named_profile_holds_only_faults_there_are(name: str) -> None:
    profile = FaultProfile.named(name)
    assert set(profile.kinds) <= set(KINDS)
    assert profile.rate > 0 or profile.requests_per_second
    assert name in (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")


def test_a_name_or_a_kind_there_is_not_is_said_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"unreliable"):
        Sandbox(patients=1, faults="unrelaible")
    with pytest.raises(ValueError, match=r"418.*503"):
        Sandbox(patients=1, faults=FaultProfile(kinds={"418": 1}))


def test_faults_depend_on_the_seed_and_the_request_and_nothing_else() -> None:
    profile, other = FaultProfile(rate=0.5, seed=1), FaultProfile(rate=0.5, seed=2)
    possible = sorted(KINDS)
    asked = [(f"r{number}", again) for number in range(100) for again in (1, 2)]
    drawn = [profile.draw(request, again, possible) for request, again in asked]
    backwards = [profile.draw(request, again, possible) for request, again in reversed(asked)]
    assert drawn == list(reversed(backwards))
    assert drawn != [other.draw(request, again, possible) for request, again in asked]
    assert 60 < sum(kind is not None for kind in drawn) < 140
    assert len({kind for kind in drawn if kind}) > 20


def test_weights_are_kept_and_the_rate_too() -> None:
    profile = FaultProfile(rate=0.2, kinds={"503": 3, "500": 1})
    drawn = [profile.draw(f"r{n}", 1, ["500", "503"]) for n in range(4000)]
    hit = [kind for kind in drawn if kind]
    assert len(hit) == pytest.approx(800, rel=0.15)
    assert hit.count("503") == pytest.approx(600, rel=0.15)


def test_faults_end_after_as_many_as_asked_and_are_recorded_without_ids() -> None:
    profile = FaultProfile(rate=1, kinds={"503": 1}, times=2)
    with faulty(profile) as (pf, sandbox, asked):
        patient = next(iter(sandbox.resources["Patient"]))
        pf.run("get_patient", {"id": patient})
        assert asked.resources() == 3
        assert [(f.kind, f.method, f.path) for f in sandbox.faults] == [
            ("503", "GET", "Patient/{id}")
        ] * 2
        assert patient not in repr(list(sandbox.faults))


def test_only_fhir_requests_meet_faults_unless_the_token_endpoint_is_to_meet_them_too() -> None:
    profile = FaultProfile(rate=1, kinds={"503": 1})
    with Sandbox(patients=1, faults=profile) as sandbox:
        found = requests.get(f"{sandbox.fhir_base_url}/.well-known/smart-configuration", timeout=5)
        assert found.status_code == 200
        token = f"{sandbox.fhir_base_url}/token"
        assert requests.post(token, data={}, timeout=5).status_code != 503
    profile = FaultProfile(rate=1, kinds={"503": 1}, token_endpoint=True)
    with Sandbox(patients=1, faults=profile) as sandbox:
        token = f"{sandbox.fhir_base_url}/token"
        assert requests.post(token, data={}, timeout=5).status_code == 503
        assert [fault.path for fault in sandbox.faults] == ["token"]


def test_the_limit_of_the_practice_is_a_bucket_that_fills() -> None:
    now = [100.0]
    bucket = TokenBucket(per_second=50, burst=3, clock=lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, pytest.approx(0.02)]
    now[0] += 0.021
    assert [bucket.take() for _ in range(2)] == [0, pytest.approx(0.019)]
    now[0] += 60
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, pytest.approx(0.02)]


def test_what_is_over_the_limit_is_told_when_to_come_back() -> None:
    with Sandbox(patients=1, faults=FaultProfile(requests_per_second=0.5, burst=1)) as sandbox:
        answers = [requests.get(f"{sandbox.fhir_base_url}/Patient", timeout=5) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [401, 429]
        assert answers[1].headers["Retry-After"] == "2"
        assert [fault.kind for fault in sandbox.faults] == ["limit"]


# Their URLs are their caller's own, and no server's word.
_VOUCHED_FOR = {"smart/directory_source.py", "sync/targets/fhir_server.py"}


def test_every_request_of_the_package_says_whose_practice_it_is_for() -> None:
    package = Path(practicefusion_connector.__file__).parent
    nameless = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner = ast.unparse(node.func.value).rpartition(".")[2]
            if owner not in ("transport", "_transport") or node.func.attr not in _SENDING:
                continue
            if "practice" not in {keyword.arg for keyword in node.keywords}:
                nameless.add(path.relative_to(package).as_posix())
    assert nameless == _VOUCHED_FOR & nameless


_SENDING = ("get", "send", "stream")
