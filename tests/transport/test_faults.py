"""Faults on a real socket: broken, slow, huge and nonsensical answers end in a typed error."""

from __future__ import annotations

import gzip
import socket
from contextlib import suppress
from threading import Event, Thread

import pytest

from practicefusion_connector import errors
from practicefusion_connector.transport import Policy, Run, Transport
from tests.leaks import everything_said
from tests.transport.wire import FastRun, Script, hangs_up, ok, says, says_nothing, serving

BODY = b'{"resourceType": "Patient"}'
ONCE = Policy(attempts=1)
GZIP = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"


def in_chunks(*parts: bytes) -> bytes:
    """Return a header's last field and a body in chunks, whole as far as HTTP can tell."""
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))
    return b"Transfer-Encoding: chunked\r\n\r\n" + chunks


def fetched(url: str, *, policy: Policy = ONCE, run: Run | None = None) -> object:
    transport = Transport(policy)
    try:
        return transport.get(f"{url}/Patient/1", {"Accept-Encoding": "gzip"}, run or Run(20)).json()
    finally:
        transport.close()


def failure(
    script: Script, *, policy: Policy = ONCE, run: Run | None = None
) -> errors.ConnectorError:
    with serving(script) as server, pytest.raises(errors.ConnectorError) as caught:
        fetched(server.url, policy=policy, run=run)
    return caught.value


def test_plain_chunked_and_compressed_answers_are_read_whole() -> None:
    half = len(BODY) // 2
    packed, members = gzip.compress(BODY), [gzip.compress(BODY[:half]), gzip.compress(BODY[half:])]
    with serving(
        says(ok(BODY)),
        says(b"HTTP/1.1 200 OK\r\n", in_chunks(BODY[:half], BODY[half:])),
        says(ok(packed, "Content-Encoding: gzip")),
        says(GZIP, in_chunks(*(packed[at : at + 1] for at in range(len(packed))))),
        says(GZIP, in_chunks(*members)),
        says(GZIP, in_chunks(b"".join(members))),
        says(GZIP, in_chunks(packed, b"\0" * 512)),
        hangs_up(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", BODY),
        hangs_up(GZIP + b"Connection: close\r\n\r\n", packed),
    ) as server:
        for _ in range(9):
            assert fetched(server.url) == {"resourceType": "Patient"}


def test_an_empty_answer_may_call_itself_compressed() -> None:
    with serving(says(ok(b"", "Content-Encoding: gzip")), says(GZIP, in_chunks())) as server:
        for _ in range(2):
            with pytest.raises(errors.InvalidResponse):
                fetched(server.url)


def test_a_connection_is_used_again_after_every_kind_of_answer() -> None:
    transport = Transport(ONCE)
    with serving(
        says(ok(BODY)),
        says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"),
        says(ok(gzip.compress(BODY), "Content-Encoding: gzip")),
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
        says(ok(BODY)),
    ) as server:
        for expected in (200, 404, 200, 200, 200):
            try:
                status = transport.get(f"{server.url}/Patient/1", {}, Run(20)).status
            except errors.NotFound as error:
                status = error.http_status or 0
            assert status == expected
        assert server.connections == 1
        transport.close()


@pytest.mark.parametrize(
    "script",
    [
        hangs_up(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{", reset=True),
        hangs_up(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"),
        hangs_up(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"),
        hangs_up(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{"),
        hangs_up(GZIP + b"Connection: close\r\n\r\n", gzip.compress(BODY)[:-1]),
        says(GZIP, in_chunks(gzip.compress(BODY)[:12])),
        says(GZIP, in_chunks(gzip.compress(BODY) + gzip.compress(b" " * 9)[:-9])),
        hangs_up(b"220 smtp.example ready\r\n"),
        hangs_up(),
        hangs_up(reset=True),
    ],
    ids=[
        *("reset mid-body", "short body", "short chunk", "no chunk size"),
        *("gzip without its end", "gzip cut in chunks", "second member cut"),
        *("no HTTP", "no answer", "reset"),
    ],
)
def test_a_broken_answer_is_a_network_failure_that_another_try_mends(script: Script) -> None:
    assert isinstance(failure(script), errors.NetworkFailure)
    run = FastRun()
    with serving(script, says(ok(BODY))) as server:
        assert fetched(server.url, policy=Policy(), run=run) == {"resourceType": "Patient"}
    assert [reason for _, reason in run.trace.waits] == ["network"]


def test_an_address_where_nobody_listens_was_never_sent_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(errors.ConnectFailure):
        fetched(url)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(b"HTTP/1.1 400 Bad Request\r\n\r\n", errors.InvalidConfig), (b"", errors.NetworkFailure)],
    ids=["a server without TLS", "a handshake cut short"],
)
def test_only_what_trying_again_will_not_mend_is_a_wrong_connection(
    answer: bytes, kind: type[Exception]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(65536)

        thread = Thread(target=serve)
        thread.start()
        with pytest.raises(kind):
            fetched(f"https://127.0.0.1:{listener.getsockname()[1]}")
        thread.join(10)


def test_a_silent_server_is_a_timeout() -> None:
    error = failure(says_nothing, policy=Policy(attempts=1, read_timeout=0.1))
    assert type(error) is errors.Timeout


def test_a_body_that_trickles_in_ends_at_the_deadline() -> None:
    error = failure(trickles, policy=Policy(attempts=1, read_timeout=30), run=Run(0.3))
    assert type(error) is errors.DeadlineExceeded


def test_a_body_that_trickles_in_ends_when_the_caller_cancels() -> None:
    cancel = Event()

    def script(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
        cancel.set()
        while True:
            connection.sendall(b" ")

    assert type(failure(script, run=Run(30, cancel=cancel))) is errors.Cancelled


def trickles(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
    pause = Event()
    while True:
        connection.sendall(b" ")
        pause.wait(0.02)


def test_a_silent_server_past_the_deadline_is_the_deadline() -> None:
    error = failure(says_nothing, run=Run(0.2))
    assert type(error) is errors.DeadlineExceeded


def test_a_gzip_bomb_is_cut_off_at_the_limit() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 100_000
    policy = Policy(attempts=1, max_body_bytes=1_000_000)
    error = failure(says(ok(bomb, "Content-Encoding: gzip")), policy=policy)
    assert type(error) is errors.ResponseTooLarge


def test_a_body_of_just_the_limit_is_read_and_one_more_byte_is_not() -> None:
    policy = Policy(attempts=1, max_body_bytes=len(BODY))
    with serving(says(ok(BODY)), says(ok(BODY + b" "))) as server:
        assert fetched(server.url, policy=policy)
        with pytest.raises(errors.ResponseTooLarge):
            fetched(server.url, policy=policy)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>CANARY</html>", b'{"name": "CANARY', b'{"value": NaN}', b'{"v": Infinity}'),
        *(b'{"name": "\xff\xfe"}', b'{"name": "\\ud800"}', b"{} {}", b"\x00"),
    ],
    ids=lambda body: repr(body[:12]),
)
def test_an_answer_that_is_no_json_is_said_without_its_text(body: bytes) -> None:
    answer = ok(body, "Content-Type: text/html; charset=x", "pfCorrelationId: c-1")
    error = failure(says(answer))
    assert type(error) is errors.InvalidResponse
    assert error.correlation_id == "c-1"
    assert "text/html" in str(error)
    assert "CANARY" not in everything_said(error)


def test_json_nested_too_deep_is_refused() -> None:
    error = failure(says(ok(b"[" * 150 + b"]" * 150, "Content-Type: application/fhir+json")))
    assert type(error) is errors.ResponseTooLarge
    endless = failure(says(ok(b"[" * 100_000)))
    assert isinstance(endless, errors.ResponseTooLarge | errors.InvalidResponse)


def test_a_body_that_is_no_gzip_is_an_invalid_response() -> None:
    error = failure(says(ok(b"plain", "Content-Encoding: gzip")))
    assert type(error) is errors.InvalidResponse
