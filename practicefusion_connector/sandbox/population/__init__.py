"""The invented population: people and their records in US Core 6.1.0's shape.

The same seed and number of patients give the same records, to the last character. No clock is
read: "today" is a constant. Knows no HTTP and no search.
"""

from __future__ import annotations

import pickle
import random
from functools import cache

from faker import Faker

from practicefusion_connector.sandbox.population.chart import Chart
from practicefusion_connector.sandbox.population.documents import (
    build_documents,
    build_provenance,
)
from practicefusion_connector.sandbox.population.encounters import build_encounters
from practicefusion_connector.sandbox.population.findings import build_findings
from practicefusion_connector.sandbox.population.patients import build_patient
from practicefusion_connector.sandbox.population.problems import (
    build_allergies,
    build_plans,
    build_problems,
)
from practicefusion_connector.sandbox.population.register import Register
from practicefusion_connector.sandbox.population.surroundings import build as build_surroundings
from practicefusion_connector.sandbox.population.treatments import (
    build_devices,
    build_immunizations,
    build_medications,
    build_procedures,
)
from practicefusion_connector.sandbox.store import Resource


def generate(seed: int = 1, patients: int = 20) -> list[Resource]:
    """The population. Every call gives a copy of its own. Raises ValueError below one patient."""
    if patients < 1:
        raise ValueError("A practice needs at least one patient: patients must be 1 or more.")
    copy: list[Resource] = pickle.loads(_pickled(seed, patients))  # noqa: S301 - made below
    return copy


@cache
def _pickled(seed: int, patients: int) -> bytes:
    """Kept, since tests start many practices and a copy is cheaper than making one."""
    source = random.Random(seed)  # noqa: S311 - invented people, not secrets
    fake = Faker("en_US")
    fake.seed_instance(seed)
    register = Register(source)
    around = build_surroundings(register, fake, source)
    for number in range(1, patients + 1):
        patient = build_patient(register, fake, source, around)
        _write_chart(Chart(number, patient, register, around, source))
    return pickle.dumps(register.resources)


def _write_chart(chart: Chart) -> None:
    build_encounters(chart)
    problems = build_problems(chart)
    build_allergies(chart)
    build_plans(chart, problems)
    build_findings(chart)
    build_medications(chart)
    build_immunizations(chart)
    build_procedures(chart)
    build_devices(chart)
    documents = build_documents(chart)
    build_provenance(chart, documents, problems)
