"""The patients: US Core demographics, with the names, numbers and dates that trip software up."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from faker import Faker

from practicefusion_connector.sandbox.population.elements import (
    US_CORE,
    concept,
    day,
    extension,
    hl7,
    moment,
    reference,
    vocabulary,
)
from practicefusion_connector.sandbox.population.register import Register
from practicefusion_connector.sandbox.population.surroundings import Surroundings, address, phone
from practicefusion_connector.sandbox.settings import TODAY
from practicefusion_connector.sandbox.store import Resource

MRN_SYSTEM = "https://practicefusion-prod.medicasoft.us/PF"
_RACE_SYSTEM = "urn:oid:2.16.840.1.113883.6.238"


def build_patient(
    register: Register, fake: Faker, source: random.Random, around: Surroundings
) -> Resource:
    """Make the next patient."""
    number = register.number("Patient") + 1
    woman = number % 2 == 1
    given = (
        [fake.first_name_female(), fake.first_name_female()]
        if woman
        else [
            fake.first_name_male(),
            fake.first_name_male(),
        ]
    )
    born = TODAY.date() - timedelta(days=source.randrange(19 * 365, 88 * 365))
    words = vocabulary()["people"]
    family = words["families"][(number - 1) % len(words["families"])] or fake.last_name()
    language = words["languages"][0 if number % 3 else (number // 3) % 4]
    return register.add(
        "Patient",
        profile="us-core-patient",
        extension=_extensions(number, woman),
        identifier=[_mrn(source, number)],
        active=number % 10 != 9,
        name=_names(number, family, given),
        telecom=[phone(number), _email(given[0], family, number)],
        gender="female" if woman else "male",
        birthDate=words["birth_dates"].get(str(number), day(born)),
        **_death(number, source, born),
        address=[address(fake, use="home", country="CA" if number == 6 else "US")],
        communication=[{"language": concept(("language", *language)), "preferred": True}],
        generalPractitioner=[reference(around.practitioners[0])],
        managingOrganization=reference(around.practice, around.practice["name"]),
        link=_link(register, number),
    )


def _names(number: int, family: str, given: list[str]) -> list[dict[str, Any]]:
    text = f"{' '.join(given)} {family}"
    names: list[dict[str, Any]] = [
        {"use": "official", "text": text, "family": family, "given": given}
    ]
    if number % 6 == 4:
        names.append({"use": "nickname", "given": [given[0][:3]]})
    return names


def _mrn(source: random.Random, number: int) -> dict[str, Any]:
    """A medical record number, in one of the two styles seen."""
    digits = source.randrange(10**9, 10**10)
    long = f"{digits % 10**4:04d}-{digits % 997:03d}-{digits % 9973:04d}"
    styles = (f"PF{digits % 10**6:06d}", long)
    return {
        "use": "usual",
        "type": hl7("v2-0203", "MR"),
        "system": MRN_SYSTEM,
        "value": styles[(number - 1) % 2],
    }


def _email(given: str, family: str, number: int) -> dict[str, str]:
    plain = "".join(letter for letter in f"{given}.{family}".lower() if letter.isascii())
    local = plain.replace(" ", "").replace("'", "")
    return {"system": "email", "use": "home", "value": f"{local}{number}@example.com"}


def _death(number: int, source: random.Random, born: date) -> dict[str, Any]:
    if number % 10 == 5:
        return {"deceasedDateTime": moment(TODAY - timedelta(days=source.randrange(40, 700)))}
    return {"deceasedBoolean": False} if number % 2 else {}


def _link(register: Register, number: int) -> list[dict[str, Any]] | None:
    """The ninth chart was merged into the first; the tenth knows a related one."""
    if number % 10 == 9:
        return [{"other": reference(register.patients[0]), "type": "replaced-by"}]
    if number % 10 == 0:
        return [{"other": reference(register.patients[1]), "type": "seealso"}]
    return None


def _extensions(number: int, woman: bool) -> list[dict[str, Any]]:
    words = vocabulary()["people"]
    race = words["races"][(number - 1) % len(words["races"])]
    ethnicity = words["ethnicities"][1 if number % 3 == 0 else 0]
    return [
        _omb("us-core-race", race),
        _omb("us-core-ethnicity", ethnicity),
        extension(f"{US_CORE}us-core-birthsex", valueCode="F" if woman else "M"),
    ]


def _omb(name: str, row: list[str]) -> dict[str, Any]:
    code = {"system": _RACE_SYSTEM, "code": row[0], "display": row[1]}
    return extension(
        US_CORE + name,
        extension=[
            extension("ombCategory", valueCoding=code),
            extension("text", valueString=row[1]),
        ],
    )
