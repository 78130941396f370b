"""What is wrong and what is planned: conditions, allergies, goals, care plans, care teams."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from practicefusion_connector.sandbox.population.chart import Chart, Visit
from practicefusion_connector.sandbox.population.elements import (
    concept,
    day,
    extension,
    hl7,
    moment,
    period,
    reference,
    vocabulary,
)
from practicefusion_connector.sandbox.population.encounters import add_diagnosis, at
from practicefusion_connector.sandbox.store import Resource

_ASSERTED = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"
_PROBLEM = ["condition-category", "problem-list-item", "Problem List Item"]
_DIAGNOSIS = ["condition-category", "encounter-diagnosis", "Encounter Diagnosis"]
_CONCERN = ["health-concern", "health-concern", "Health Concern"]


def build_problems(chart: Chart) -> list[Resource]:
    """Conditions of the three kinds; returns the problem list."""
    problems = [_problem(chart, chart.pick("problems", shift), shift) for shift in range(2)]
    visit = chart.visits[-1]
    diagnosis = _diagnosis(chart, visit)
    add_diagnosis(visit, diagnosis)
    add_diagnosis(chart.visits[0], problems[0])
    if chart.number % 2:
        _concern(chart)
    return problems


def _problem(chart: Chart, row: dict[str, Any], shift: int) -> Resource:
    visit = chart.visits[shift]
    onset = chart.days_before(visit.start, 900)
    resolved = chart.number % 4 == 2 and shift == 1
    imprecise = (str(onset.year), f"{onset:%Y-%m}", day(onset))[chart.number % 3]
    stage = [{"summary": concept(row["stage"])}] if "stage" in row else None
    evidence = [{"code": [concept(row["evidence"])]}] if "evidence" in row else None
    return chart.register.add(
        "Condition",
        profile="us-core-condition-problems-health-concerns",
        restricted=row.get("restricted", False),
        extension=[extension(_ASSERTED, valueDateTime=day(visit.start))],
        clinicalStatus=hl7("condition-clinical", "resolved" if resolved else "active"),
        verificationStatus=hl7("condition-ver-status", "confirmed"),
        category=[concept(_PROBLEM)],
        severity=concept(row["severity"]),
        code=concept(row["code"], row["icd10"]),
        subject=chart.subject,
        encounter=reference(visit.encounter),
        onsetDateTime=imprecise if chart.number % 5 else None,
        onsetPeriod=None if chart.number % 5 else period(onset, timedelta(days=30)),
        abatementDateTime=day(visit.start + timedelta(days=200)) if resolved else None,
        recordedDate=at(visit),
        recorder=reference(visit.practitioner),
        asserter=reference(visit.practitioner) if shift == 0 else chart.subject,
        stage=stage,
        evidence=evidence,
    )


def _diagnosis(chart: Chart, visit: Visit) -> Resource:
    row = chart.pick("diagnoses")
    return chart.register.add(
        "Condition",
        profile="us-core-condition-encounter-diagnosis",
        clinicalStatus=hl7("condition-clinical", "resolved"),
        verificationStatus=hl7("condition-ver-status", "confirmed"),
        category=[concept(_DIAGNOSIS)],
        code=concept(row["code"], row["icd10"]),
        subject=chart.subject,
        encounter=reference(visit.encounter),
        onsetDateTime=day(visit.start - timedelta(days=3)),
        abatementDateTime=day(visit.start + timedelta(days=9)),
        recordedDate=at(visit),
        asserter=reference(visit.practitioner),
    )


def _concern(chart: Chart) -> None:
    row = chart.pick("concerns")
    visit = chart.visits[1]
    chart.register.add(
        "Condition",
        profile="us-core-condition-problems-health-concerns",
        clinicalStatus=hl7("condition-clinical", "active"),
        verificationStatus=hl7("condition-ver-status", "unconfirmed"),
        category=[concept(_CONCERN)],
        code=concept(row["code"], row["icd10"]),
        subject=chart.subject,
        recordedDate=at(visit),
    )


def build_allergies(chart: Chart) -> None:
    """An allergy for most patients, and the statement that there is none for the others."""
    if chart.number % 7 == 0:
        _no_allergy(chart)
        return
    row, visit = chart.pick("allergies"), chart.visits[0]
    onset = chart.days_before(visit.start, 2000)
    chart.register.add(
        "AllergyIntolerance",
        profile="us-core-allergyintolerance",
        clinicalStatus=hl7(
            "allergyintolerance-clinical", "inactive" if chart.number % 6 == 0 else "active"
        ),
        verificationStatus=hl7("allergyintolerance-verification", "confirmed"),
        type=row["type"],
        category=[row["category"]],
        criticality=row["criticality"],
        code=concept(row["code"]),
        patient=chart.subject,
        encounter=reference(visit.encounter),
        recordedDate=at(visit),
        recorder=reference(visit.practitioner),
        reaction=[
            {
                "substance": concept(row["code"]),
                "manifestation": [concept(row["manifestation"])],
                "onset": f"{onset:%Y-%m}" if chart.number % 2 == 0 else day(onset),
                "severity": row["severity"],
            }
        ],
    )


def _no_allergy(chart: Chart) -> None:
    chart.register.add(
        "AllergyIntolerance",
        profile="us-core-allergyintolerance",
        clinicalStatus=hl7("allergyintolerance-clinical", "active"),
        verificationStatus=hl7("allergyintolerance-verification", "confirmed"),
        code=concept(["snomed", "716186003", "No known allergy"]),
        patient=chart.subject,
    )


def build_plans(chart: Chart, problems: list[Resource]) -> None:
    """A goal, a care plan and a care team."""
    visit = chart.visits[-1]
    goal = chart.pick("goals")
    chart.register.add(
        "Goal",
        profile="us-core-goal",
        lifecycleStatus=goal["status"],
        category=[concept(goal["category"])],
        description=concept(goal["description"]),
        subject=chart.subject,
        startDate=day(visit.start),
        target=[{"dueDate": day(visit.start + timedelta(days=90 + 10 * chart.number))}],
    )
    plan = chart.pick("care_plans")
    chart.register.add(
        "CarePlan",
        profile=plan.get("profile"),
        text={
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{plan["text"]}</div>',
        },
        status=plan["status"],
        intent="plan",
        category=[concept(plan["category"])],
        subject=chart.subject,
        encounter=reference(visit.encounter),
        period=period(visit.start, None if chart.number % 2 else timedelta(days=180)),
        addresses=[reference(problems[0])],
    )
    _care_team(chart, visit)


def _care_team(chart: Chart, visit: Visit) -> None:
    nurse = chart.around.practitioners[(chart.number + 2) % 5]
    roles = [concept(row["role"]) for row in vocabulary()["care_roles"]]
    participants = [{"role": [roles[0]], "member": reference(chart.practitioner)}]
    if chart.number % 2:
        participants.append({"role": [roles[1]], "member": reference(nurse)})
    chart.register.add(
        "CareTeam",
        profile="us-core-careteam",
        status="active" if chart.number % 3 else "inactive",
        name="Primary care team",
        subject=chart.subject,
        period={"start": moment(visit.start)},
        participant=participants,
    )
