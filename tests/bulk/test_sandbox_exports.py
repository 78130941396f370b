"""The sandbox's own side of an export: what is known of Practice Fusion, and a large practice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sandbox.bulk.lines import Lines, render, template


@pytest.fixture(scope="module")
def practice() -> Iterator[Sandbox]:
    with Sandbox(patients=3) as sandbox:
        yield sandbox


@pytest.fixture
def http(practice: Sandbox) -> Iterator[requests.Session]:
    practice.behaviour.export.__init__()  # type: ignore[misc]
    form = {
        "grant_type": "client_credentials",
        "scope": "system/Patient.rs system/Observation.rs system/Group.rs",
        "client_id": practice.backend_client_id,
        "client_secret": practice.backend_client_secret,
    }
    with requests.Session() as session:
        token = session.post(f"{practice.fhir_base_url}/token", form).json()["access_token"]
        session.headers.update(Authorization=f"Bearer {token}", Accept="application/fhir+json")
        yield session


def test_a_job_s_life_as_the_vendor_tells_it(practice: Sandbox, http: requests.Session) -> None:
    base = practice.fhir_base_url
    started = http.get(f"{base}/Patient/$export")
    assert (started.status_code, started.content) == (202, b"")
    status = started.headers["Content-Location"]
    assert status.startswith(f"{base}/Export/")
    running = http.get(status)
    assert (running.status_code, running.content) == (202, b"")
    assert "Retry-After" not in running.headers
    assert "X-Progress" not in running.headers
    manifest = http.get(status).json()
    assert set(manifest) == {
        "transactionTime",
        "request",
        "requiresAccessToken",
        "output",
        "error",
    }
    assert manifest["requiresAccessToken"] is True
    assert [each["type"] for each in manifest["output"]] == ["Observation", "Patient"]
    url = manifest["output"][1]["url"]
    handle = status.rpartition("/")[2]
    assert url == f"{base}/Binary/export/{handle}/Patient/1"
    lines = http.get(url).content.splitlines()
    assert [json.loads(line) for line in lines] == list(practice.resources["Patient"].values())
    assert requests.get(url, timeout=5).status_code == 401
    assert http.delete(status).status_code == 202
    assert http.get(status).status_code == 404
    assert http.get(url).status_code == 404


def test_an_expired_job_is_410(practice: Sandbox, http: requests.Session) -> None:
    status = http.get(f"{practice.fhir_base_url}/Patient/$export").headers["Content-Location"]
    practice.bulk.expire()
    assert http.get(status).status_code == 410


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("$export", 404),
        ("Patient/$export?_typeFilter=Patient%3Factive%3Dtrue", 400),
        ("Patient/$export?_since=yesterday", 400),
        ("Patient/$export?_type=Goal", 400),
        ("Patient/$export?_outputFormat=csv", 400),
        ("Group/nobody/$export", 404),
        ("Group/nobody", 404),
        ("Export/nothing", 404),
    ],
)
def test_refusals(practice: Sandbox, http: requests.Session, path: str, status: int) -> None:
    answer = http.get(f"{practice.fhir_base_url}/{path}")
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_groups(practice: Sandbox, http: requests.Session) -> None:
    group = http.get(f"{practice.fhir_base_url}/Group/{practice.bulk.group_id}").json()
    assert group["quantity"] == len(group["member"]) == 3
    with pytest.raises(ValueError, match="1,000"):
        practice.bulk.add_group(str(number) for number in range(1001))


def test_a_changed_record_is_found_by_searches_too(
    practice: Sandbox, http: requests.Session
) -> None:
    patient = list(practice.resources["Patient"])[-1]
    url = f"{practice.fhir_base_url}/Patient?family=Quillfeather"
    assert http.get(url).json()["total"] == 0
    made = practice.bulk.update("Patient", patient, name=[{"family": "Quillfeather"}])
    assert made["meta"]["versionId"] == "2"
    assert http.get(url).json()["total"] == 1
    created = practice.bulk.create({"resourceType": "Patient", "id": "new"})
    assert created["meta"]["lastUpdated"] > made["meta"]["lastUpdated"]
    practice.bulk.delete("Patient", "new")
    assert http.get(f"{practice.fhir_base_url}/Patient/new").status_code == 404


def test_a_large_practice_is_made_while_it_is_sent(
    practice: Sandbox, http: requests.Session
) -> None:
    rules = practice.behaviour.export
    rules.patients, rules.file_resources, rules.polls = 100_000, 10_000_000, 0
    status = http.get(f"{practice.fhir_base_url}/Patient/$export").headers["Content-Location"]
    output = http.get(status).json()["output"]
    assert [each["count"] for each in output][1] == 100_000
    headers = {"Accept-Encoding": "identity"}
    with http.get(output[1]["url"], headers=headers, stream=True) as answer:
        size = int(answer.headers["Content-Length"])
        lines = list(islice(answer.iter_lines(1 << 16), 1000))
    assert size > 100_000_000
    assert len({json.loads(line)["id"] for line in lines}) == 1000
    http.delete(status)


def test_copies_refer_to_each_other(practice: Sandbox, http: requests.Session) -> None:
    rules = practice.behaviour.export
    rules.patients, rules.file_resources, rules.polls = 7, 10_000, 0
    status = http.get(f"{practice.fhir_base_url}/Patient/$export").headers["Content-Location"]
    found = {
        each["type"]: [json.loads(line) for line in http.get(each["url"]).content.splitlines()]
        for each in http.get(status).json()["output"]
    }
    patients = {f"Patient/{patient['id']}" for patient in found["Patient"]}
    assert len(patients) == 7
    assert {each["subject"]["reference"] for each in found["Observation"]} == patients
    http.delete(status)


identities = st.uuids().map(str)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(min_size=1, max_size=9), max_size=4),
    st.lists(st.tuples(identities, st.integers(0, 2)), max_size=6),
    st.integers(0, 11),
    st.data(),
)
def test_any_stretch_of_the_lines_can_be_read_from_any_byte(
    shared: list[bytes], owned: list[tuple[str, int]], patients: int, data: st.DataObject
) -> None:
    owned.sort(key=lambda pair: pair[1])
    own = frozenset(name.encode() for name, _ in owned)
    templates = [template({"id": name, "n": owner}, own) for name, owner in owned]
    lines = Lines(shared, templates, [owner for _, owner in owned], 3, patients)
    full, rest = divmod(patients, 3)
    expected = [*shared]
    for copy in range(full + 1):
        expected += [
            render(pieces, copy)
            for pieces, (_, owner) in zip(templates, owned, strict=True)
            if copy < full or owner < rest
        ]
    assert lines.count == len(expected)
    start = data.draw(st.integers(0, len(expected)))
    stop = data.draw(st.integers(start, len(expected)))
    wanted = b"".join(expected[start:stop])
    assert lines.size(start, stop) == len(wanted)
    offset = data.draw(st.integers(0, len(wanted)))
    assert b"".join(lines.read(start, stop, offset)) == wanted[offset:]
