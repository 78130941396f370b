"""Running an action: its result, its warnings, its trace, and errors that say whose they are."""

from __future__ import annotations

import json
import pickle
from threading import Event
from typing import Any

import pytest
import responses

from practicefusion_connector import Connection, HostTokens, ManagedTokens, PracticeFusion, errors
from practicefusion_connector.result import Result
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.stores import ConnectionRecord, MemoryStore
from practicefusion_connector.transport import Policy, Transport
from tests.connector.practice import (
    BASE,
    CONDITIONS,
    TOKEN,
    asked,
    condition,
    connector,
    ids,
    serve_conditions,
)
from tests.leaks import everything_said


@responses.activate
def test_a_get_returns_the_resource_as_the_server_gave_it() -> None:
    serve_conditions()
    result = connector().run("get_condition", {"id": "c1"})
    assert result.resource == condition("c1")
    assert (len(result), result.total, result.next_cursor, result.warnings) == (1, None, None, [])
    assert result.trace.attempts == 1
    assert not result.has_more


@responses.activate
def test_a_search_reads_one_page_and_says_where_it_goes_on() -> None:
    serve_conditions()
    result = connector().run("search_conditions", {"patient": "1"})
    assert ids(result.resources) == ["c1", "c2", "c3"]
    assert result.total == 7
    assert result.has_more
    assert result.warnings == []
    assert (result.trace.attempts, result.trace.pages, result.trace.refreshes) == (1, 1, 0)
    assert result.trace.correlation_ids == ["page-1"]
    assert asked() == 1


@responses.activate
def test_a_search_sends_what_was_asked_in_fhir_s_names() -> None:
    serve_conditions()
    inputs = {"patient": "Patient/1", "clinical_status": ["active"], "page_size": 20, "code": None}
    connector().run("search_conditions", inputs)
    url = str(responses.calls[0].request.url)
    assert url == f"{BASE}/Condition?patient=1&clinical-status=active&_count=20"


@responses.activate
def test_no_match_is_a_result_and_no_error() -> None:
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": []}
    responses.get(f"{BASE}/Condition", json=bundle, content_type="application/fhir+json")
    result = connector().run("search_conditions", {"patient": "1"})
    assert (result.resources, result.total, result.has_more) == ([], 0, False)


@pytest.mark.parametrize("limit", ["", "  ", None, [], {}])
@responses.activate
def test_an_empty_limit_is_no_limit_and_reads_one_page(limit: Any) -> None:
    serve_conditions()
    result = connector().run("search_conditions", {"patient": "1", "max_items": limit})
    assert len(result) == 3
    assert asked() == 1


# Warnings and strictness -----------------------------------------------------------------------


def serve_ignoring() -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": "self", "url": f"{BASE}/Condition?patient=1"}],
        "entry": [{"resource": condition("c1")}],
    }
    responses.get(f"{BASE}/Condition", json=bundle, content_type="application/fhir+json")


@responses.activate
def test_an_ignored_parameter_is_a_warning_or_where_asked_for_an_error() -> None:
    serve_ignoring()
    inputs = {"patient": "1", "code": "canary-code"}
    result = connector().run("search_conditions", inputs)
    assert [warning.code for warning in result.warnings] == ["parameter_ignored"]
    assert "code" in result.warnings[0].message
    with pytest.raises(errors.Rejected) as caught:
        connector().run("search_conditions", inputs, strict=True)
    assert caught.value.problems[0]["path"] == "code"
    assert "canary" not in everything_said(caught.value) + repr(result.warnings)


@responses.activate
def test_the_advice_of_the_inputs_comes_with_the_result() -> None:
    serve_conditions()
    result = connector().run("search_conditions", {"code": "x"})
    assert "no_patient" in [warning.code for warning in result.warnings]


# Tokens and traces -----------------------------------------------------------------------------


@responses.activate
def test_a_token_refused_in_the_middle_is_refreshed_once_and_the_trace_says_so() -> None:
    def renew(connection: Connection, old: TokenSet | None, run: Any) -> TokenSet:
        run.trace.refreshes += 1
        return TokenSet(access_token="new", issued_at=0)

    store = MemoryStore()
    connection = Connection.of(id="north", fhir_base_url=BASE, client_id="app")
    old = TokenSet(access_token="old", issued_at=0)
    store.save(ConnectionRecord(connection=connection, tokens=old), expected=None)
    responses.get(f"{BASE}/Condition/c1", status=401, headers={"pfCorrelationId": "refused"})
    responses.get(
        f"{BASE}/Condition/c1",
        json=condition("c1"),
        headers={"pfCorrelationId": "good"},
        content_type="application/fhir+json",
    )
    result = connector(ManagedTokens("north", store, renew)).run("get_condition", {"id": "c1"})
    assert result.resource["id"] == "c1"
    assert (result.trace.attempts, result.trace.refreshes) == (2, 1)
    assert result.trace.correlation_ids == ["refused", "good"]
    sent = [call.request.headers["Authorization"] for call in responses.calls]
    assert sent == ["Bearer old", "Bearer new"]


@responses.activate
def test_a_retry_is_in_the_trace_with_its_reason() -> None:
    responses.get(f"{BASE}/Condition/c1", status=503)
    responses.get(f"{BASE}/Condition/c1", json=condition("c1"))
    result = connector(backoff=0.0).run("get_condition", {"id": "c1"})
    assert result.trace.attempts == 2
    assert [reason for _, reason in result.trace.waits] == ["upstream_unavailable"]


# Errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "inputs", "kind"),
    [
        ("get_condition", {"id": "a b"}, errors.InvalidInput),
        ("get_condition", {"id": "c9"}, errors.NotFound),
        ("search_conditions", {"bogus": 1}, errors.InvalidInput),
        ("search_conditions", {"cursor": "bogus"}, errors.InvalidInput),
        ("search_conditions", ["patient"], errors.InvalidInput),
        ("search_conditions", "patient=1", errors.InvalidInput),
        ("search_goals", {"patient": "1"}, errors.UpstreamUnavailable),
        ("search_nothing", {}, errors.InvalidInput),
    ],
)
@responses.activate
def test_every_error_names_the_action_and_the_connection(
    key: str, inputs: Any, kind: type[errors.ConnectorError]
) -> None:
    serve_conditions()
    responses.get(f"{BASE}/Condition/c9", status=404)
    responses.get(f"{BASE}/Goal", status=501)
    pf = connector()
    for run in (pf.run, lambda *given: list(pf.pages(*given))):
        with pytest.raises(kind) as caught:
            run(key, inputs)
        assert (caught.value.action, caught.value.connection_id) == (key, "north")
        assert pickle.loads(pickle.dumps(caught.value)).to_dict() == caught.value.to_dict()
        assert TOKEN not in everything_said(caught.value)


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"error": "insufficient_scope"}, ["user/Condition.read"]),
        ({"message": "needs scope user/Condition.s"}, ["user/Condition.s"]),
    ],
)
@responses.activate
def test_a_missing_scope_is_named_also_where_the_server_does_not(
    said: dict[str, str], named: list[str]
) -> None:
    responses.get(f"{BASE}/Condition", status=403, json=said)
    with pytest.raises(errors.MissingScope) as caught:
        connector().run("search_conditions", {"patient": "1"})
    assert caught.value.missing_scopes == named


@responses.activate
def test_a_wrong_input_sends_nothing() -> None:
    for key, inputs in (("get_condition", {}), ("search_conditions", {"date": "soon"})):
        with pytest.raises(errors.InvalidInput):
            connector().run(key, inputs)
        with pytest.raises(errors.InvalidInput):
            connector().pages(key, inputs)
    assert asked() == 0


@responses.activate
def test_a_deadline_and_a_cancel_reach_the_wire() -> None:
    serve_conditions()
    with pytest.raises(errors.DeadlineExceeded):
        connector().run("get_condition", {"id": "c1"}, deadline=0)
    cancel = Event()
    cancel.set()
    with pytest.raises(errors.Cancelled):
        connector().run("search_conditions", {"patient": "1"}, cancel=cancel)
    assert asked() == 0


# The result as data ----------------------------------------------------------------------------


@responses.activate
def test_a_result_is_json_ready_and_its_repr_shows_no_content() -> None:
    serve_conditions(provenance=True)
    inputs = {"patient": "canary-patient", "revinclude": "Provenance:target"}
    result = connector().run("search_conditions", inputs)
    told = json.loads(json.dumps(result.to_dict()))
    assert told["action"] == "search_conditions"
    assert (told["count"], told["total"], told["has_more"]) == (3, 7, True)
    assert ids(told["resources"]) == CONDITIONS[:3]
    assert ids(told["included"]) == ["p1"]
    assert told["next_cursor"] == result.next_cursor
    assert told["trace"]["attempts"] == 1
    assert not [word for word in ("c1", "canary", str(result.next_cursor)) if word in repr(result)]


@responses.activate
def test_warnings_are_data_too() -> None:
    serve_ignoring()
    told = connector().run("search_conditions", {"patient": "1", "code": "x"}).to_dict()
    assert told["warnings"][0]["code"] == "parameter_ignored"
    assert json.dumps(told)


@responses.activate
def test_typed_models_come_on_request() -> None:
    responses.get(
        f"{BASE}/Condition/c1",
        json=condition("c1"),
    )
    models = connector().run("get_condition", {"id": "c1"}).models()
    assert models.models[0].subject.reference == "Patient/1"
    assert models.problems == []


# Its own and others' connections ---------------------------------------------------------------


class Watched(Transport):
    """A transport that remembers whether it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True
        super().close()


def test_a_transport_that_was_lent_is_left_open() -> None:
    lent = Watched(Policy())
    connection = Connection.of(fhir_base_url=BASE, client_id="app")
    with PracticeFusion(connection, HostTokens(lambda: TOKEN), transport=lent):
        pass
    assert not lent.closed
    lent.close()


def test_a_connector_shows_no_secret() -> None:
    secret = "secret-canary"
    connection = Connection.of(fhir_base_url=BASE, client_id="app", client_secret=secret)
    with PracticeFusion(connection, HostTokens(lambda: TOKEN)) as pf:
        assert secret not in repr(pf) + repr(vars(pf)) + repr(pf.connection)


def test_an_empty_result_is_a_result() -> None:
    result = Result("search_conditions", [])
    assert (len(result), result.has_more, result.to_dict()["count"]) == (0, False, 0)
