"""Reading and searching with a token: what is asked, what is believed, what a 401 leads to."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from practicefusion_connector import errors
from practicefusion_connector.fhir.client import FhirClient
from practicefusion_connector.smart.provider import HostTokens
from practicefusion_connector.transport import Policy, Run, Transport
from tests.fhir.practice import BASE, TOKEN, bundle, client, condition
from tests.leaks import everything_said
from tests.transport.wire import FastRun

READ = f"{BASE}/Condition/c1"


class Tokens:
    """Hands out these tokens, the next one each time one was refused."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)
        self.rejected: list[str] = []

    def access_token(self, run: Run, *, rejected: str | None = None) -> str:
        """Return the token that follows the rejected one."""
        if rejected is not None:
            self.rejected.append(rejected)
            return self._tokens[self._tokens.index(rejected) + 1]
        return self._tokens[0]


def with_tokens(*tokens: str) -> tuple[FhirClient, Tokens]:
    provider = Tokens(*tokens)
    return FhirClient(Transport(Policy(requests_per_second=None)), BASE, provider), provider


@responses.activate
def test_a_read_asks_for_fhir_json_with_the_token() -> None:
    responses.get(READ, json=condition(1))
    assert client().read("Condition", "c1", FastRun()) == condition(1)
    headers = responses.calls[0].request.headers
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Accept"] == "application/fhir+json"


def test_a_search_url_has_every_condition_encoded_once() -> None:
    query = [("date", "ge2026"), ("date", "lt2027"), ("code", "http://x|a\\,b"), ("name", "é &=")]
    assert client().search_url("Condition", query) == (
        f"{BASE}/Condition?date=ge2026&date=lt2027&code=http%3A%2F%2Fx%7Ca%5C%2Cb"
        "&name=%C3%A9+%26%3D"
    )
    assert client().search_url("Condition", []) == f"{BASE}/Condition"


@pytest.mark.parametrize(
    "answer",
    [
        *([], "x", None, {}, bundle(), {"resourceType": "Patient", "id": "c1"}),
        *({"resourceType": "Condition", "id": "c2"}, {"resourceType": "Condition"}),
        {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "canary"}]},
    ],
)
@responses.activate
def test_a_read_that_gives_anything_else_is_an_error(answer: Any) -> None:
    responses.get(READ, json=answer, headers={"pfCorrelationId": "c-1"})
    with pytest.raises(errors.InvalidResponse) as caught:
        client().read("Condition", "c1", FastRun())
    assert caught.value.correlation_id == "c-1"
    assert "canary" not in everything_said(caught.value)


@responses.activate
def test_a_page_is_counted_in_the_trace() -> None:
    responses.get(f"{BASE}/Condition", json=bundle(condition(1)))
    run = FastRun()
    page = client().page("Condition", f"{BASE}/Condition", run)
    assert page.matches == [condition(1)]
    assert (run.trace.pages, run.trace.attempts) == (1, 1)


@responses.activate
def test_a_refused_token_is_replaced_once() -> None:
    responses.get(READ, status=401)
    responses.get(READ, json=condition(1))
    reader, tokens = with_tokens("old", "new")
    assert reader.read("Condition", "c1", FastRun())["id"] == "c1"
    sent = [call.request.headers["Authorization"] for call in responses.calls]
    assert sent == ["Bearer old", "Bearer new"]
    assert tokens.rejected == ["old"]


@responses.activate
def test_a_401_as_plain_text_is_a_refused_token_too() -> None:
    responses.get(READ, status=401, body="Unauthorized", content_type="text/plain")
    responses.get(READ, json=condition(1))
    assert with_tokens("old", "new")[0].read("Condition", "c1", FastRun())


@responses.activate
def test_a_server_that_refuses_every_token_needs_a_person() -> None:
    responses.get(READ, status=401)
    reader, tokens = with_tokens("a-canary", "b-canary", "c-canary", "d-canary")
    with pytest.raises(errors.ReauthRequired) as caught:
        reader.read("Condition", "c1", FastRun())
    assert len(responses.calls) == 3
    assert tokens.rejected == ["a-canary", "b-canary"]
    assert "canary" not in everything_said(caught.value)


@responses.activate
def test_a_host_s_refused_token_is_the_host_s_to_refresh() -> None:
    responses.get(READ, status=401)
    with pytest.raises(errors.AuthExpired):
        client().read("Condition", "c1", FastRun())
    assert len(responses.calls) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 410])
@responses.activate
def test_no_other_refusal_costs_a_token(status: int) -> None:
    responses.get(READ, status=status)
    reader, tokens = with_tokens("old", "new")
    with pytest.raises(errors.ConnectorError):
        reader.read("Condition", "c1", FastRun())
    assert tokens.rejected == []


@pytest.mark.parametrize(
    "token", ["", "a b", "canary\n", "canary\r\nX-Evil: 1", "canary-é", "\x00"]
)
@responses.activate
def test_a_token_no_header_can_carry_is_said_so_without_it(token: str) -> None:
    responses.get(READ, json=condition(1))
    reader = FhirClient(Transport(), BASE, HostTokens(lambda: token))
    with pytest.raises(errors.InvalidConfig, match="access token cannot be sent") as caught:
        reader.read("Condition", "c1", FastRun())
    assert "canary" not in everything_said(caught.value)
    assert len(responses.calls) == 0
