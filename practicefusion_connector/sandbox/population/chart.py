"""One patient's chart while it is being written: who, by whom, when, and where it all goes."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from practicefusion_connector.sandbox.population.elements import Element, reference, vocabulary
from practicefusion_connector.sandbox.population.register import Register
from practicefusion_connector.sandbox.population.surroundings import Surroundings
from practicefusion_connector.sandbox.store import Resource


@dataclass
class Visit:
    """An encounter of the chart and when it began."""

    encounter: Resource
    start: datetime
    practitioner: Resource


@dataclass
class Chart:
    """The chart of patient `number` (from 1)."""

    number: int
    patient: Resource
    register: Register
    around: Surroundings
    source: random.Random
    visits: list[Visit] = field(default_factory=list)

    @property
    def subject(self) -> Element:
        """A reference to the patient."""
        return reference(self.patient)

    @property
    def practitioner(self) -> Resource:
        """The patient's own physician."""
        active = self.around.practitioners[:-1]
        return active[(self.number - 1) % len(active)]

    def pick(self, table: str, shift: int = 0) -> Any:
        """A row of a vocabulary table: each patient begins at another."""
        rows = vocabulary()[table]
        return rows[(self.number - 1 + shift) % len(rows)]

    def days_before(self, when: datetime, most: int) -> datetime:
        """A moment within so many days before another."""
        return when - timedelta(minutes=self.source.randrange(60, most * 24 * 60))

    def measured(self, low: float, high: float, digits: int) -> float:
        """A number as an instrument shows it."""
        value = round(self.source.uniform(low, high), digits)
        return value if digits else int(value)
