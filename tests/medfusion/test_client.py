"""The facade over real HTTP: its settings, what it refuses to read, its records, its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from werkzeug.wrappers import Request, Response

from practicefusion_connector.errors import (
    Cancelled,
    DeadlineExceeded,
    InvalidInput,
    InvalidResponse,
    NotFound,
)
from practicefusion_connector.history import History, MemorySink
from practicefusion_connector.medfusion import (
    Medfusion,
    MedfusionConnection,
    connect,
)
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sandbox.medfusion.portal import Portal
from practicefusion_connector.stores import MemoryStore
from tests.leaks import everything_said
from tests.medfusion.conftest import QUICK, Connected, patient, settings_of
from tests.medfusion.test_inviting import INVITE, invite


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
@pytest.mark.parametrize("unit", ["seconds", "milliseconds"])
def test_what_is_not_certain_of_the_server_is_a_setting(
    sandbox: Sandbox, version: str, unit: str
) -> None:
    sandbox.portal.behaviour.since_per_second = {"seconds": 1, "milliseconds": 1000}[unit]
    store = MemoryStore()
    fields = settings_of(sandbox, version=version, since_unit=unit)
    connect(store, MedfusionConnection.of(**fields), policy=QUICK)
    before = datetime.now(UTC) - timedelta(seconds=5)
    with Medfusion.from_store(store, "medfusion", policy=QUICK) as opened:
        row = opened.run("medfusion_invite_patient", {"patient": patient()}).resource
        opened.run("medfusion_wait_for_batch", {"status_url": row["status_url"]})
        listed = opened.run("medfusion_list_updated_patients", {"since": before.isoformat()})
        later = before + timedelta(hours=1)
        assert not opened.run("medfusion_list_updated_patients", {"since": later.isoformat()})
    assert listed.resource["identifier"][1]["value"] == "20000"
    assert f"/{version}/practice/" in row["status_url"]


def test_another_noun_is_asked_where_it_is_set(sandbox: Sandbox) -> None:
    connection = MedfusionConnection.of(**settings_of(sandbox, patient_noun="patients"))
    store = MemoryStore()
    connect(store, connection, policy=QUICK)
    with Medfusion.from_store(store, "medfusion", policy=QUICK) as opened:
        with pytest.raises(NotFound):
            invite(opened, 1)
        assert opened.ledger.entries()["P1"].outcome == "refused"


@pytest.mark.parametrize(
    "body", [b"canary", b'<!DOCTYPE x [<!ENTITY a "canary">]><PatientBatch>&a;</PatientBatch>']
)
def test_an_answer_that_is_dangerous_is_refused(connected: Connected, body: bytes) -> None:
    def hostile(request: Request) -> Response | None:
        return Response(body, mimetype="application/xml") if "since" in request.args else None

    connected.sandbox.behaviour.before_request = hostile
    try:
        with connected.open() as opened, pytest.raises(InvalidResponse) as refused:
            opened.run("medfusion_list_updated_patients")
    finally:
        connected.sandbox.behaviour.before_request = None
    assert refused.value.connection_id == "medfusion"
    assert "canary" not in everything_said(refused.value)


def test_every_run_leaves_a_record(connected: Connected, portal: Portal) -> None:
    sink = MemorySink()
    with connected.open(history=History(sink)) as opened:
        invite(opened, *range(101))
        with pytest.raises(InvalidInput):
            opened.run("medfusion_invite_patient", {"patient": patient(1, email="canary")})
    records = sink.read()
    assert [(record.action, record.code, record.attempts) for record in records] == [
        (INVITE, "ok", 1),
        (INVITE, "ok", 1),
        ("medfusion_invite_patient", "invalid_input", 0),
    ]
    assert records[1].results == 101
    assert portal.practice_id in records[0].practice
    assert "canary" not in repr(records)


def test_a_caller_may_stop_it(opened: Medfusion, portal: Portal) -> None:
    stopped = Event()
    stopped.set()
    with pytest.raises(Cancelled):
        opened.run(INVITE, {"patients": [patient()]}, cancel=stopped)
    assert portal.jobs == {}
    with pytest.raises(DeadlineExceeded):
        opened.run(INVITE, {"patients": [patient()]}, deadline=0)
    assert opened.ledger.entries()["P1"].outcome == "refused"
