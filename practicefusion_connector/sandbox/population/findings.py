"""What was measured: vital signs, laboratory results and their reports, history, surveys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from practicefusion_connector.sandbox.population.chart import Chart, Visit
from practicefusion_connector.sandbox.population.elements import (
    concept,
    day,
    hl7,
    moment,
    quantity,
    reference,
    vocabulary,
)
from practicefusion_connector.sandbox.population.encounters import at
from practicefusion_connector.sandbox.store import Resource

_PANEL = ["loinc", "51990-0", "Basic metabolic panel - Blood"]
_URINE_COLOR = ["loinc", "5778-6", "Color of Urine"]
_URINE_LOOK = ["loinc", "5767-9", "Appearance of Urine"]
_LAST_PERIOD = ["loinc", "8665-2", "Last menstrual period start date"]
_MOOD_SCORE = ["loinc", "55758-7", "Patient Health Questionnaire 2 item (PHQ-2) total score"]
_PRESSURE = ["loinc", "85354-9", "Blood pressure panel with all children optional"]
_SYSTOLIC = ["loinc", "8480-6", "Systolic blood pressure"]
_DIASTOLIC = ["loinc", "8462-4", "Diastolic blood pressure"]
_HEIGHT = ["loinc", "8302-2", "Body height"]
_WEIGHT = ["loinc", "29463-7", "Body weight"]
_BODY_MASS = ["loinc", "39156-5", "Body mass index (BMI) [Ratio]"]
_MERCURY = ["mm[Hg]", "mm[Hg]"]
_YELLOW = ["snomed", "371244009", "Yellow color"]


def build_findings(chart: Chart) -> None:
    """Everything that was measured or asked."""
    for visit in chart.visits[1:]:
        _vital_signs(chart, visit)
    _smoking_status(chart)
    _mood_score(chart)
    results = _laboratory(chart, chart.visits[-1])
    _reports(chart, chart.visits[-1], results)


def _observation(
    chart: Chart, visit: Visit, category: str, *codes: list[str], **more: Any
) -> Resource:
    elements: dict[str, Any] = {
        "status": "final",
        "category": [hl7("observation-category", category)],
        "code": concept(*codes),
        "subject": chart.subject,
        "encounter": reference(visit.encounter),
        "effectiveDateTime": at(visit),
        "performer": [reference(visit.practitioner)],
        **more,
    }
    return chart.register.add("Observation", **elements)


def _vital_signs(chart: Chart, visit: Visit) -> None:
    _blood_pressure(chart, visit)
    height = chart.measured(151.0, 193.0, 1)
    weight = chart.measured(51.0, 109.0, 1)
    sizes = (
        (_HEIGHT, "us-core-body-height", quantity(height, ["cm", "cm"])),
        (_WEIGHT, "us-core-body-weight", quantity(weight, ["kg", "kg"])),
        (
            _BODY_MASS,
            "us-core-bmi",
            quantity(round(weight / (height / 100) ** 2, 1), ["kg/m2", "kg/m2"]),
        ),
    )
    for code, profile, value in sizes:
        _observation(chart, visit, "vital-signs", code, profile=profile, valueQuantity=value)
    for row in vocabulary()["vital_signs"]:
        codes = [row["code"], *([row["also"]] if "also" in row else [])]
        _observation(
            chart,
            visit,
            "vital-signs",
            *codes,
            profile=row["profile"],
            valueQuantity=quantity(chart.measured(*row["range"]), row["unit"]),
        )


def _blood_pressure(chart: Chart, visit: Visit) -> None:
    values = ((_SYSTOLIC, 102.0, 158.0), (_DIASTOLIC, 61.0, 97.0))
    _observation(
        chart,
        visit,
        "vital-signs",
        _PRESSURE,
        profile="us-core-blood-pressure",
        component=[
            {
                "code": concept(code),
                "valueQuantity": quantity(chart.measured(low, high, 0), _MERCURY),
            }
            for code, low, high in values
        ],
    )


def _smoking_status(chart: Chart) -> None:
    smoking = vocabulary()["smoking"]
    answer = smoking["answers"][(chart.number - 1) % len(smoking["answers"])]
    _observation(
        chart,
        chart.visits[0],
        "social-history",
        smoking["code"],
        profile="us-core-smokingstatus",
        effectiveDateTime=day(chart.visits[0].start),
        valueCodeableConcept=concept(answer),
    )


def _mood_score(chart: Chart) -> None:
    visit = chart.visits[1]
    _observation(
        chart,
        visit,
        "survey",
        _MOOD_SCORE,
        profile="us-core-observation-screening-assessment",
        status="amended" if chart.number % 4 == 1 else "final",
        performer=[chart.subject],
        valueQuantity=quantity(chart.source.randrange(7), ["{score}", "{score}"]),
    )
    if chart.patient["gender"] == "female":
        last = visit.start - timedelta(days=chart.source.randrange(3, 28))
        _observation(
            chart,
            visit,
            "survey",
            _LAST_PERIOD,
            performer=[chart.subject],
            valueDateTime=day(last),
        )


def _laboratory(chart: Chart, visit: Visit) -> list[Resource]:
    common: dict[str, Any] = {
        "profile": "us-core-observation-lab",
        "performer": [reference(chart.around.laboratory, chart.around.laboratory["name"])],
        "specimen": chart.register.elsewhere("Specimen", chart.number),
    }
    results = [_lab_value(chart, visit, row, common) for row in vocabulary()["labs"]]
    looks = {"valueString": "Clear, no sediment" if chart.number % 2 else "Turbid"}
    color = {"valueCodeableConcept": concept(_YELLOW)}
    results.append(_observation(chart, visit, "laboratory", _URINE_LOOK, **common, **looks))
    results.append(_observation(chart, visit, "laboratory", _URINE_COLOR, **common, **color))
    return results


def _lab_value(chart: Chart, visit: Visit, row: dict[str, Any], common: dict[str, Any]) -> Resource:
    value = chart.measured(*row["range"])
    low, high = row["normal"]
    mark = "L" if value < low else "H" if value > high else "N"
    return _observation(
        chart,
        visit,
        "laboratory",
        row["code"],
        **common,
        valueQuantity=quantity(value, row["unit"]),
        interpretation=[hl7("v3-ObservationInterpretation", mark)],
        referenceRange=[{"low": quantity(low, row["unit"]), "high": quantity(high, row["unit"])}],
    )


def _reports(chart: Chart, visit: Visit, results: list[Resource]) -> None:
    number = chart.register.number("DiagnosticReport") + 1
    identifier = {"system": "urn:harbor-labs:accession", "value": f"HL-{50000 + number}"}
    chart.register.add(
        "DiagnosticReport",
        profile="us-core-diagnosticreport-lab",
        identifier=[identifier],
        status="preliminary" if chart.number % 5 == 0 else "final",
        category=[concept(["report-category", "LAB", "Laboratory"])],
        code=concept(_PANEL),
        subject=chart.subject,
        encounter=reference(visit.encounter),
        effectiveDateTime=at(visit),
        issued=moment(visit.start + timedelta(hours=26)),
        performer=[reference(chart.around.laboratory)],
        specimen=[chart.register.elsewhere("Specimen", chart.number)],
        result=[reference(result) for result in results],
    )
    if chart.number % 2:
        chart.register.add(
            "DiagnosticReport",
            profile="us-core-diagnosticreport-note",
            status="final",
            category=[concept(["loinc", "LP29684-5", "Radiology"])],
            code=concept(["loinc", "36643-5", "XR Chest 2 Views"]),
            subject=chart.subject,
            effectiveDateTime=at(chart.visits[0]),
            issued=moment(chart.visits[0].start + timedelta(hours=5)),
            performer=[reference(chart.around.hospital)],
            conclusion="No acute cardiopulmonary process.",
        )
