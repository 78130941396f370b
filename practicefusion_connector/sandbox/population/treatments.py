"""What was done: medications, immunizations, procedures, implanted devices."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from practicefusion_connector.sandbox.population.chart import Chart, Visit
from practicefusion_connector.sandbox.population.elements import (
    concept,
    day,
    hl7,
    moment,
    period,
    quantity,
    reference,
    vocabulary,
)
from practicefusion_connector.sandbox.population.encounters import at
from practicefusion_connector.sandbox.store import Resource

_FEVER = ["loinc", "8310-5", "Body temperature"]


def build_medications(chart: Chart) -> None:
    """A long-term medication, one by reference, and a short course."""
    problem, diagnosis = chart.pick("problems"), chart.pick("diagnoses")
    first, last = chart.visits[0], chart.visits[-1]
    _prescription(
        chart,
        first,
        status="stopped" if chart.number % 4 == 0 else "active",
        medicationCodeableConcept=concept(problem["medication"]),
    )
    _prescription(
        chart,
        last,
        status="completed",
        medicationCodeableConcept=concept(diagnosis["medication"]),
        single_dose=True,
    )
    if chart.number % 3 == 1:
        kept = chart.around.medications[chart.number % 2]
        _prescription(
            chart,
            last,
            status="active",
            intent="plan",
            medicationReference=reference(kept, kept["code"]["text"]),
            reportedBoolean=True,
            requester=chart.subject,
        )


def _prescription(chart: Chart, visit: Visit, single_dose: bool = False, **more: Any) -> None:
    number = chart.register.number("MedicationRequest") + 1
    timing: dict[str, Any] = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    if single_dose:
        timing = {"event": [day(visit.start + timedelta(days=days)) for days in (1, 2, 3)]}
    elements: dict[str, Any] = {
        "identifier": [{"system": "urn:practicefusion:rx", "value": f"RX-{700000 + number}"}],
        "intent": "order",
        "subject": chart.subject,
        "encounter": reference(visit.encounter),
        "authoredOn": at(visit),
        "requester": reference(visit.practitioner, visit.practitioner["name"][0]["text"]),
        "dosageInstruction": [
            {
                "text": "Take one by mouth once a day.",
                "timing": timing,
                "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
            }
        ],
        **more,
    }
    chart.register.add("MedicationRequest", profile="us-core-medicationrequest", **elements)


def build_immunizations(chart: Chart) -> None:
    """Two vaccines; one was declined by every fifth patient, one was followed by a fever."""
    for shift, visit in enumerate(chart.visits[:2]):
        declined = shift == 1 and chart.number % 5 == 0
        elements: dict[str, Any] = {
            "identifier": [_vaccination_number(chart)],
            "vaccineCode": concept(chart.pick("vaccines", shift)["code"]),
            "patient": chart.subject,
            "encounter": reference(visit.encounter),
            "occurrenceDateTime": at(visit),
            "primarySource": not declined,
            "status": "not-done" if declined else "completed",
        }
        if declined:
            elements["statusReason"] = hl7("v3-ActReason", "PATOBJ")
        else:
            elements.update(_given(chart, visit, shift))
        chart.register.add("Immunization", profile="us-core-immunization", **elements)


def _vaccination_number(chart: Chart) -> dict[str, str]:
    number = chart.register.number("Immunization") + 1
    return {"system": "urn:practicefusion:immunization", "value": f"IM-{number:05d}"}


def _given(chart: Chart, visit: Visit, shift: int) -> dict[str, Any]:
    place = chart.around.locations[shift % 2]
    given: dict[str, Any] = {
        "location": reference(place, place["name"]),
        "lotNumber": f"{'MV' if shift else 'LK'}{chart.source.randrange(1000, 9999)}",
        "performer": [{"actor": reference(visit.practitioner)}],
    }
    if shift == 0:
        given["manufacturer"] = reference(chart.around.vaccine_maker)
    if shift == 0 and chart.number % 4 == 1:
        after = visit.start + timedelta(days=1)
        given["reaction"] = [{"date": day(after), "detail": reference(_fever(chart, visit))}]
    return given


def _fever(chart: Chart, visit: Visit) -> Resource:
    return chart.register.add(
        "Observation",
        profile="us-core-body-temperature",
        status="final",
        category=[hl7("observation-category", "vital-signs")],
        code=concept(_FEVER),
        subject=chart.subject,
        effectiveDateTime=moment(visit.start + timedelta(days=1)),
        performer=[chart.subject],
        valueQuantity=quantity(38.4, ["Cel", "Cel"]),
    )


def build_procedures(chart: Chart) -> None:
    """One at a moment, one over a while, one not done."""
    rows = [chart.pick("procedures", shift) for shift in range(2)]
    first, last = chart.visits[0], chart.visits[-1]
    common: dict[str, Any] = {"profile": "us-core-procedure", "subject": chart.subject}
    chart.register.add(
        "Procedure",
        **common,
        status="completed",
        code=concept(rows[0]["code"]),
        encounter=reference(first.encounter),
        performedDateTime=at(first, 15),
        performer=[{"actor": reference(first.practitioner)}],
    )
    stopped = chart.number % 4 == 0
    chart.register.add(
        "Procedure",
        **common,
        status="not-done" if stopped else "completed",
        code=concept(rows[1]["code"]),
        encounter=reference(last.encounter),
        performedPeriod=period(last.start, timedelta(minutes=40)),
        performer=None if stopped else [{"actor": reference(chart.around.hospital)}],
    )


def build_devices(chart: Chart) -> None:
    """An implanted device for every third patient, the first among them."""
    if chart.number % 3 != 1:
        return
    number = chart.register.number("Device") + 1
    row = vocabulary()["devices"][(number - 1) % len(vocabulary()["devices"])]
    made = chart.days_before(chart.visits[0].start, 700)
    identifier, serial = f"0950400005911{number}", f"SN{chart.source.randrange(10**6, 10**7)}"
    chart.register.add(
        "Device",
        profile="us-core-implantable-device",
        identifier=[{"system": "urn:practicefusion:device", "value": f"D-{number:04d}"}],
        udiCarrier=[
            {
                "deviceIdentifier": identifier,
                "issuer": "http://hl7.org/fhir/NamingSystem/gs1-di",
                "carrierHRF": f"(01){identifier}(11){made:%y%m%d}(21){serial}",
            }
        ],
        status="inactive" if number % 3 == 0 else "active",
        distinctIdentifier=identifier,
        manufacturer=row["manufacturer"],
        manufactureDate=day(made),
        serialNumber=serial,
        deviceName=[{"name": f"{row['manufacturer']} {row['model']}", "type": "model-name"}],
        modelNumber=row["model"],
        type=concept(row["type"]),
        patient=chart.subject,
        owner=reference(chart.around.hospital if number % 2 else chart.around.practice),
        location=reference(chart.around.locations[2 if number % 2 else 0]),
        url=f"https://devices.example.org/{serial}",
    )
