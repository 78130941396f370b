"""Inviting over real HTTP: in batches, noted before they are sent, never twice unasked."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from practicefusion_connector.errors import (
    ConnectorError,
    Forbidden,
    InvalidInput,
    NetworkFailure,
    ReauthRequired,
    Rejected,
    UpstreamUnavailable,
)
from practicefusion_connector.medfusion import (
    Ledger,
    Medfusion,
    Patient,
)
from practicefusion_connector.medfusion.invitation import invitation
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sandbox.medfusion.portal import Portal
from tests.leaks import everything_said
from tests.medfusion.conftest import Connected, patient, register

INVITE = "medfusion_invite_patients"


def outcomes(rows: list[dict[str, Any]]) -> list[str]:
    return [row["outcome"] for row in rows]


def posts(sandbox: Sandbox) -> list[int]:
    return [request.status for request in sandbox.requests if request.path.endswith("/patient")]


def invite(opened: Medfusion, *numbers: int, again: bool = False) -> list[dict[str, Any]]:
    patients = [patient(number) for number in numbers]
    return opened.run(INVITE, {"patients": patients, "again": again}).resources


def test_any_number_goes_in_batches_of_100(opened: Medfusion, sandbox: Sandbox) -> None:
    rows = invite(opened, *range(201))
    assert outcomes(rows) == ["accepted"] * 201
    assert len({row["batch_id"] for row in rows}) == 3
    assert len({row["message_id"] for row in rows}) == 201
    assert posts(sandbox) == [202, 202, 202]


def test_one_patient_is_invited_and_gets_an_e_mail(opened: Medfusion, portal: Portal) -> None:
    row = opened.run("medfusion_invite_patient", {"patient": patient()}).resource
    status = opened.run("medfusion_wait_for_batch", {"status_url": row["status_url"]}).resource
    assert (status["state"], status["practice_patient_id"]) == ("completed", "P1")
    assert [email.to for email in portal.outbox] == ["patient1@mail.example"]
    assert portal.patients["P1"].status == "PROVISIONED"


def test_a_second_invitation_is_not_sent_unless_it_is_asked_for(
    connected: Connected, portal: Portal
) -> None:
    with connected.open() as opened:
        invite(opened, 1, 2)
    with connected.open() as opened:
        assert outcomes(invite(opened, 1, 2, 3)) == ["already_invited"] * 2 + ["accepted"]
        assert outcomes(invite(opened, 1, again=True)) == ["accepted"]
    portal.process_due()
    assert [email.patient for email in portal.outbox] == ["P1", "P2", "P3", "P1"]


def test_who_failed_in_processing_may_be_invited_anew(opened: Medfusion, portal: Portal) -> None:
    bad = patient(1, email="alma@fails.example")
    row = opened.run("medfusion_invite_patient", {"patient": bad}).resource
    status = opened.run("medfusion_get_processing_status", {"status_url": row["status_url"]})
    assert status.resource["state"] == "failed"
    assert status.resource["error"] == "No mail can be delivered to the address."
    assert outcomes(invite(opened, 1)) == ["accepted"]
    portal.process_due()
    assert len(portal.outbox) == 1


def test_an_invitation_whose_answer_is_lost_is_found_at_the_portal(
    connected: Connected, portal: Portal
) -> None:
    portal.behaviour.answers_lost = 1
    with connected.open() as opened:
        rows = invite(opened, 1)
    assert outcomes(rows) == ["undecided"]
    assert "Nobody can tell" in rows[0]["problem"]
    assert posts(connected.sandbox) == [504]
    with connected.open() as opened:
        assert outcomes(invite(opened, 1)) == ["already_invited"]
    assert len(portal.outbox) == 1


def test_one_the_portal_does_not_know_yet_stays_undecided(
    connected: Connected, portal: Portal
) -> None:
    portal.behaviour.answers_lost = 1
    portal.behaviour.processing_seconds = 3600
    with connected.open() as opened:
        invite(opened, 1)
        result = opened.run(INVITE, {"patients": [patient(1), patient(2)]})
        assert outcomes(result.resources) == ["undecided", "accepted"]
        assert outcomes(invite(opened, 1, again=True)) == ["accepted"]
    assert len(portal.jobs) == 3


def test_a_crash_between_sending_and_noting_is_told(connected: Connected, portal: Portal) -> None:
    class Crash(BaseException):
        pass

    class Dying(Ledger):
        def settle(self, batch: str, outcomes: Any) -> None:
            if any(fields["outcome"] != "sending" for fields in outcomes.values()):
                raise Crash
            super().settle(batch, outcomes)

    portal.behaviour.processing_seconds = 3600
    with connected.open() as opened:
        opened.ledger = Dying(connected.ledger_file)
        with pytest.raises(Crash):
            invite(opened, 1, 2)
    with connected.open() as opened:
        assert outcomes(invite(opened, 1, 2)) == ["undecided", "undecided"]
        # The portal processes at last, and can be asked.
        for job in portal.jobs.values():
            job.due = 0
        assert outcomes(invite(opened, 1, 2)) == ["already_invited", "already_invited"]
    assert posts(connected.sandbox)[0] == 202
    assert len(portal.outbox) == 2


@pytest.mark.parametrize(
    ("status", "error", "tries"),
    [(400, Rejected, 1), (403, Forbidden, 1), (415, Rejected, 1), (503, UpstreamUnavailable, 3)],
)
def test_what_the_portal_surely_did_not_take_may_be_sent_again(
    connected: Connected, status: int, error: type[ConnectorError], tries: int
) -> None:
    sandbox, refused = connected.sandbox, []

    def refuse(request: Request) -> Response | None:
        if request.method == "POST" and request.path.endswith("/patient"):
            refused.append(status)
            return Response("<canary-body/>", status=status)
        return None

    sandbox.behaviour.before_request = refuse
    try:
        with connected.open() as opened, pytest.raises(error) as raised:
            invite(opened, 1)
    finally:
        sandbox.behaviour.before_request = None
    assert len(refused) == tries
    assert raised.value.action == INVITE
    assert "canary" not in everything_said(raised.value)
    with connected.open() as opened:
        assert outcomes(invite(opened, 1)) == ["accepted"]


def test_a_later_batch_that_fails_spoils_no_earlier_one(connected: Connected) -> None:
    sandbox, taken = connected.sandbox, []

    def once(request: Request) -> Response | None:
        if request.method == "POST" and request.path.endswith("/patient"):
            taken.append(1)
            return Response(status=500) if len(taken) == 2 else None
        return None

    sandbox.behaviour.before_request = once
    try:
        with connected.open() as opened:
            result = opened.run(INVITE, {"patients": [patient(n) for n in range(250)]})
    finally:
        sandbox.behaviour.before_request = None
    told = outcomes(result.resources)
    assert told == ["accepted"] * 100 + ["undecided"] * 100 + ["not_sent"] * 50
    assert [warning.code for warning in result.warnings] == ["batch_undecided"]
    # A 500 may have been taken: it is not tried again.
    assert len(taken) == 2


def test_without_a_connection_nothing_is_noted_as_open(connected: Connected) -> None:
    stored = connected.store.load("medfusion")
    assert stored is not None
    with connected.open() as opened:
        elsewhere = opened.connection.model_copy(update={"server": "http://127.0.0.1:9"})
        opened._server.connection = elsewhere
        with pytest.raises(NetworkFailure):
            invite(opened, 1)
    with connected.open() as opened:
        assert outcomes(invite(opened, 1)) == ["accepted"]


def test_a_refused_token_is_exchanged_and_the_batch_sent_once(
    connected: Connected, portal: Portal
) -> None:
    portal.expire_tokens()
    with connected.open() as opened:
        assert outcomes(invite(opened, 1)) == ["accepted"]
    assert posts(connected.sandbox) == [401, 202]
    assert len(portal.jobs) == 1


def test_a_portal_that_refuses_every_token_has_taken_nothing(
    connected: Connected, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as refusing, connected.open() as opened:
        refusing.setattr(portal, "knows_token", lambda token: False)
        with pytest.raises(ReauthRequired, match=r"^The portal refuses .* connect again\.$"):
            invite(opened, 1)
        assert opened.ledger.entries()["P1"].outcome == "refused"
    assert posts(connected.sandbox) == [401, 401, 401]
    with connected.open() as opened:
        assert outcomes(invite(opened, 1)) == ["accepted"]


def test_once_registered_the_portal_keeps_its_own(opened: Medfusion, sandbox: Sandbox) -> None:
    portal = sandbox.portal
    invite(opened, 1)
    portal.process_due()
    register(sandbox, portal.outbox[0], Line1="2 New Street")
    changed = patient(1, line1="3 Practice Side")
    opened.run(INVITE, {"patients": [changed], "again": True})
    portal.process_due()
    assert portal.patients["P1"].address()["Line1"] == "2 New Street"
    assert len(portal.outbox) == 1


def test_a_status_url_of_another_place_is_not_asked(opened: Medfusion, sandbox: Sandbox) -> None:
    own = opened.connection.practice_url
    for url in (
        "https://elsewhere.example/v1/practice/935134ed-0000-4ca8-897c-b6b1da47e697/processingStatus/1",
        f"{sandbox.origin}/v1/practice/118b460b-8390-4754-8e4a-1dd5ee20f599/processingStatus/1",
        f"{own}/patient",
        f"{own}/processingStatus/../../../oauth2/token",
    ):
        with pytest.raises(InvalidInput, match="leads away"):
            opened.run("medfusion_get_processing_status", {"status_url": url})
    assert [request.path for request in sandbox.requests if "processing" in request.path] == []


def test_waiting_ends_with_its_time_and_loses_nothing(opened: Medfusion, portal: Portal) -> None:
    portal.behaviour.processing_seconds = 3600
    url = invite(opened, 1)[0]["status_url"]
    inputs = {"status_url": [url, url], "timeout": 0.2, "interval": 0.05}
    result = opened.run("medfusion_wait_for_batch", inputs)
    assert [row["state"] for row in result.resources] == ["pending"]
    assert [warning.code for warning in result.warnings] == ["still_processing"]
    assert len(result.trace.waits) > 1


def test_a_batch_that_waits_for_a_token_in_vain_was_not_sent(
    connected: Connected, portal: Portal
) -> None:
    portal.expire_tokens()

    def no_token(request: Request) -> Response | None:
        return Response(status=502) if request.path.endswith("/token") else None

    connected.sandbox.behaviour.before_request = no_token
    try:
        with connected.open() as opened, pytest.raises(UpstreamUnavailable):
            invite(opened, 1)
    finally:
        connected.sandbox.behaviour.before_request = None
    # The only answer was that the token had expired.
    assert posts(connected.sandbox) == [401]
    with connected.open() as opened:
        assert outcomes(invite(opened, 1)) == ["accepted"]


def test_waiting_outlives_what_passes(opened: Medfusion, sandbox: Sandbox) -> None:
    url = invite(opened, 1)[0]["status_url"]
    asked: list[str] = []

    def failing(request: Request) -> Response | None:
        if "processingStatus" in request.path:
            asked.append(request.path)
            return Response(status=500) if len(asked) < 4 else None
        return None

    sandbox.behaviour.before_request = failing
    try:
        inputs = {"status_url": url, "interval": 0.01}
        result = opened.run("medfusion_wait_for_batch", inputs)
    finally:
        sandbox.behaviour.before_request = None
    assert result.resource["state"] == "completed"
    assert {warning.code for warning in result.warnings} == {"upstream_unavailable"}


def test_patients_are_checked_before_the_first_is_sent(opened: Medfusion, sandbox: Sandbox) -> None:
    with pytest.raises(InvalidInput) as refused:
        opened.run(INVITE, {"patients": [patient(1), patient(2, email="canary"), patient(1)]})
    assert [problem["path"] for problem in refused.value.problems] == [
        "patients[1].email",
        "patients[2].practice_patient_id",
    ]
    assert "canary" not in everything_said(refused.value)
    assert posts(sandbox) == []


@pytest.mark.parametrize("given", [[patient(1), patient(1)], [patient(1), {}]])
def test_one_id_is_one_invitation(
    opened: Medfusion, sandbox: Sandbox, given: list[dict[str, Any]]
) -> None:
    patients = [invitation(one) if one else Patient() for one in given]
    with pytest.raises(InvalidInput, match="of its own"):
        opened.invite(patients)
    assert posts(sandbox) == []


def test_a_patient_may_be_given_in_four_forms() -> None:
    flat = invitation(patient(1))
    fields = invitation(flat.to_dict())
    fhir = invitation(
        {
            "resourceType": "Patient",
            "id": "P1",
            "name": [{"family": "Castro", "given": ["Alma"]}],
            "birthDate": "1980-02-29",
            "gender": "female",
            "telecom": [{"system": "email", "value": "patient1@mail.example"}],
            "address": [{"line": ["1 Old Mill Road"], "city": "Springfield"}],
        }
    )
    assert flat == fields == fhir == invitation(flat)
