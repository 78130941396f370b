"""Servers differ in what a kick-off takes, and some have no `$export` at all."""

from __future__ import annotations

import json

import pytest
from werkzeug.wrappers import Request, Response

from practicefusion_connector import errors
from practicefusion_connector.bulk import ExportPlan
from practicefusion_connector.sandbox import Sandbox
from tests.bulk.conftest import MakeExport
from tests.bulk.reading import resources

SINCE = "2020-01-01T00:00:00Z"


def warned(outcome: object) -> list[str]:
    return [each.message for each in outcome.warnings]  # type: ignore[attr-defined]


def test_the_headers_the_vendor_wants(sandbox: Sandbox, export_of: MakeExport) -> None:
    seen: dict[str, str] = {}

    def look(request: Request) -> None:
        if request.path.endswith("$export"):
            seen.update(request.headers.items())

    sandbox.behaviour.before_request = look
    export_of().run(ExportPlan(types=("Goal",)))
    assert seen["Accept"] == "application/fhir+json"
    assert seen["Prefer"] == "respond-async"


@pytest.mark.parametrize(
    ("taken", "left_out"),
    [
        ({"_since", "_type"}, ["_outputFormat"]),
        ({"_since", "_outputFormat"}, ["_type"]),
        ({"_type", "_outputFormat"}, ["_since"]),
        (set(), ["_outputFormat", "_type", "_since"]),
    ],
)
def test_a_parameter_the_server_does_not_take_is_left_out_and_told(
    sandbox: Sandbox, export_of: MakeExport, taken: set[str], left_out: list[str]
) -> None:
    sandbox.behaviour.export.parameters = frozenset(taken)
    outcome = export_of().run(ExportPlan(types=("Goal", "Patient"), since=SINCE))
    assert set(outcome.counts) == {"Goal", "Patient"}
    assert sorted(warning.split()[5] for warning in warned(outcome)) == sorted(left_out)
    assert outcome.since == (None if "_since" in left_out else SINCE)
    assert outcome.mode == "export"
    assert sandbox.bulk.kickoffs == 1


def test_a_filter_the_server_does_not_take_is_an_error(
    sandbox: Sandbox, export_of: MakeExport
) -> None:
    plan = ExportPlan(type_filter=("Goal?lifecycle-status=active",), mode="export")
    with pytest.raises(errors.Rejected, match="leave type_filter out"):
        export_of().run(plan)
    assert sandbox.bulk.kickoffs == 0


@pytest.mark.parametrize("status", [400, 403, 404, 501])
def test_where_there_is_no_export_it_is_done_by_search(
    sandbox: Sandbox, export_of: MakeExport, status: int
) -> None:
    sandbox.behaviour.export.refused = status
    outcome = export_of().run(ExportPlan(types=("Goal", "Patient")))
    assert outcome.mode == "crawl"
    assert outcome.warnings[0].code == "export_refused"
    assert str(status) in outcome.warnings[0].message
    assert len(resources(outcome.files)) == sum(
        len(sandbox.resources[kind]) for kind in ("Goal", "Patient")
    )


@pytest.mark.parametrize("status", [400, 403, 404])
def test_who_wants_an_export_and_nothing_else_is_told_why(
    sandbox: Sandbox, export_of: MakeExport, status: int
) -> None:
    sandbox.behaviour.export.refused = status
    with pytest.raises(errors.ConnectorError) as caught:
        export_of().run(ExportPlan(mode="export"))
    assert caught.value.http_status == status


def test_a_group_that_is_not_there_is_not_found(export_of: MakeExport) -> None:
    with pytest.raises(errors.NotFound):
        export_of().run(ExportPlan(scope="group:nobody"))


@pytest.mark.parametrize("status", [401, 500])
def test_other_failures_are_not_taken_for_a_refusal(
    sandbox: Sandbox, export_of: MakeExport, status: int
) -> None:
    sandbox.behaviour.export.refused = status
    with pytest.raises((errors.AuthError, errors.UpstreamUnavailable)):
        export_of().run(ExportPlan())


def test_a_kickoff_that_may_have_arrived_is_not_sent_again(
    sandbox: Sandbox, export_of: MakeExport
) -> None:
    asked = []

    def hang_up(request: Request) -> Response | None:
        if not request.path.endswith("$export"):
            return None
        asked.append(request.path)
        raise ConnectionAbortedError

    sandbox.behaviour.before_request = hang_up
    with pytest.raises(errors.ConnectorError):
        export_of().run(ExportPlan())
    assert len(asked) == 1


def test_a_busy_server_is_asked_again(sandbox: Sandbox, export_of: MakeExport) -> None:
    sandbox.bulk.faults.limit(2, retry_after=0)
    assert export_of().run(ExportPlan(types=("Goal",))).complete
    assert sandbox.bulk.kickoffs == 1


@pytest.mark.parametrize("status", [400, 403])
def test_a_server_that_asks_for_fewer_requests_is_not_crawled(
    sandbox: Sandbox, export_of: MakeExport, status: int
) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"code": "throttled"}]}

    def throttle(request: Request) -> Response | None:
        if not request.path.endswith("$export"):
            return None
        return Response(json.dumps(outcome), status, {"Retry-After": "600"})

    sandbox.behaviour.before_request = throttle
    with pytest.raises(errors.RateLimited) as caught:
        export_of().run(ExportPlan(types=("Goal",)))
    assert caught.value.retry_after == 600
    assert not any(each.path.endswith("/Goal") for each in sandbox.requests)


def test_a_token_endpoint_that_refuses_the_application_is_no_reason_to_crawl(
    sandbox: Sandbox, export_of: MakeExport
) -> None:
    refusals = [Response(status=400)]

    def refuse(request: Request) -> Response | None:
        return refusals.pop() if request.path.endswith("/token") and refusals else None

    sandbox.behaviour.before_request = refuse
    with pytest.raises(errors.InvalidConfig):
        export_of().run(ExportPlan(types=("Goal",)))
    assert export_of().run(ExportPlan(types=("Goal",))).mode == "export"


@pytest.mark.parametrize("location", [None, "https://elsewhere.example.com/Export/1"])
def test_a_status_that_cannot_be_asked_is_refused(
    sandbox: Sandbox, export_of: MakeExport, location: str | None
) -> None:
    def accept(request: Request) -> Response | None:
        if not request.path.endswith("$export"):
            return None
        return Response(status=202, headers={"Content-Location": location} if location else {})

    sandbox.behaviour.before_request = accept
    with pytest.raises(errors.InvalidResponse):
        export_of().run(ExportPlan())
