from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from practicefusion_connector.bulk import ExportPlan
from practicefusion_connector.errors import InvalidInput

BASE = "https://fhir.example.com/r4"


def url(plan: ExportPlan) -> str:
    return plan.kickoff_url(BASE, plan.parameters())


def test_the_kickoff_of_each_scope() -> None:
    plain = {"output_format": None}
    assert url(ExportPlan(**plain)) == f"{BASE}/Patient/$export"  # type: ignore[arg-type]
    assert url(ExportPlan(scope="group:g-1", **plain)) == f"{BASE}/Group/g-1/$export"  # type: ignore[arg-type]
    assert url(ExportPlan(scope="system", **plain)) == f"{BASE}/$export"  # type: ignore[arg-type]


def test_parameters_go_out_as_fhir_writes_them() -> None:
    east = timezone(timedelta(hours=5))
    plan = ExportPlan(
        types=("Patient", "Observation", "Patient"),
        since=datetime(2026, 1, 31, 5, 0, tzinfo=east),
        type_filter=("Observation?category=vital-signs&status=final",),
    )
    assert url(plan) == (
        f"{BASE}/Patient/$export?_outputFormat=application%2Ffhir%2Bndjson"
        "&_type=Patient,Observation&_since=2026-01-31T00:00:00.000Z"
        "&_typeFilter=Observation%3Fcategory%3Dvital-signs%26status%3Dfinal"
    )


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"scope": "everybody"}, "scope"),
        ({"scope": "group:"}, "scope"),
        ({"scope": "group:.."}, "scope"),
        ({"scope": "group:a/b"}, "scope"),
        ({"types": ("Patient", "../x")}, "types"),
        ({"since": "2026-01-31"}, "since"),
        ({"since": "2026-13-31T00:00:00Z"}, "since"),
        ({"since": "2026-01-31T00:00:00"}, "since"),
        ({"since": datetime(2026, 1, 31)}, "since"),
        ({"type_filter": ("category=x",)}, "type_filter"),
        ({"types": ("Patient",), "type_filter": ("Goal?x=y",)}, "type_filter"),
        ({"mode": "fast"}, "mode"),
        ({"scope": "system", "mode": "crawl"}, "mode"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name(wrong: dict[str, object], path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        ExportPlan(**wrong)  # type: ignore[arg-type]
    assert [problem["path"] for problem in caught.value.problems] == [path]


def test_plans_that_ask_for_other_things_are_other_jobs() -> None:
    plans = [
        ExportPlan(),
        ExportPlan(scope="group:1"),
        ExportPlan(types=("Patient",)),
        ExportPlan(since="2026-01-31T00:00:00Z"),
        ExportPlan(type_filter=("Goal?x=y",)),
        ExportPlan(mode="crawl"),
    ]
    assert len({plan.digest("a") for plan in plans} | {ExportPlan().digest("b")}) == 7
    assert ExportPlan().digest("a") == ExportPlan().digest("a")
