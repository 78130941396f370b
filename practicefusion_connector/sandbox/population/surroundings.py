"""What is there before the first patient: organizations, locations, practitioners, medications."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from faker import Faker

from practicefusion_connector.sandbox.population.elements import (
    concept,
    day,
    extension,
    hl7,
    reference,
    vocabulary,
)
from practicefusion_connector.sandbox.population.register import Register
from practicefusion_connector.sandbox.settings import PRACTICE_ID, TODAY
from practicefusion_connector.sandbox.store import Resource

NPI = "http://hl7.org/fhir/sid/us-npi"
_ORGANIZATION_PERIOD = "http://hl7.org/fhir/StructureDefinition/organization-period"
_COVERAGE_AREA = (
    "http://hl7.org/fhir/us/davinci-pdex-plan-net/StructureDefinition/location-reference"
)
_PRACTITIONERS = 6


@dataclass(frozen=True)
class Surroundings:
    """The organizations, places and people the charts refer to."""

    practice: Resource
    laboratory: Resource
    hospital: Resource
    vaccine_maker: Resource
    locations: list[Resource]
    practitioners: list[Resource]
    medications: list[Resource]


def address(fake: Faker, state: str | None = None, **more: Any) -> dict[str, Any]:
    """A postal address in the United States."""
    line, city = fake.street_address(), fake.city()
    state, code = state or fake.state_abbr(include_territories=False), fake.postcode()
    return {
        "use": "work",
        "line": [line],
        "city": city,
        "state": state,
        "postalCode": code,
        "country": "US",
        "text": f"{line}, {city}, {state} {code}",
        **more,
    }


def phone(number: int, use: str = "home") -> dict[str, str]:
    """A telephone number, in one of the several ways people store them."""
    forms = vocabulary()["people"]["phones"]
    return {
        "system": "phone",
        "use": use,
        "value": forms[(number - 1) % len(forms)].format(number % 100),
    }


def build(register: Register, fake: Faker, source: random.Random) -> Surroundings:
    """Make them all."""
    locations = [
        register.add("Location", status="active", name=row["name"], address=address(fake, "NY"))
        for row in vocabulary()["locations"]
    ]
    organizations = [
        _organization(register, fake, number, row, locations)
        for number, row in enumerate(vocabulary()["organizations"], start=1)
    ]
    organizations[0]["partOf"] = reference(organizations[4], organizations[4]["name"])
    organizations[2]["partOf"] = reference(organizations[4], organizations[4]["name"])
    return Surroundings(
        practice=organizations[0],
        laboratory=organizations[1],
        hospital=organizations[2],
        vaccine_maker=organizations[3],
        locations=locations,
        practitioners=[
            _practitioner(register, fake, source, number) for number in range(1, _PRACTITIONERS + 1)
        ],
        medications=[
            register.add(
                "Medication",
                profile="us-core-medication",
                status="active",
                code=concept(row["medication"]),
            )
            for row in vocabulary()["problems"][:2]
        ],
    )


def _organization(
    register: Register, fake: Faker, number: int, row: dict[str, Any], locations: list[Resource]
) -> Resource:
    opened = TODAY - timedelta(days=3000 + 400 * number)
    lasted = {"end": day(TODAY - timedelta(days=500))} if row.get("closed") else {}
    identifiers = [{"system": NPI, "value": row["npi"]}] if "npi" in row else []
    if number == 1:
        identifiers.append({"system": "urn:practicefusion:practice", "value": PRACTICE_ID})
    return register.add(
        "Organization",
        profile="us-core-organization",
        extension=[
            extension(_ORGANIZATION_PERIOD, valuePeriod={"start": day(opened), **lasted}),
            extension(_COVERAGE_AREA, valueReference=reference(locations[number % len(locations)])),
        ],
        identifier=identifiers or None,
        active=not row.get("closed", False),
        type=[concept(row["type"])],
        name=row["name"],
        alias=row.get("alias"),
        telecom=[phone(40 + number, "work")],
        address=[address(fake, row["state"])],
        endpoint=[register.elsewhere("Endpoint", number)] if number <= 2 else None,
    )


def _practitioner(register: Register, fake: Faker, source: random.Random, number: int) -> Resource:
    woman = number % 2 == 1
    given = fake.first_name_female() if woman else fake.first_name_male()
    family = "Brûlé" if number == 2 else fake.last_name()
    language = vocabulary()["people"]["languages"][(number - 1) % 3]
    licensed = TODAY - timedelta(days=source.randrange(1500, 9000))
    return register.add(
        "Practitioner",
        profile="us-core-practitioner",
        identifier=[{"system": NPI, "value": f"19{source.randrange(10**7, 10**8)}"}],
        active=number != _PRACTITIONERS,
        name=[
            {
                "use": "official",
                "text": f"{given} {family}, MD",
                "family": family,
                "given": [given],
                "suffix": ["MD"],
            }
        ],
        telecom=[phone(20 + number, "work"), _email(given, number)],
        address=[address(fake, "NY" if number < 5 else "PA")],
        gender="female" if woman else "male",
        qualification=[
            {
                "code": hl7("v2-0360", "MD"),
                "period": {"start": day(licensed), "end": day(licensed + timedelta(days=12000))},
            }
        ],
        communication=[concept(("language", *language))],
    )


def _email(given: str, number: int) -> dict[str, str]:
    return {"system": "email", "use": "work", "value": f"{given.lower()}{number}@example.org"}
