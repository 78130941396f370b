"""What a server may answer to a batch: one after the other, from a server that tests script."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector import errors
from practicefusion_connector.smart.provider import HostTokens
from practicefusion_connector.sync import FhirServer, FhirTarget, FolderSource, Pace, State, Sync
from practicefusion_connector.sync.items import Key
from practicefusion_connector.sync.targets.fhir_server import EntryAnswer
from practicefusion_connector.sync.targets.pace import Bounds
from practicefusion_connector.transport import Policy, Run, Transport
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


LARGEST = 4000


def test_a_batch_a_server_fails_at_is_halved_until_the_culprits_are_alone(
    scripted: Scripted, server: FhirServer
) -> None:
    culprits = {3, 4, 11, 17}

    def answer(method: str, path: str, body: Any) -> Said:
        sent = {entry["resource"]["n"] for entry in body["entry"]}
        return (500, {}) if sent & culprits else bundle([answered(e) for e in body["entry"]])

    scripted.answer = answer
    got = server.batch(entries(20))
    assert {n for n, each in enumerate(got) if not each.ok} == culprits
    assert {each.status for each in got if not each.ok} == {500}
    assert [each.id for n, each in enumerate(got) if n not in culprits] == [
        f"t{n}" for n in range(20) if n not in culprits
    ]


def test_a_single_entry_a_server_fails_at_is_told(scripted: Scripted, server: FhirServer) -> None:
    scripted.answer = lambda *_: (500, {})
    (got,) = server.batch(entries(1))
    assert (got.ok, got.status) == (False, 500)
    assert len(scripted.asked) == 2


@pytest.mark.parametrize("count", [3, 100])
def test_a_server_that_fails_at_everything_is_not_asked_about_each(
    scripted: Scripted, server: FhirServer, count: int
) -> None:
    scripted.answer = lambda *_: (500, {})
    with pytest.raises(errors.UpstreamUnavailable):
        server.batch(entries(count))
    # Halves of halves down to three by themselves, each tried twice.
    assert len(scripted.asked) <= 2 * 12


def test_a_server_that_fails_from_a_half_on_is_left_alone(
    scripted: Scripted, server: FhirServer
) -> None:
    def answer(method: str, path: str, body: Any) -> Said:
        first_half = len(scripted.asked) == 3
        return bundle([answered(e) for e in body["entry"]]) if first_half else (500, {})

    scripted.answer = answer
    with pytest.raises(errors.UpstreamUnavailable):
        server.batch(entries(100))
    assert len(scripted.asked) <= 3 + 2 * 12


def test_creations_a_server_fails_at_are_not_sent_in_halves(
    scripted: Scripted, server: FhirServer
) -> None:
    scripted.answer = lambda *_: (500, {})
    with pytest.raises(errors.UpstreamUnavailable):
        server.batch(entries(4), repeatable=False)
    assert len(scripted.asked) == 1


@pytest.fixture
def narrow(scripted: Scripted) -> Iterator[FhirServer]:
    """A server whose answers are read up to `LARGEST` bytes."""
    transport = Transport(Policy(backoff=0.001, max_body_bytes=LARGEST))
    yield FhirServer(transport, scripted.url, HostTokens(lambda: "abc"), Pace())
    transport.close()


def large(entry: dict[str, Any], size: int) -> dict[str, Any]:
    kind, _, logical_id = entry["request"]["url"].partition("?")[0].partition("/")
    resource = {"resourceType": kind, "id": logical_id or "n", "note": "x" * size}
    return {"response": {"status": "200"}, "resource": resource}


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_batch_whose_answer_is_too_large_is_halved(
    method: str, scripted: Scripted, narrow: FhirServer
) -> None:
    def answer(_method: str, _path: str, body: Any) -> Said:
        sizes = [
            LARGEST if each["request"]["url"] == "Patient/5" else 900 for each in body["entry"]
        ]
        return bundle([large(*each) for each in zip(body["entry"], sizes, strict=True)])

    scripted.answer = answer
    asked = [{"request": {"method": method, "url": f"Patient/{n}"}} for n in range(8)]
    found = narrow.batch(asked)
    assert [each.id for each in found if each.ok] == ["0", "1", "2", "3", "4", "6", "7"]
    assert found[5] == EntryAnswer(413, code="response_too_large")


def test_what_may_have_been_created_is_not_sent_again_for_a_smaller_answer(
    scripted: Scripted, narrow: FhirServer
) -> None:
    scripted.answer = lambda _method, _path, body: bundle([large(body["entry"][0], LARGEST)] * 2)
    asked = [{"request": {"method": "POST", "url": "Patient"}}] * 2
    with pytest.raises(errors.ResponseTooLarge):
        narrow.batch(asked, repeatable=False)
    assert len(scripted.asked) == 1


def test_the_last_pass_reads_as_much_at_once_as_an_answer_may_hold(
    scripted: Scripted, state: State, tmp_path: Path
) -> None:
    held: dict[str, Any] = {}

    def answer(method: str, path: str, body: Any) -> Said:
        if method == "GET":
            return 200, {"resourceType": "Bundle"}
        said = []
        for entry in body["entry"]:
            url, resource = entry["request"]["url"], entry.get("resource")
            if resource is not None:
                name = url.rpartition("%7C")[2].rpartition("/")[2]
                held[name] = resource | {"id": name}
                location = f"{resource['resourceType']}/{name}"
                said.append({"response": {"status": "201", "location": location}})
            else:
                resource = held[url.partition("/")[2]]
                said.append({"response": {"status": "200"}, "resource": resource})
        return bundle(said)

    scripted.answer = answer
    listed = [
        {
            "resourceType": "Observation",
            "id": f"o{n}",
            "subject": {"reference": "Patient/p0"},
            "note": [{"text": "x" * 1000}],
        }
        for n in range(9)
    ]
    folder = write(tmp_path / "export", listed)
    transport = Transport(Policy(backoff=0.001, max_body_bytes=LARGEST))
    server = FhirServer(transport, scripted.url, HostTokens(lambda: "abc"), Pace())
    target = FhirTarget(server, source=None, size=lambda: 40, workers=lambda: 1)
    with closing(transport):
        Sync(FolderSource(folder), target, state).run()
        write(folder, [{"resourceType": "Patient", "id": "p0"}])
        assert Sync(FolderSource(folder), target, state).run().references_mended == 9
    assert {each["subject"]["reference"] for name, each in held.items() if name != "p0"} == {
        "Patient/p0"
    }


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


@pytest.mark.parametrize("status", [404, 500])
def test_a_token_endpoint_that_is_away_says_nothing_of_the_server(
    scripted: Scripted, status: int
) -> None:
    class Away:
        def access_token(self, run: Run, *, rejected: str | None = None) -> str:
            kind = errors.NotFound if status == 404 else errors.UpstreamUnavailable
            raise kind("The token endpoint is away.", http_status=status)

    with closing(Transport(Policy(backoff=0.001))) as transport:
        server = FhirServer(transport, scripted.url, Away(), Pace())
        with pytest.raises(errors.UpstreamUnavailable, match="No access token"):
            server.takes_search("Patient", "identifier", "s|v")
        with pytest.raises(errors.UpstreamUnavailable, match="No access token"):
            server.batch(entries(2))
    assert scripted.asked == []


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


def test_another_server_gets_everything(scripted: Scripted, state: State, tmp_path: Path) -> None:
    """What the one was given, and under which ids, says nothing of the other."""

    def answer(method: str, path: str, body: Any) -> Said:
        if method == "GET":
            return 200, {"resourceType": "Bundle"}
        made = [f"Patient/t{n}" for n, _ in enumerate(body["entry"])]
        return bundle([{"response": {"status": "201", "location": each}} for each in made])

    def created(base_url: str) -> int:
        with target_at(base_url) as target:
            return Sync(patients(tmp_path, 3), target, state).run().total("created")

    scripted.answer = answer
    assert [created(f"{scripted.url}/{name}") for name in ("a", "a/", "b", "b")] == [3, 0, 3, 0]


@pytest.mark.parametrize("searched", [True, False], ids=["searched", "not searched"])
def test_a_server_that_answers_in_another_order_is_left_alone(
    searched: bool, scripted: Scripted, state: State, tmp_path: Path
) -> None:
    """What refers to its resources would refer to those of other people."""

    def answer(method: str, path: str, body: Any) -> Said:
        if method == "GET":
            return (200, {"resourceType": "Bundle"}) if searched else (400, {})
        written = [each["resource"] for each in body["entry"]]
        return bundle(
            [
                {"resource": {**each, "id": f"t{n}"}, "response": {"status": "201"}}
                for n, each in enumerate(reversed(written))
            ]
        )

    scripted.answer = answer
    with target_at(scripted.url) as target, pytest.raises(errors.InvalidConfig, match="order"):
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


def test_what_was_created_beside_a_batch_that_failed_is_not_in_doubt(
    scripted: Scripted, state: State, tmp_path: Path
) -> None:
    made: list[str] = []
    second_is_done = threading.Event()

    def answer(method: str, path: str, body: Any) -> Said:
        if method == "GET":
            return 400, {"resourceType": "OperationOutcome"}
        names = [each["resource"]["meta"]["tag"][0]["code"] for each in body["entry"]]
        made.extend(names)
        if "p0" in names:
            second_is_done.wait(10)
            return 500, {}
        second_is_done.set()
        created = [f"Patient/t-{name}" for name in names]
        return bundle([{"response": {"status": "201", "location": each}} for each in created])

    scripted.answer = answer
    source = patients(tmp_path, 20)
    with target_at(scripted.url, bounds=Bounds(first=10, workers=2)) as target:
        with pytest.raises(errors.UpstreamUnavailable):
            Sync(source, target, state).run()
        report = Sync(source, target, state).run()
    assert report.quarantine == {"Patient": {"in_doubt": 10}}
    assert len(made) == len(set(made)) == 20


@pytest.mark.parametrize("searched", [True, False], ids=["searched", "not searched"])
def test_an_update_whose_answer_names_no_id_is_one_all_the_same(
    searched: bool, scripted: Scripted, state: State, tmp_path: Path
) -> None:
    """A server need not say where what it updated is, and gives back what it likes."""
    held = {"p0": "t0"} if searched else {}  # of a run that was cut off before it was told

    def done(entry: Any) -> Any:
        method, url = entry["request"]["method"], entry["request"]["url"]
        name = url.rpartition("%7C")[2]
        if method == "GET":
            found = {"entry": [{"resource": {"id": held[name]}}]}
            return {"response": {"status": "200"}, "resource": found}
        if method == "POST":
            name = entry["resource"]["meta"]["tag"][0]["code"]
        if name in held or url.startswith("Patient/"):
            return {"response": {"status": "200"}}
        held[name] = f"t{len(held)}"
        return {"response": {"status": "201", "location": f"Patient/{held[name]}"}}

    def answer(method: str, path: str, body: Any) -> Said:
        if method == "GET":
            return (200, {"resourceType": "Bundle"}) if searched else (400, {})
        return bundle([done(each) for each in body["entry"]])

    scripted.answer = answer
    with target_at(scripted.url) as target:
        for language in ("en", "fr"):
            listed = [
                {"resourceType": "Patient", "id": f"p{n}", "language": language} for n in range(3)
            ]
            source = FolderSource(write(tmp_path / "export", listed))
            assert Sync(source, target, state).run().status == "done"
    keys = [Key("Patient", name) for name in held]
    assert state.memory.held(keys) == dict(zip(keys, held.values(), strict=True))
