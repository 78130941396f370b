"""What a server may answer to a batch: one after the other, from a server that tests script."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector import errors
from practicefusion_connector.smart.provider import HostTokens
from practicefusion_connector.sync import FhirServer, FolderSource, Pace, State, Sync
from practicefusion_connector.sync.targets.fhir_server import EntryAnswer
from practicefusion_connector.sync.targets.pace import Bounds
from practicefusion_connector.transport import Policy, Transport
from tests.sync.data import write
from tests.sync.fhir_server import target_at

Said = tuple[int, Any]
Answers = Callable[[str, str, Any], Said]


class Scripted:
    """A server whose answers a test writes: method, path and body in, status and body out."""

    def __init__(self) -> None:
        self.answer: Answers = lambda method, path, body: (404, {})
        self.asked: list[tuple[str, str, Any]] = []
        self.tokens: list[str | None] = []
        self.raw: list[bytes] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._handle(None)

            def do_POST(self) -> None:
                script.raw.append(self.rfile.read(int(self.headers["Content-Length"])))
                self._handle(json.loads(script.raw[-1]))

            def _handle(self, body: Any) -> None:
                script.asked.append((self.command, self.path, body))
                script.tokens.append(self.headers.get("Authorization"))
                status, said = script.answer(self.command, self.path, body)
                text = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/fhir+json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    script = Scripted()
    thread = threading.Thread(target=script.server.serve_forever, args=(0.01,))
    thread.start()
    yield script
    script.server.shutdown()
    thread.join()
    script.server.server_close()


@pytest.fixture
def server(scripted: Scripted) -> Iterator[FhirServer]:
    transport = Transport(Policy(backoff=0.001))
    yield FhirServer(transport, scripted.url, HostTokens(lambda: "abc"), Pace())
    transport.close()


def entries(count: int) -> list[dict[str, Any]]:
    return [
        {"resource": {"n": n}, "request": {"method": "PUT", "url": f"Patient?identifier=s%7C{n}"}}
        for n in range(count)
    ]


def answered(entry: dict[str, Any], status: str = "201 Created", **more: Any) -> dict[str, Any]:
    number = entry["resource"]["n"]
    return {"response": {"status": status, "location": f"Patient/t{number}", **more}}


def bundle(listed: list[Any]) -> Said:
    return 200, {"resourceType": "Bundle", "type": "batch-response", "entry": listed}


def test_ids_are_learnt_from_every_form_of_a_location(
    scripted: Scripted, server: FhirServer
) -> None:
    said = [
        {"response": {"status": "201", "location": "Patient/a"}},
        {"response": {"status": "200 OK", "location": "Patient/b/_history/2"}},
        {"response": {"status": "200", "location": "https://h/fhir/R4/Patient/c/_history/1"}},
        {"response": {"status": "200"}, "resource": {"resourceType": "Patient", "id": "d"}},
    ]
    scripted.answer = lambda *_: bundle(said)
    assert [answer.id for answer in server.batch(entries(4))] == ["a", "b", "c", "d"]
    assert scripted.tokens == ["Bearer abc"]


def test_only_what_failed_in_passing_is_sent_again(scripted: Scripted, server: FhirServer) -> None:
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "lock-error"}],
    }

    def answer(method: str, path: str, body: Any) -> Said:
        first = len(scripted.asked) == 1
        return bundle(
            [
                {"response": {"status": "409", "outcome": outcome}}
                if first and each["resource"]["n"] % 2
                else {"response": {"status": "422", "outcome": outcome}}
                if each["resource"]["n"] == 2
                else answered(each)
                for each in body["entry"]
            ]
        )

    scripted.answer = answer
    found = server.batch(entries(5))
    assert [each.status for each in found] == [201, 201, 422, 201, 201]
    assert found[2] == EntryAnswer(422, code="lock-error")
    sent = [[each["resource"]["n"] for each in body["entry"]] for _, _, body in scripted.asked]
    assert sent == [[0, 1, 2, 3, 4], [1, 2, 3]]


@pytest.mark.parametrize("status", [413, 400, 422])
def test_a_batch_refused_whole_is_halved_until_the_culprit_is_alone(
    status: int, scripted: Scripted, server: FhirServer
) -> None:
    def answer(method: str, path: str, body: Any) -> Said:
        if any(each["resource"]["n"] == 5 for each in body["entry"]):
            return status, {"resourceType": "OperationOutcome", "issue": [{"code": "too-long"}]}
        return bundle([answered(each) for each in body["entry"]])

    scripted.answer = answer
    found = server.batch(entries(8))
    assert [each.ok for each in found] == [n != 5 for n in range(8)]
    assert (found[5].status, found[5].code) == (status, "too-long")


def test_a_server_that_answers_another_number_is_not_believed(
    scripted: Scripted, server: FhirServer
) -> None:
    scripted.answer = lambda *_: bundle([{"response": {"status": "201"}}])
    with pytest.raises(errors.InvalidResponse):
        server.batch(entries(2))


def test_a_search_counts_as_taken_only_where_it_was_understood(
    scripted: Scripted, server: FhirServer
) -> None:
    everything = [{"resource": {"resourceType": "Patient"}}]
    for said, taken in [
        ((200, {"resourceType": "Bundle"}), True),
        ((200, {"resourceType": "Bundle", "entry": everything}), False),
        ((400, {"resourceType": "OperationOutcome"}), False),
        ((200, {"resourceType": "Bundle", "link": [{"url": f"{scripted.url}/P?_count=1"}]}), False),
    ]:
        scripted.answer = lambda *_, said=said: said
        assert server.takes_search("Provenance", "identifier", "s|v") is taken


def test_a_busy_server_has_not_refused_a_search(scripted: Scripted, server: FhirServer) -> None:
    scripted.answer = lambda *_: (429, {"resourceType": "OperationOutcome"})
    with pytest.raises(errors.RateLimited):
        server.takes_search("Patient", "identifier", "s|v")


def test_decimals_keep_every_digit_on_the_way_there_and_back(
    scripted: Scripted, state: State, tmp_path: Path
) -> None:
    """R4 datatypes §2.24.0.1: 1.50 is not 1.5. Read, rewritten by the last pass, written back."""
    value = '{"value": 1.50, "unit": "mg"}'
    held = '{"resourceType":"Observation","id":"o","valueQuantity":' + value + ',"subject":'
    held += '{"type":"Patient","identifier":{"system":"https://practicefusion.com/fhir/Patient-id",'
    held += '"value":"p0"}}}'

    def answer(method: str, path: str, body: Any) -> Said:
        if method == "GET":
            return 200, {"resourceType": "Bundle"}
        asked = [each["request"] for each in body["entry"]]
        if asked[0]["method"] == "GET":
            entry = '{"response": {"status": "200"}, "resource": ' + held + "}"
            return 200, ('{"resourceType": "Bundle", "entry": [' + entry + "]}").encode()
        made = asked[0]["url"].partition("?")[0].partition("/")[0]
        return bundle([{"response": {"status": "201", "location": f"{made}/o"}}])

    scripted.answer = answer
    folder = tmp_path / "export"
    write(folder, [])
    observation = '{"resourceType": "Observation", "id": "o0", "valueQuantity": ' + value
    observation += ', "subject": {"reference": "Patient/p0"}}\n'
    (folder / "Observation.ndjson").write_text(observation, "utf-8")
    with target_at(scripted.url) as target:
        Sync(FolderSource(folder), target, state).run()
        write(folder, [{"resourceType": "Patient", "id": "p0"}])
        assert Sync(FolderSource(folder), target, state).run().references_mended == 1
    sent = [raw for raw in scripted.raw if b"valueQuantity" in raw]
    assert len(sent) == 2
    assert all(b'"value":1.50' in raw for raw in sent)


def patients(tmp_path: Path, count: int) -> FolderSource:
    listed = [{"resourceType": "Patient", "id": f"p{n}"} for n in range(count)]
    return FolderSource(write(tmp_path / "export", listed))


def test_a_server_that_takes_different_resources_for_one_is_left_alone(
    scripted: Scripted, state: State, tmp_path: Path
) -> None:
    def answer(method: str, path: str, body: Any) -> Said:
        if method == "GET":
            return 200, {"resourceType": "Bundle"}
        return bundle(
            [{"response": {"status": "200", "location": "Patient/x"}} for _ in body["entry"]]
        )

    scripted.answer = answer
    with target_at(scripted.url) as target, pytest.raises(errors.InvalidConfig, match="search"):
        Sync(patients(tmp_path, 3), target, state).run()
    assert state.memory.counts() == {}


def test_where_nothing_can_be_searched_a_cut_off_creation_is_in_doubt(
    scripted: Scripted, state: State, tmp_path: Path
) -> None:
    made: list[str] = []

    def answer(method: str, path: str, body: Any) -> Said:
        if method == "GET":
            return 400, {"resourceType": "OperationOutcome"}
        requests = [each["request"] for each in body["entry"]]
        made.extend(f"{each['method']} {each['url']}" for each in requests)
        if len(scripted.asked) == 3:
            return 500, {}
        return bundle(
            [
                {"response": {"status": "201", "location": f"Patient/t{n}"}}
                for n, _ in enumerate(body["entry"])
            ]
        )

    scripted.answer = answer
    source = patients(tmp_path, 2)
    with target_at(scripted.url, bounds=Bounds(workers=1)) as target:
        with pytest.raises(errors.UpstreamUnavailable):
            Sync(source, target, state).run()
        report = Sync(source, target, state).run()
    assert made == ["POST Patient", "POST Patient"]
    assert report.quarantine == {"Patient": {"in_doubt": 2}}
