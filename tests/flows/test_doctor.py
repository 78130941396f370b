"""The doctor: what it finds on a good connection, and on each kind of bad one."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from practicefusion_connector import Connection, HostTokens, TokenSet
from practicefusion_connector.doctor import Report, differences, examine
from practicefusion_connector.registry import shipped
from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.smart.known_servers import KnownServers
from practicefusion_connector.smart.provider import ManagedTokens
from practicefusion_connector.smart.renew import renewal
from practicefusion_connector.stores import ConnectionRecord, MemoryStore
from practicefusion_connector.transport import Policy, Transport
from tests.flows.leaks import Leaks
from tests.flows.people import connect, connection


def states(report: Report) -> dict[str, str]:
    return {check.name: check.state for check in report.checks}


def says(report: Report, name: str) -> str:
    return next(check.says for check in report.checks if check.name == name)


def examined(wire: Transport, servers: KnownServers, ours: Connection, tokens: TokenSet) -> Report:
    with closing(MemoryStore()) as store:
        store.save(ConnectionRecord(connection=ours, tokens=tokens), expected=None)
        managed = ManagedTokens(ours.id, store, renewal(wire, servers))
        return examine(ours, managed, transport=wire, servers=servers)


def test_a_good_connection(
    sandbox: Sandbox, wire: Transport, servers: KnownServers, leaks: Leaks
) -> None:
    ours = connection(sandbox)
    report = examined(wire, servers, ours, connect(wire, servers, ours))
    assert states(report) == {
        "TLS": "warning",
        "clock": "ok",
        "discovery": "ok",
        "search parameters": "ok",
        "token": "ok",
        "scopes": "ok",
    }
    assert report.ok
    assert report.label == "Cedar Hollow Family Practice"
    assert len(report.actions) == 33
    assert all(action.works for action in report.actions)
    assert (report.missing_parameters, report.new_parameters) == ({}, {})
    leaks.plant_tokens(sandbox)
    leaks.check(report, json.dumps(report.to_dict()))


def test_a_refused_token_is_renewed_before_anything_is_said(
    sandbox: Sandbox, wire: Transport, servers: KnownServers
) -> None:
    ours = connection(sandbox)
    tokens = connect(wire, servers, ours)
    sandbox.tokens.expire_access()
    assert states(examined(wire, servers, ours, tokens))["token"] == "ok"
    sandbox.tokens.revoke_grants()
    report = examined(wire, servers, ours, tokens)
    assert states(report)["token"] == "failed"
    assert "connect again" in says(report, "token")
    assert not report.ok


def test_a_token_the_host_holds(sandbox: Sandbox, wire: Transport, servers: KnownServers) -> None:
    ours = connection(sandbox)
    tokens = connect(wire, servers, ours)
    good = HostTokens(tokens.access_token.get_secret_value)
    report = examine(
        ours, good, transport=wire, servers=servers, granted_scopes=["user/Patient.read"]
    )
    assert states(report)["token"] == "ok"
    bad = examine(ours, HostTokens(lambda: "wrong"), transport=wire, servers=servers)
    assert states(bad)["token"] == "failed"
    assert "refresh it" in says(bad, "token")
    assert states(bad)["scopes"] == "skipped"


def test_actions_that_lack_a_scope_are_named(
    sandbox: Sandbox, behaviour: Behaviour, wire: Transport, servers: KnownServers
) -> None:
    behaviour.granted_scopes_filter = lambda scope: scope != "user/Goal.read"
    ours = connection(sandbox)
    report = examined(wire, servers, ours, connect(wire, servers, ours))
    lacking = {action.key: action.lacks for action in report.actions if not action.works}
    assert lacking == {"get_goal": "user/Goal.read", "search_goals": "user/Goal.read"}
    assert states(report)["scopes"] == "warning"
    assert "31 of 33" in says(report, "scopes")
    assert report.ok


def test_a_system_connection_lacks_scopes_in_its_own_spelling(
    sandbox: Sandbox, wire: Transport, servers: KnownServers
) -> None:
    ours = connection(sandbox, level="system")
    report = examine(ours, transport=wire, servers=servers, granted_scopes=["system/Goal.s"])
    lacks = {action.key: action.lacks for action in report.actions}
    assert lacks["search_goals"] is None
    assert lacks["get_goal"] == "system/Goal.rs"
    nothing = examine(ours, transport=wire, servers=servers, granted_scopes=["openid"])
    assert states(nothing)["scopes"] == "failed"


def answering(path: str, change: Callable[[], Response]) -> Callable[[Request], Response | None]:
    return lambda request: change() if request.path.endswith(path) else None


def at_time(offset: float) -> Callable[[], Response]:
    """Answer /metadata with a clock that is `offset` seconds away from this machine's."""

    def answer() -> Response:
        date = datetime.fromtimestamp(datetime.now(UTC).timestamp() + offset, UTC)
        response = Response(json.dumps({"resourceType": "CapabilityStatement"}))
        response.headers["Date"] = format_datetime(date, usegmt=True)
        return response

    return answer


@pytest.mark.parametrize(
    ("offset", "state", "words"),
    [(-30.0, "warning", "30 s ahead|31 s ahead"), (3600.0, "failed", "3600 s behind|3599 s")],
)
def test_a_clock_that_is_off(
    behaviour: Behaviour, sandbox: Sandbox, wire: Transport, offset: float, state: str, words: str
) -> None:
    # Transport.clock is this machine's, so the skew is put on it and not on the server.
    shifted = Transport(wire.policy, clock=lambda: datetime.now(UTC).timestamp() - offset)
    with closing(shifted):
        report = examine(connection(sandbox), transport=shifted, servers=KnownServers())
    assert states(report)["clock"] == state
    assert pytest.approx(-offset, abs=3) == report.clock_skew
    assert any(word in says(report, "clock") for word in words.split("|"))


def statement(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"rest": [{"mode": "server", "resource": list(resources)}]}


def test_what_the_server_declares_is_compared_with_what_the_actions_offer(
    sandbox: Sandbox, behaviour: Behaviour, wire: Transport, servers: KnownServers
) -> None:
    goal = {"type": "Goal", "searchParam": [{"name": "patient"}, {"name": "achieved-by"}]}
    behaviour.before_request = answering(
        "/metadata",
        lambda: Response(
            json.dumps({"resourceType": "CapabilityStatement", **statement(goal)}),
            mimetype="application/fhir+json",
        ),
    )
    report = examine(connection(sandbox), transport=wire, servers=servers)
    assert report.new_parameters == {"Goal": ["achieved-by"]}
    assert "target-date" in report.missing_parameters["Goal"]
    assert "patient" not in report.missing_parameters["Goal"]
    assert "family" in report.missing_parameters["Patient"]
    assert states(report)["search parameters"] == "warning"


def test_parameters_the_server_declares_for_every_resource_count() -> None:
    declared = {"rest": [{"mode": "server", "searchParam": [{"name": "_id"}], "resource": []}]}
    missing, new = differences(shipped().core(), declared)
    assert "_id" not in missing["Goal"]
    assert new == {}


@pytest.mark.parametrize("broken", [{}, {"rest": "x"}, {"rest": [{"mode": "server"}, 7]}])
def test_a_broken_statement_declares_nothing(broken: dict[str, Any]) -> None:
    missing, new = differences(shipped().core(), broken)
    assert (len(missing), new) == (16, {})


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Response("{}", mimetype="application/json"), "no FHIR server"),
        (Response("gone wrong", status=500), "server failed"),
    ],
)
def test_a_server_that_tells_nothing_of_itself(
    sandbox: Sandbox,
    behaviour: Behaviour,
    wire: Transport,
    servers: KnownServers,
    answer: Response,
    code: str,
) -> None:
    behaviour.before_request = answering("/metadata", lambda: answer)
    report = examine(connection(sandbox), transport=wire, servers=servers)
    assert states(report)["server"] == "failed"
    assert code in says(report, "server")
    assert states(report)["discovery"] == "ok"


def test_a_server_that_is_not_there_ends_the_examination(sandbox: Sandbox) -> None:
    ours = connection(sandbox)
    sandbox.stop()
    with closing(Transport(Policy(attempts=1))) as wire:
        report = examine(ours, transport=wire, servers=KnownServers())
    assert states(report) == {"server": "failed"}
    assert (report.ok, report.label) == (False, "127.0.0.1")


def test_without_tokens_the_rest_is_examined(
    sandbox: Sandbox, wire: Transport, servers: KnownServers
) -> None:
    report = examine(connection(sandbox), transport=wire, servers=servers)
    assert report.ok
    assert (states(report)["token"], states(report)["scopes"]) == ("skipped", "skipped")
