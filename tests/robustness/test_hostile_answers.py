"""Whatever a server answers: typed errors or results, and nothing of a patient or a token told."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from practicefusion_connector import Connection, ConnectorError, HostTokens, Policy, PracticeFusion
from practicefusion_connector.history import History, MemorySink
from practicefusion_connector.registry import shipped

BASE = "https://practice.example/fhir/r4/v1/118b460b-8390-4754-8e4a-1dd5ee20f599"
TOKEN = "CANARY-token-4711"
NAME, BORN, NUMBER = "Canarysson", "1931-03-14", "CANARY-MRN-0815"
CANARIES = (TOKEN, NAME, BORN, NUMBER)

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"family": NAME, "given": ["Ada"]}],
    "birthDate": BORN,
    "identifier": [{"system": "urn:mrn", "value": NUMBER}],
}
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "searchset",
    "total": 1,
    "link": [{"relation": "self", "url": f"{BASE}/Patient?family={NAME}"}],
    "entry": [{"resource": PATIENT, "fullUrl": f"{BASE}/Patient/p1"}],
}
OUTCOME: dict[str, Any] = {
    "resourceType": "OperationOutcome",
    "issue": [
        {"severity": "error", "code": "processing", "diagnostics": f"{NAME}, born {BORN}"},
        {"severity": "error", "code": NUMBER, "details": {"text": f"no {NAME}"}},
    ],
}
OAUTH = {"error": NUMBER, "error_description": f"{NAME} {TOKEN}", "message": NAME}
DOCUMENTS = [PATIENT, BUNDLE, OUTCOME, OAUTH]

WORDS = st.sampled_from(
    [
        *("resourceType", "Patient", "Bundle", "searchset", "entry", "link", "next", "url", "id"),
        *("total", "search", "mode", "outcome", "issue", "code", "relation", "resource", "type"),
        *(NAME, BORN, NUMBER, f"{BASE}/Patient?page=2", f"https://evil.example/?n={NAME}", "p1"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


def mutated(document: Any, choose: Any) -> Any:
    """Return a document with one value in it replaced, removed or doubled."""
    if isinstance(document, dict) and document:
        name = choose(st.sampled_from(sorted(document)))
        if choose(st.booleans()):
            return {**document, name: mutated(document[name], choose)}
        return {**document, name: choose(VALUES)}
    if isinstance(document, list) and document:
        place = choose(st.integers(0, len(document) - 1))
        return choose(
            st.sampled_from(
                [[], document * 2, [mutated(document[place], choose)], [*document, *document[:1]]]
            )
        )
    return choose(VALUES)


@st.composite
def bodies(draw: Any) -> bytes:
    """JSON of the server's shapes, mutated, sometimes cut, stained or no JSON at all."""
    if draw(st.integers(0, 9)) == 0:
        return bytes(draw(st.binary(max_size=60)))
    document = draw(st.sampled_from(DOCUMENTS))
    for _ in range(draw(st.integers(0, 3))):
        document = mutated(document, draw)
    body = json.dumps(document).encode("utf-8", "replace")
    spoil = draw(st.integers(0, 7))
    if spoil == 0:
        return body[: draw(st.integers(0, len(body)))]
    if spoil == 1:
        place = draw(st.integers(0, len(body)))
        return body[:place] + bytes(draw(st.binary(min_size=1, max_size=3))) + body[place:]
    return body


ANYTHING = re.compile(".*")
STATUSES = st.sampled_from([200] * 12 + [204, 206, 301, 304, 307, 400, 401, 403, 404, 410, 413])
MORE_STATUSES = st.sampled_from([422, 429, 451, 500, 501, 503, 504, 599])
FIELDS = st.dictionaries(
    st.sampled_from(
        [
            *("Content-Type", "Retry-After", "RateLimit", "pfCorrelationId", "WWW-Authenticate"),
            *("Location", "X-Request-Id", "X-RateLimit-Reset"),
        ]
    ),
    st.sampled_from(
        [
            *(
                "application/fhir+json",
                "text/html",
                "",
                "0",
                "1795221228643",
                '"r";r=0;t=9',
                "x" * 300,
            ),
            *(f"{NAME} {NUMBER}", f'Bearer error="invalid_token", error_description="{NAME}"'),
            *(f"https://evil.example/{NAME}?t={TOKEN}", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ]
    ),
    max_size=4,
)
CALLS = st.sampled_from(
    [
        ("get_patient", {"id": "p1"}),
        ("search_patients", {"family": NAME, "birthdate": BORN}),
        ("search_patients", {"identifier": NUMBER, "max_items": 5}),
        ("search_patients", {"family": NAME, "view": "summary", "validation": "strict"}),
    ]
)


class Ears(logging.Handler):
    """Keeps everything any logger says."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record))


@pytest.fixture
def ears() -> Iterator[Ears]:
    root, handler = logging.getLogger(), Ears()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(bodies(), STATUSES | MORE_STATUSES, FIELDS, CALLS)
def test_no_answer_leads_out_of_the_tree_and_none_tells_anything(
    ears: Ears, body: bytes, status: int, fields: dict[str, str], call: tuple[str, dict[str, Any]]
) -> None:
    history, told = MemorySink(), []
    connection = Connection.of(fhir_base_url=BASE, client_id="app", client_secret="s")
    policy = Policy(attempts=2, backoff=0, longest_wait=0.001, requests_per_second=None)
    content_type = fields.get("Content-Type", "application/fhir+json")
    headers = {name: value for name, value in fields.items() if name != "Content-Type"}
    with (
        responses.RequestsMock(assert_all_requests_are_fired=False) as server,
        PracticeFusion(
            connection, HostTokens(lambda: TOKEN), policy=policy, history=History(history)
        ) as pf,
    ):
        server.add("GET", ANYTHING, body, status=status, headers=headers, content_type=content_type)
        try:
            result = pf.run(*call)
        except ConnectorError as error:
            told += [str(error), repr(error), json.dumps(error.to_dict(), allow_nan=False)]
            told += traceback.format_exception(error)
        else:
            json.dumps(result.to_dict(), allow_nan=False)
            told += [
                repr(result),
                repr(result.trace),
                json.dumps([w.message for w in result.warnings]),
            ]
        for call_made in server.calls:
            assert str(call_made.request.url).startswith(f"{BASE}/Patient")
    told += [json.dumps(record.to_dict(), allow_nan=False) for record in history.read()]
    assert len(history.read()) == 1
    for said in (*told, *ears.heard):
        assert not any(canary in said for canary in CANARIES), "something of the patient was told"
    ears.heard.clear()


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_input_of_any_action_leads_out_of_the_tree_or_is_quoted(data: st.DataObject) -> None:
    action = data.draw(st.sampled_from(list(shipped())))
    names = [*(p.input for p in action.parameters), "id", "cursor", "max_items", "view", "nonsense"]
    secret = st.sampled_from(
        [NAME, NUMBER, f"{NAME}|{NUMBER}", f"ge{BORN}", [NAME], {"ge": NUMBER}]
    )
    inputs = data.draw(st.dictionaries(st.sampled_from(names), secret | VALUES, max_size=4))
    connection = Connection.of(fhir_base_url=BASE, client_id="app")
    history = MemorySink()
    policy = Policy(attempts=1, requests_per_second=None)
    with (
        responses.RequestsMock(assert_all_requests_are_fired=False) as server,
        PracticeFusion(
            connection, HostTokens(lambda: TOKEN), policy=policy, history=History(history)
        ) as pf,
    ):
        server.add("GET", ANYTHING, b"{}", content_type="application/fhir+json")
        with pytest.raises(ConnectorError) as caught:
            pf.run(action.key, inputs)
        for call_made in server.calls:
            assert str(call_made.request.url).startswith(f"{BASE}/{action.resource}")
    told = [str(caught.value), json.dumps(caught.value.to_dict())]
    told += [json.dumps(record.to_dict()) for record in history.read()]
    assert not any(canary in said for canary in CANARIES for said in told)
