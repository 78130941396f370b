"""Encounters of a chart, oldest first; the last of some charts is as bare as real ones can be."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from practicefusion_connector.sandbox.population.chart import Chart, Visit
from practicefusion_connector.sandbox.population.elements import (
    coding,
    concept,
    hl7,
    moment,
    period,
    reference,
)
from practicefusion_connector.sandbox.settings import TODAY
from practicefusion_connector.sandbox.store import Resource

_MINUTES = {"unit": "min", "system": "http://unitsofmeasure.org", "code": "min"}
_OFFICE_HOURS = range(8, 17)
_VISITS = 3


def build_encounters(chart: Chart) -> None:
    """Make the visits everything else of the chart hangs on."""
    days = sorted(chart.source.sample(range(20, 900), _VISITS), reverse=True)
    for number, ago in enumerate(days):
        start = (TODAY - timedelta(days=ago)).replace(
            hour=chart.source.choice(_OFFICE_HOURS), minute=chart.source.choice((0, 15, 30, 45))
        )
        practitioner = chart.practitioner if number != 1 else chart.around.practitioners[1]
        encounter = _encounter(chart, start, number, practitioner)
        chart.visits.append(Visit(encounter, start, practitioner))
    if chart.number % 4 == 0:
        _unknown_encounter(chart)


def _encounter(chart: Chart, start: datetime, number: int, practitioner: Resource) -> Resource:
    row = chart.pick("encounters", shift=number)
    length = timedelta(minutes=row["minutes"])
    inpatient = "discharge" in row
    place = chart.around.locations[2 if inpatient else number % 2]
    care_place = {
        "location": reference(place, place["name"]),
        "period": period(start + timedelta(minutes=5), length - timedelta(minutes=5)),
    }
    return chart.register.add(
        "Encounter",
        profile="us-core-encounter",
        identifier=[_number(chart)],
        status="in-progress" if chart.number == 3 and number == _VISITS - 1 else "finished",
        class_=coding(row["class"]),
        type=[concept(row["type"])],
        subject=chart.subject,
        episodeOfCare=[chart.register.elsewhere("EpisodeOfCare", chart.number)],
        participant=[_participant(start, length, practitioner, inpatient)],
        appointment=None if inpatient else [chart.register.elsewhere("Appointment", chart.number)],
        period=period(start, length),
        length={"value": row["minutes"], **_MINUTES},
        hospitalization=(
            {"dischargeDisposition": concept(row["discharge"])} if inpatient else None
        ),
        location=[care_place],
        serviceProvider=reference(chart.around.hospital if inpatient else chart.around.practice),
    )


def _participant(
    start: datetime, length: timedelta, practitioner: Resource, inpatient: bool
) -> dict[str, Any]:
    role = ("ATND", "attender") if inpatient else ("PPRF", "primary performer")
    return {
        "type": [concept(("participation", *role))],
        "period": period(start, length),
        "individual": reference(practitioner, practitioner["name"][0]["text"]),
    }


def _number(chart: Chart) -> dict[str, str]:
    number = chart.register.number("Encounter") + 1
    return {"system": "urn:practicefusion:encounter", "value": f"E-{100000 + number}"}


def _unknown_encounter(chart: Chart) -> None:
    """As seen on the vendor's test server: nothing known but that it happened."""
    unknown = hl7("data-absent-reason", "unknown")
    chart.register.add(
        "Encounter",
        profile="us-core-encounter",
        status="unknown",
        class_={**unknown["coding"][0], "display": "Unknown"},
        type=[{**unknown, "text": "Unknown"}],
        subject=chart.subject,
        account=[chart.register.elsewhere("Account", chart.number)],
    )


def add_diagnosis(visit: Visit, condition: Resource) -> None:
    """Name a condition as what the visit was about."""
    visit.encounter.setdefault("diagnosis", []).append({"condition": reference(condition)})


def at(visit: Visit, minutes: int = 10) -> str:
    """A moment during the visit."""
    return moment(visit.start + timedelta(minutes=minutes))
