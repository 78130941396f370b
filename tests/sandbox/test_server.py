"""The server itself: connections, seams, the record, start and stop, the pytest fixtures."""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from werkzeug.wrappers import Request, Response

from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.testing import plugin
from tests.sandbox.apps import TIMEOUT, App, system_token

# The fixtures users get; named here so that they work without the installed entry point as well.
practicefusion_sandbox = plugin.practicefusion_sandbox
practicefusion_sandbox_session = plugin.practicefusion_sandbox_session


def _connection(sandbox: Sandbox) -> http.client.HTTPConnection:
    parts = urlsplit(sandbox.origin)
    return http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=TIMEOUT)


def test_one_connection_carries_many_requests(shared: Sandbox) -> None:
    connection = _connection(shared)
    connection.connect()
    address = connection.sock.getsockname()
    for path in ("/metadata", "/.well-known/smart-configuration", "/Patient"):
        connection.request("GET", urlsplit(shared.fhir_base_url).path + path)
        answer = connection.getresponse()
        assert len(answer.read()) == int(answer.headers["Content-Length"])
        assert connection.sock.getsockname() == address
    connection.request("POST", urlsplit(shared.fhir_base_url).path + "/token", body="a=b")
    assert connection.getresponse().read()
    connection.request("GET", "/nowhere")
    assert connection.getresponse().status == 404
    connection.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Transfer-Encoding": "chunked"}, 411),
        ({"Content-Length": "many"}, 400),
        ({"Content-Length": "99999999"}, 413),
    ],
)
def test_a_body_it_will_not_read_ends_the_connection(
    shared: Sandbox, headers: dict[str, str], status: int
) -> None:
    connection = _connection(shared)
    connection.putrequest("POST", "/login")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == status
    assert answer.headers["Connection"] == "close"
    answer.read()
    connection.close()


def test_stopping_ends_open_connections_and_frees_the_port() -> None:
    sandbox = Sandbox(patients=1).start()
    port = urlsplit(sandbox.origin).port
    connection = _connection(sandbox)
    connection.request("GET", "/nowhere")
    connection.getresponse().read()

    sandbox.stop()
    sandbox.stop()

    with pytest.raises((http.client.HTTPException, ConnectionError)):
        _ask_again(connection)
    connection.close()
    with Sandbox(port=int(port or 0), patients=1) as again:
        assert urlsplit(again.origin).port == port


def _ask_again(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/nowhere")
    connection.getresponse()


def test_it_has_no_address_before_it_starts_and_starts_once() -> None:
    sandbox = Sandbox(patients=1)
    with pytest.raises(RuntimeError, match="until it is started"):
        _ = sandbox.fhir_base_url
    with sandbox, pytest.raises(RuntimeError, match="already running"):
        sandbox.start()


def test_many_callers_at_once_get_right_answers(own: Sandbox) -> None:
    app, token = App(own), system_token(own)
    patients = list(own.resources["Patient"]) * 2

    def conditions(patient: str) -> set[str]:
        bundle = app.get("Condition", token, {"patient": patient}).json()
        return {entry["resource"]["subject"]["reference"] for entry in bundle["entry"]}

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(conditions, patients))
    assert found == [{f"Patient/{patient}"} for patient in patients]


def test_the_record_keeps_names_and_no_values(own: Sandbox) -> None:
    app, token = App(own), system_token(own)
    patient = next(iter(own.resources["Patient"]))
    own.requests.clear()

    app.get(f"Patient/{patient}", token)
    app.get("Observation", token, {"patient": patient, "_count": "1"})
    app.get("Nothing/like/this-12345", token)

    base = "/fhir/r4/v1/{practice}"
    assert [(made.method, made.path, made.status, made.query) for made in own.requests] == [
        ("GET", f"{base}/Patient/{{id}}", 200, ()),
        ("GET", f"{base}/Observation", 200, ("patient", "_count")),
        ("GET", f"{base}/Nothing/like/{{id}}", 404, ()),
    ]
    assert len(own.requests) == 3
    assert patient not in repr(list(own.requests))


def test_nothing_is_printed_or_logged(
    own: Sandbox, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    app = App(own)
    token = app.connect("offline_access user/Patient.read")
    app.get("Patient", token["access_token"], {"family": "Morales"})

    printed = capfd.readouterr()
    logged = " ".join(
        record.getMessage() for record in caplog.records if "urllib3" not in record.name
    )
    for text in (printed.out, printed.err, logged):
        assert token["access_token"] not in text
        assert token["refresh_token"] not in text
        assert "Morales" not in text


def test_the_request_seam_may_answer_itself() -> None:
    def broken(request: Request) -> Response | None:
        return Response("down", 503) if request.path.endswith("/metadata") else None

    with Sandbox(patients=1, behaviour=Behaviour(before_request=broken)) as sandbox:
        url = f"{sandbox.fhir_base_url}/metadata"
        assert requests.get(url, timeout=TIMEOUT).status_code == 503
        sandbox.behaviour.before_request = None
        assert requests.get(url, timeout=TIMEOUT).status_code == 200


def test_middleware_wraps_the_application_first_one_outermost() -> None:
    order: list[str] = []

    def named(name: str) -> Any:
        def wrap(application: Any) -> Any:
            def wrapped(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
                order.append(name)
                assert environ["werkzeug.socket"] is not None
                answer: Iterable[bytes] = application(environ, start_response)
                return answer

            return wrapped

        return wrap

    with Sandbox(patients=1, middleware=[named("outer"), named("inner")]) as sandbox:
        assert requests.get(sandbox.origin, timeout=TIMEOUT).status_code == 200
    assert order == ["outer", "inner"]


def test_a_failure_inside_is_an_operation_outcome(own: Sandbox) -> None:
    def fail(request: Request) -> Response | None:
        raise ZeroDivisionError

    own.behaviour.before_request = fail
    answer = App(own).get("Patient", None)
    assert answer.status_code == 500
    assert answer.json()["issue"][0]["code"] == "exception"


def test_fixtures_give_a_running_practice(
    practicefusion_sandbox: Sandbox, practicefusion_sandbox_session: Sandbox
) -> None:
    assert practicefusion_sandbox.origin != practicefusion_sandbox_session.origin
    assert practicefusion_sandbox.tokens.count_access() == 0
    assert App(practicefusion_sandbox).connect("user/Patient.read")["access_token"]


def test_loading_the_plugin_loads_no_sandbox() -> None:
    code = (
        "import sys, practicefusion_connector.testing.plugin;"
        "print([n for n in ('flask', 'authlib', 'faker', 'practicefusion_connector.sandbox')"
        " if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
