"""Downloads over connections that break, servers that ignore Range, and files that change."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from practicefusion_connector import errors
from practicefusion_connector.bulk import ExportPlan
from practicefusion_connector.bulk.download import Download
from practicefusion_connector.bulk.exchange import Exchange
from practicefusion_connector.bulk.manifest import Item
from practicefusion_connector.bulk.marks import Marks
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.smart.provider import HostTokens
from practicefusion_connector.transport import Policy, Transport
from tests.bulk.conftest import MakeExport
from tests.bulk.reading import resources, served
from tests.transport.wire import Script, hangs_up, serving

BODY = b"".join(b'{"resourceType":"Goal","id":"g%d"}\n' % number for number in range(2000))
HALF = len(BODY) // 2


def answer(
    body: bytes = BODY, *, cut: int | None = None, status: str = "200 OK", **fields: str
) -> Script:
    """Send a head for the whole body, and as much of it as is not cut off."""
    head = {"Content-Length": str(len(body)), **fields}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in head.items()]
    sent = "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body[:cut]

    def script(connection: object) -> None:
        connection.sendall(sent)  # type: ignore[attr-defined]
        if cut is not None:
            raise OSError

    return script


def rest(start: int, body: bytes = BODY, **fields: str) -> Script:
    span = f"bytes {start}-{len(body) - 1}/{len(body)}"
    fields["Content_Range"] = span
    return answer(body[start:], cut=None, status="206 Partial Content", **fields)


Fetch = Callable[..., list[bytes]]


@pytest.fixture
def fetch(tmp_path: Path) -> Iterator[Fetch]:
    """Fetch one file from a scripted server; return what was asked."""
    with closing(Transport(Policy(backoff=0.0))) as transport:

        def fetch(
            *scripts: Script, part: bytes | None = None, marks: Marks | None = None
        ) -> list[bytes]:
            path = tmp_path / "Goal.000.ndjson.part"
            if part is not None:
                path.write_bytes(part)
            with serving(*scripts) as server:
                url = f"{server.url}/file"
                item = Item("Goal.000.ndjson", "output", "Goal", url, None, True, "f")
                exchange = Exchange(transport, server.url, HostTokens(lambda: "token"))
                Download(
                    item, exchange, path, marks, marked=lambda _: None, moved=lambda *_: None
                ).fetch()
                assert path.read_bytes() == BODY
                return server.requests

        yield fetch


def ranges(requests: list[bytes]) -> list[str | None]:
    found = []
    for request in requests:
        lines = [line for line in request.decode().split("\r\n") if line.startswith("Range")]
        found.append(lines[0].partition("=")[2] if lines else None)
    return found


def start(have: int) -> int:
    return have - 4096


def test_a_break_is_gone_on_from(fetch: Fetch) -> None:
    asked = fetch(answer(cut=HALF, ETag='"a"'), rest(start(HALF), ETag='"a"'))
    assert ranges(asked) == [None, f"{start(HALF)}-"]


def test_a_server_that_sends_less_than_the_range_is_asked_for_the_rest(fetch: Fetch) -> None:
    begin, end = start(HALF), HALF + 5000
    span = f"bytes {begin}-{end - 1}/{len(BODY)}"
    less = answer(BODY[begin:end], status="206 Partial Content", Content_Range=span)
    asked = fetch(answer(cut=HALF), less, rest(start(end)))
    assert ranges(asked) == [None, f"{begin}-", f"{start(end)}-"]


def compressed(*, cut: int = 0, **fields: str) -> Script:
    """Send the body compressed and without its length, less the last `cut` bytes."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    head = ["HTTP/1.1 200 OK", "Content-Encoding: gzip", "Connection: close", *lines, "", ""]
    packed = gzip.compress(BODY)
    return hangs_up("\r\n".join(head).encode() + packed[: len(packed) - cut])


def test_a_compressed_body_of_unknown_length_is_whole_where_its_stream_is(fetch: Fetch) -> None:
    assert len(fetch(compressed())) == 1


def test_a_compressed_body_that_lost_its_end_is_gone_on_from(fetch: Fetch) -> None:
    asked = fetch(compressed(cut=8, ETag='W/"a"'), rest(start(len(BODY)), ETag='"a"'))
    assert ranges(asked) == [None, f"{start(len(BODY))}-"]


def test_a_compressed_body_that_is_cut_short_is_fetched_whole_without_range(fetch: Fetch) -> None:
    asked = fetch(compressed(cut=3000), compressed(cut=2000), answer())
    assert [each is None for each in ranges(asked)] == [True, False, False]


def test_an_earlier_run_s_part_is_gone_on_from(fetch: Fetch) -> None:
    asked = fetch(rest(start(HALF)), part=BODY[:HALF], marks=Marks(length=len(BODY)))
    assert ranges(asked) == [f"{start(HALF)}-"]


def test_a_file_that_is_here_is_not_asked_for(fetch: Fetch) -> None:
    assert fetch(part=BODY, marks=Marks(length=len(BODY))) == []


def test_a_part_nobody_knows_is_not_trusted(fetch: Fetch) -> None:
    assert ranges(fetch(answer(), part=BODY[:HALF])) == [None]


def test_a_server_that_ignores_range_gives_the_file_whole(fetch: Fetch) -> None:
    asked = fetch(answer(cut=HALF), answer())
    assert ranges(asked) == [None, f"{start(HALF)}-"]


@pytest.mark.parametrize(
    "second",
    [
        rest(start(HALF), ETag='"b"'),
        rest(start(HALF), Last_Modified="yesterday"),
        rest(start(HALF), body=BODY + b"more"),
        rest(start(HALF) + 1),
        answer(BODY[HALF:], status="206 Partial Content"),
        rest(start(HALF), Content_Encoding="gzip"),
        rest(start(HALF), body=b"x" * len(BODY)),
        answer(b"", status="416 Range Not Satisfiable"),
    ],
)
def test_another_state_of_the_file_is_fetched_whole(fetch: Fetch, second: Script) -> None:
    first = answer(cut=HALF, ETag='"a"', Last_Modified="today")
    asked = fetch(first, second, answer())
    assert ranges(asked) == [None, f"{start(HALF)}-", None]


def test_a_weak_tag_is_of_the_same_file(fetch: Fetch) -> None:
    asked = fetch(answer(cut=HALF, ETag='W/"a"'), rest(start(HALF), ETag='"a"'))
    assert len(asked) == 2


def test_a_download_that_never_moves_is_given_up(fetch: Fetch) -> None:
    with pytest.raises(errors.NetworkFailure):
        fetch(*[answer(cut=0)] * 7)


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone", "403 Forbidden"])
def test_a_refusal_is_final(fetch: Fetch, status: str) -> None:
    with pytest.raises(errors.ConnectorError) as caught:
        fetch(answer(b"", status=status))
    assert caught.value.http_status == int(status[:3])


def test_a_redirect_elsewhere_goes_without_the_token(fetch: Fetch) -> None:
    with serving(answer()) as other:
        location = f"{other.url}/signed?signature=s"
        asked = fetch(answer(b"", status="307 Temporary Redirect", Location=location))
        assert b"Authorization: Bearer token" in asked[0]
        assert b"Authorization" not in other.requests[0]


def test_a_redirect_within_the_server_keeps_the_token(fetch: Fetch) -> None:
    asked = fetch(answer(b"", status="302 Found", Location="/there"), answer())
    assert [b"Bearer token" in request for request in asked] == [True, True]


def test_redirects_without_end_are_refused(fetch: Fetch) -> None:
    with pytest.raises(errors.InvalidResponse, match="without end"):
        fetch(*[answer(b"", status="302 Found", Location="/again")] * 4)


def test_a_redirect_to_nowhere_is_refused(fetch: Fetch) -> None:
    with pytest.raises(errors.InvalidResponse, match="HTTP 302"):
        fetch(answer(b"", status="302 Found"))


@pytest.mark.parametrize("ranged", [True, False])
def test_breaks_in_the_practice_s_own_downloads(
    sandbox: Sandbox, export_of: MakeExport, ranged: bool
) -> None:
    sandbox.behaviour.export.ranges = ranged
    sandbox.bulk.faults.break_downloads(6, after_bytes=3000)
    outcome = export_of().run(ExportPlan())
    assert resources(outcome.files) == served(sandbox)
    assert outcome.complete
    assert sandbox.bulk.kickoffs == 1


def test_a_busy_file_server_is_asked_again(sandbox: Sandbox, export_of: MakeExport) -> None:
    def busy(told: object) -> None:
        if told.stage == "kicked_off":  # type: ignore[attr-defined]
            sandbox.bulk.faults.limit(5, retry_after=0)

    outcome = export_of(progress=busy).run(ExportPlan())
    assert resources(outcome.files) == served(sandbox)


@pytest.mark.parametrize("body", ["pretty", "bundle"])
@pytest.mark.parametrize("size", [1, 50])
def test_files_of_another_shape_become_ndjson(
    sandbox: Sandbox, export_of: MakeExport, body: str, size: int
) -> None:
    sandbox.behaviour.export.body = body  # type: ignore[assignment]
    sandbox.behaviour.export.file_resources = size
    outcome = export_of().run(ExportPlan(types=("Patient", "Condition")))
    wanted = {key: each for key, each in served(sandbox).items() if key[0] in outcome.counts}
    assert resources(outcome.files) == wanted
    assert outcome.complete


def test_a_short_file_is_fetched_again_and_then_told(
    sandbox: Sandbox, export_of: MakeExport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A manifest that counts more than there is cannot be helped, but it must not pass unseen."""
    plan = ExportPlan(types=("Patient",))
    job_files = sandbox.bulk.start

    def start(*args: object, **options: object) -> object:
        job = job_files(*args, **options)  # type: ignore[arg-type]
        manifest = job.manifest

        def inflated(*asked: object) -> object:
            told = manifest(*asked)  # type: ignore[arg-type]
            told["output"][0]["count"] += 1
            return told

        job.manifest = inflated  # type: ignore[method-assign,assignment]
        return job

    monkeypatch.setattr(sandbox.bulk, "start", start)
    outcome = export_of().run(plan)
    assert not outcome.complete
    assert not outcome.files[0].complete
    assert [warning.code for warning in outcome.warnings] == ["count_mismatch"]
    assert len(sandbox.bulk.authorized_downloads) == 2


def test_broken_and_wrong_resources_are_put_aside(
    sandbox: Sandbox, export_of: MakeExport, folder: Path
) -> None:
    sandbox.bulk.inject("Patient", b'{"resourceType": "Patient", "id": "cut')
    sandbox.bulk.inject("Patient", b'{"resourceType": "Patient", "id": "w", "gender": "xyz"}')
    plan = ExportPlan(types=("Patient",))
    reported = export_of(folder / "1").run(plan)
    assert (reported.quarantined, reported.counts) == (1, {"Patient": 6})
    (finding,) = reported.findings
    assert (finding.path, finding.rule, finding.count) == ("Patient.gender", "required_code", 1)
    assert (finding.file, finding.line) == ("Patient.000.ndjson", 2)
    put_aside = export_of(folder / "2", validation="quarantine").run(plan)
    assert (put_aside.quarantined, put_aside.counts) == (2, {"Patient": 5})
    unchecked = export_of(folder / "3", validation="none").run(plan)
    assert (unchecked.quarantined, unchecked.findings) == (1, [])
    assert not reported.complete


def test_a_disk_that_takes_nothing_is_told_in_a_sentence(
    export_of: MakeExport, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(errors.InvalidConfig, match="cannot be written to"):
        export_of(tmp_path / "file" / "export").run(ExportPlan())
