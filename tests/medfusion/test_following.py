"""Following changes over real HTTP: everything once, whatever stops it."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from practicefusion_connector.errors import (
    ConnectorError,
    Forbidden,
    InvalidConfig,
    InvalidInput,
    RefreshBusy,
)
from practicefusion_connector.medfusion import Follower, JsonLines, MedfusionRecord
from practicefusion_connector.medfusion.following import Passed
from practicefusion_connector.medfusion.models import Patient
from practicefusion_connector.medfusion.states import TRANSITIONS, follows, state_of
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sandbox.medfusion.portal import Portal
from practicefusion_connector.stores import ConnectionRecord, MemoryStore
from tests.medfusion.conftest import Connected, patient, register

LIST = "medfusion_list_updated_patients"


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def ids(file: Path) -> list[str]:
    return [line["identifier"][0]["value"] for line in lines(file)]


def invited(connected: Connected, count: int) -> None:
    with connected.open() as opened:
        opened.run("medfusion_invite_patients", {"patients": [patient(n) for n in range(count)]})
    connected.sandbox.portal.process_due()


def registered(connected: Connected, count: int) -> None:
    invited(connected, count)
    for email in connected.sandbox.portal.outbox:
        connected.sandbox.portal.register(email, {"Line1": "2 New Street"})


def follow(connected: Connected, file: Path, **options: Any) -> Passed:
    """Follow as a process does that has just begun."""
    with connected.open() as opened:
        return Follower(opened, connected.store, JsonLines(file), **options).once()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "changes.ndjson"


def test_only_what_patients_did_is_delivered(connected: Connected, file: Path) -> None:
    invited(connected, 3)
    sandbox = connected.sandbox
    assert follow(connected, file) == Passed(skipped=3)
    register(sandbox, sandbox.portal.outbox[1], Line1="2 New Street", mobile="217-555-0100")
    assert follow(connected, file) == Passed(delivered=1)

    (delivered,) = lines(file)
    assert delivered["identifier"][0]["value"] == "P1"
    assert delivered["address"][0]["line"] == ["2 New Street"]
    assert {"system": "phone", "value": "217-555-0100", "use": "mobile"} in delivered["telecom"]
    assert follow(connected, file) == Passed()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_pages_are_followed_to_the_end(connected: Connected, file: Path) -> None:
    registered(connected, 230)
    assert follow(connected, file).delivered == 230
    assert sorted(ids(file)) == sorted(f"P{n}" for n in range(230))
    asked = [r.status for r in connected.sandbox.requests if "since" in r.query]
    assert asked == [200, 200, 200, 204]


def test_states_move_as_they_may(connected: Connected, file: Path, portal: Portal) -> None:
    registered(connected, 1)
    for state in ("DEACTIVATED", "REGISTERED", "DELETED"):
        follow(connected, file)
        portal.move("P0", state)
    assert follow(connected, file) == Passed(delivered=1)
    tags = [line["meta"]["tag"][0]["code"] for line in lines(file)]
    assert tags == ["REGISTERED", "DEACTIVATED", "REGISTERED", "DELETED"]
    assert [line["active"] for line in lines(file)] == [True, False, True, False]


def test_a_surprising_state_is_told_and_delivered(connected: Connected, file: Path) -> None:
    registered(connected, 1)
    record = connected.sandbox.portal.patients["P0"]
    connected.sandbox.portal.move("P0", "DELETED")
    follow(connected, file)
    record.status, record.stamp = "REGISTERED", record.stamp + 1
    record.changed = record.changed.replace(year=record.changed.year + 1)
    passed = follow(connected, file)
    assert [warning.code for warning in passed.warnings] == ["unexpected_state"]
    assert "P0" not in passed.warnings[0].message
    assert passed.delivered == 1


def test_invited_patients_are_delivered_where_asked_for(connected: Connected, file: Path) -> None:
    invited(connected, 2)
    assert follow(connected, file, states=None).delivered == 2
    assert {line["meta"]["tag"][0]["code"] for line in lines(file)} == {"PROVISIONED"}


class Crash(BaseException):
    pass


class DyingStore:
    """A store whose process dies when it is about to move the cursor for the n-th time."""

    def __init__(self, store: MemoryStore, dies_at: int) -> None:
        self._store, self._left = store, dies_at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def save(self, record: ConnectionRecord, *, expected: int | None) -> int:
        self._left -= 1
        if not self._left:
            raise Crash
        return self._store.save(record, expected=expected)


@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_a_crash_between_writing_and_moving_on_delivers_nothing_twice(
    connected: Connected, file: Path, dies_at: int
) -> None:
    registered(connected, 230)
    dying: Any = DyingStore(connected.store, dies_at)
    with connected.open() as opened:
        follower = Follower(opened, dying, JsonLines(file))
        with pytest.raises(Crash):
            follower.once()
    written = len(ids(file))
    assert written == min(100 * dies_at, 230)

    passed = follow(connected, file)
    assert passed.repeated > 0
    assert passed.delivered == 230 - written
    assert sorted(ids(file)) == sorted(f"P{n}" for n in range(230))


def test_a_line_cut_short_is_written_anew(connected: Connected, file: Path) -> None:
    registered(connected, 3)
    follow(connected, file)
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    set_cursor(connected, None)
    assert follow(connected, file) == Passed(delivered=1, repeated=2)
    assert file.read_bytes() == whole


def set_cursor(connected: Connected, cursor: str | None) -> None:
    stored = connected.store.load("medfusion")
    assert stored is not None
    moved = stored.record.model_copy(update={"cursor": cursor})
    connected.store.save(moved, expected=stored.version)


def test_two_followers_do_not_follow_at_once(connected: Connected, file: Path) -> None:
    registered(connected, 1)
    with (
        connected.store.lease("medfusion.follow", ttl=60, wait=0),
        pytest.raises(RefreshBusy, match="Another worker follows"),
    ):
        follow(connected, file)
    assert not file.exists()


def test_a_cursor_moved_meanwhile_is_not_moved_back(connected: Connected, file: Path) -> None:
    registered(connected, 1)

    class Interfering(JsonLines):
        def deliver(self, patients: Any) -> None:
            super().deliver(patients)
            set_cursor(connected, "99999999999")

    with connected.open() as opened, pytest.raises(RefreshBusy, match="moved this connection"):
        Follower(opened, connected.store, Interfering(file)).once()
    stored = connected.store.load("medfusion")
    assert stored is not None
    assert isinstance(stored.record, MedfusionRecord)
    assert stored.record.cursor == "99999999999"


def test_a_token_renewed_meanwhile_is_no_hindrance(
    connected: Connected, file: Path, portal: Portal
) -> None:
    registered(connected, 1)
    portal.expire_tokens()
    assert follow(connected, file).delivered == 1
    stored = connected.store.load("medfusion")
    assert stored is not None
    assert isinstance(stored.record, MedfusionRecord)
    assert stored.record.cursor is not None


@pytest.mark.parametrize("per_second", [1, 1000])
def test_a_server_that_does_not_say_where_to_go_on(
    connected: Connected, file: Path, portal: Portal, per_second: int
) -> None:
    portal.behaviour.tells_last_timestamp = False
    portal.behaviour.since_per_second = per_second
    unit = {1: "seconds", 1000: "milliseconds"}[per_second]
    registered(connected, 2)
    with connected.open() as opened:
        changed = opened.connection.model_copy(update={"since_unit": unit})
        opened._server.connection = changed
        follower = Follower(opened, connected.store, JsonLines(file))
        first, second = follower.once(), follower.once()
    assert {warning.code for warning in first.warnings} == {"no_last_timestamp"}
    assert first.delivered + second.delivered == 2
    assert sorted(ids(file)) == ["P0", "P1"]


def test_the_portals_own_fields_may_be_written(connected: Connected, file: Path) -> None:
    registered(connected, 1)
    for _ in range(2):
        with connected.open() as opened:
            set_cursor(connected, None)
            Follower(opened, connected.store, JsonLines(file, "medfusion")).once()
    (line,) = lines(file)
    assert line["status"] == "REGISTERED"
    assert line["home_address"] == {"line1": "2 New Street"}
    assert Patient.model_validate(line).practice_patient_id == "P0"


@pytest.mark.parametrize("content", ["no json\n", "[]\n", '{"canary": 1}\n'])
def test_a_file_of_something_else_is_refused(file: Path, content: str) -> None:
    file.write_text(content)
    with pytest.raises(InvalidConfig, match="file of changes") as refused:
        JsonLines(file)
    assert "canary" not in str(refused.value)


def test_following_goes_on_until_it_is_stopped(connected: Connected, file: Path) -> None:
    registered(connected, 1)
    stopped, told = Event(), []

    def note(passed: Passed) -> None:
        told.append(passed.delivered)
        if len(told) == 3:
            stopped.set()

    with connected.open() as opened:
        Follower(opened, connected.store, JsonLines(file)).forever(0.01, stopped, told=note)
    assert told == [1, 0, 0]


def test_what_passes_is_told_and_outlived(connected: Connected, file: Path) -> None:
    registered(connected, 1)
    stopped, failures = Event(), []
    hook = {"status": 502}

    def failing(request: Request) -> Response | None:
        return Response(status=hook["status"]) if "since" in request.args else None

    def failed(error: ConnectorError) -> None:
        failures.append(error.code)
        connected.sandbox.behaviour.before_request = None

    connected.sandbox.behaviour.before_request = failing
    with connected.open() as opened:
        follower = Follower(opened, connected.store, JsonLines(file))
        follower.forever(0.01, stopped, told=lambda passed: stopped.set(), failed=failed)
        assert failures == ["upstream_unavailable"]
        assert ids(file) == ["P0"]
        hook["status"] = 403
        connected.sandbox.behaviour.before_request = failing
        try:
            with pytest.raises(Forbidden):
                follower.forever(0.01, Event())
        finally:
            connected.sandbox.behaviour.before_request = None


# The action


def test_the_action_lists_by_cursor_until_there_is_nothing_new(
    connected: Connected, sandbox: Sandbox
) -> None:
    registered(connected, 150)
    with connected.open() as opened:
        first = opened.run(LIST)
        second = opened.run(LIST, {"since": first.next_cursor, "form": "medfusion"})
        last = opened.run(LIST, {"since": second.next_cursor})
        late = opened.run(LIST, {"since": "2100-01-01T00:00:00Z"})
    assert (len(first), len(second), len(last), len(late)) == (100, 50, 0, 0)
    assert first.has_more
    assert last.next_cursor is None
    assert first.resources[0]["resourceType"] == "Patient"
    assert second.resources[0]["status"] == "REGISTERED"
    with connected.open() as opened, pytest.raises(InvalidInput):
        opened.run(LIST, {"since": "soon"})


# The states


def test_every_state_has_its_transitions() -> None:
    known = {state for state in TRANSITIONS if state}
    assert known == {"PROVISIONED", "REGISTERED", "DEACTIVATED", "DELETED"}
    assert all(after <= known for after in TRANSITIONS.values())
    assert state_of(" registered ") == "REGISTERED"
    assert state_of("NEW") is state_of(None) is None
    assert follows("PROVISIONED", "REGISTERED")
    assert follows(None, "DELETED")
    assert not follows("DELETED", "REGISTERED")
    assert not follows("REGISTERED", "PROVISIONED")
