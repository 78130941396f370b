"""Small FHIR elements, built the same way everywhere. Knows no patient."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

Element = dict[str, Any]

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
UCUM = "http://unitsofmeasure.org"


@cache
def vocabulary() -> dict[str, Any]:
    """The clinical words of the practice."""
    package = files("practicefusion_connector.sandbox.population")
    return tomllib.loads(package.joinpath("vocabulary.toml").read_text(encoding="utf-8"))


def coding(triple: Sequence[str]) -> Element:
    """A Coding from a [system, code, display] triple of the vocabulary."""
    system, code, display = triple
    return {"system": vocabulary()["systems"].get(system, system), "code": code, "display": display}


def concept(*triples: Sequence[str]) -> Element:
    """A CodeableConcept with these codings, named by the first."""
    return {"coding": [coding(triple) for triple in triples], "text": triples[0][2]}


def hl7(name: str, code: str) -> Element:
    """A CodeableConcept of one of HL7's own code systems."""
    system = f"http://terminology.hl7.org/CodeSystem/{name}"
    return {"coding": [{"system": system, "code": code}]}


def reference(resource: Mapping[str, Any], display: str | None = None) -> Element:
    """A relative reference to a resource."""
    found: Element = {"reference": f"{resource['resourceType']}/{resource['id']}"}
    if display:
        found["display"] = display
    return found


def quantity(value: float, unit: Sequence[str]) -> Element:
    """A Quantity in a UCUM unit, given as [unit, code]."""
    return {"value": value, "unit": unit[0], "system": UCUM, "code": unit[1]}


def moment(when: datetime) -> str:
    """A dateTime or instant, in UTC, to the second."""
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def day(when: datetime | date) -> str:
    """A date."""
    return when.strftime("%Y-%m-%d")


def period(start: datetime, length: timedelta | None = None) -> Element:
    """A Period; without a length it has no end."""
    found = {"start": moment(start)}
    if length is not None:
        found["end"] = moment(start + length)
    return found


def extension(url: str, **value: Any) -> Element:
    """An Extension with a value or with extensions of its own."""
    return {"url": url, **value}
