"""No log record and no exception shows a query, an id, a token or a body."""

from __future__ import annotations

import logging
import socket
import traceback
from contextlib import suppress

import pytest

from practicefusion_connector import errors
from practicefusion_connector.transport import Policy, Run, Transport
from practicefusion_connector.transport.redaction import path_template
from tests.leaks import everything_said
from tests.transport.wire import Script, hangs_up, ok, says, says_nothing, serving

NAME, ID, TOKEN, BODY = "OCanary", "id-canary-7", "token-canary", "body-canary"
CANARIES = (NAME, ID, TOKEN, BODY, "1980")
PATHS = [
    f"/fhir/Patient?family={NAME}&birthdate=1980-01-01",
    f"/fhir/Patient?family=D'{NAME}&birthdate=1980-01-01",
    f"/fhir/Patient?family={NAME} y {NAME}&birthdate=1980-01-01",
    f"/fhir/Patient/{ID}",
    f"/fhir/Patient/{ID}/_history/2",
    f"/fhir/Patient/{ID}?birthdate=1980",
]


def fetch(url: str, **policy: float) -> None:
    transport = Transport(Policy(attempts=1, **policy))  # type: ignore[arg-type]
    try:
        transport.get(url, {"Authorization": f"Bearer {TOKEN}"}, Run(20)).json()
    finally:
        transport.close()


@pytest.mark.parametrize("path", PATHS)
def test_urllib3_s_debug_log_shows_where_but_not_whom(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(says(ok(b"{}"))) as server:
        fetch(server.url + path)
    told = [r.getMessage() for r in caplog.records if r.name == "urllib3.connectionpool"]
    assert any("GET /fhir/Patient" in line and "200" in line for line in told)
    assert not [canary for canary in CANARIES if canary in caplog.text]


def test_a_warning_about_a_broken_header_names_no_patient(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    broken = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno colon here\r\nX: y\r\n\r\n{}"
    with serving(*[says(broken)] * len(PATHS)) as server:
        for path in PATHS:
            # What comes after the broken line is no header, so the length of the body is unclear.
            with suppress(errors.ConnectorError):
                fetch(server.url + path)
    assert "urllib3.connection" in {record.name for record in caplog.records}
    assert not [canary for canary in CANARIES if canary in caplog.text]


FAULTS: dict[str, Script] = {
    "reset": hangs_up(reset=True),
    "short body": hangs_up(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + BODY.encode()),
    "no JSON": says(ok(BODY.encode())),
    "no HTTP": hangs_up(BODY.encode() + b"\r\n"),
    "redirect": says(b"HTTP/1.1 302 Found\r\nLocation: /" + BODY.encode() + b"\r\n\r\n"),
    "refusal": says(b"HTTP/1.1 400 Bad\r\nContent-Length: 11\r\n\r\n" + BODY.encode()),
    "silence": says_nothing,
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("path", [PATHS[1], PATHS[4]])
def test_no_error_carries_the_request_or_the_answer(
    fault: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(FAULTS[fault]) as server, pytest.raises(errors.ConnectorError) as caught:
        fetch(server.url + path, read_timeout=0.2)
    _assert_clean(caught.value, caplog)


def test_nor_does_one_about_an_address_nobody_listens_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(errors.ConnectFailure) as caught:
        fetch(f"http://127.0.0.1:{port}{PATHS[0]}")
    _assert_clean(caught.value, caplog)


def _assert_clean(error: errors.ConnectorError, caplog: pytest.LogCaptureFixture) -> None:
    assert error.__cause__ is None
    assert error.__context__ is None
    trace = "".join(traceback.format_exception(error))
    for said in (everything_said(error), trace, caplog.text):
        assert not [canary for canary in CANARIES if canary in said]


@pytest.mark.parametrize(
    "url",
    [
        f"https://ehr.example/fhir/r4/Patient/{ID}",
        f"https://ehr.example/fhir/r4/Patient/{ID}/_history/2",
        f"https://ehr.example/fhir/r4/Patient/{ID}?family={NAME}",
        f"https://ehr.example/fhir/r4/Patient?family={NAME}#x",
        f"/fhir/r4/Patient/{ID}{'x' * 80}",
    ],
)
def test_a_path_template_has_the_type_and_neither_id_nor_query(url: str) -> None:
    template = path_template(url)
    assert "Patient" in template
    assert not [canary for canary in CANARIES if canary in template]
