"""Gives every resource its id and its meta, and keeps them in order.

Ids follow one rule, so that definitions and documents can name them: the k-th resource of a type
has the UUID version 5 of `Type/k` in the sandbox's own namespace.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from practicefusion_connector.sandbox.population.elements import US_CORE, moment
from practicefusion_connector.sandbox.settings import TODAY
from practicefusion_connector.sandbox.store import Resource

_NAMESPACE: Final = uuid5(NAMESPACE_URL, "https://sandbox.practicefusion.example")
_CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


def resource_id(resource_type: str, number: int) -> str:
    """The id of the k-th resource of a type, k from 1."""
    return str(uuid5(_NAMESPACE, f"{resource_type}/{number}"))


class Register:
    """The resources made so far."""

    def __init__(self, random_source: random.Random) -> None:
        self.resources: list[Resource] = []
        self._random = random_source
        self._counts: Counter[str] = Counter()

    def number(self, resource_type: str) -> int:
        """How many of the type there are."""
        return self._counts[resource_type]

    @property
    def patients(self) -> list[Resource]:
        """The patients made so far."""
        return [made for made in self.resources if made["resourceType"] == "Patient"]

    def add(
        self,
        resource_type: str,
        profile: str | None = None,
        restricted: bool = False,
        **elements: Any,
    ) -> Resource:
        """Make the next resource of the type. Elements that are None are left out.

        A name that Python keeps for itself has an underscore at its end: `class_`.
        """
        self._counts[resource_type] += 1
        number = self._counts[resource_type]
        updated = TODAY - timedelta(minutes=self._random.randrange(60, 700 * 24 * 60))
        label = "R" if restricted or number % 5 == 2 else "N"
        meta: dict[str, Any] = {
            "versionId": "1",
            "lastUpdated": moment(updated),
            "source": f"urn:practicefusion:{'import' if number % 3 == 0 else 'chart'}",
            "security": [{"system": _CONFIDENTIALITY, "code": label}],
        }
        if profile:
            meta["profile"] = [US_CORE + profile]
        resource: Resource = {
            "resourceType": resource_type,
            "id": resource_id(resource_type, number),
            "meta": meta,
            **{name.rstrip("_"): value for name, value in elements.items() if value is not None},
        }
        self.resources.append(resource)
        return resource

    def elsewhere(self, resource_type: str, number: int = 1) -> dict[str, str]:
        """A reference to a resource the server does not serve, as real records have them."""
        return {"reference": f"{resource_type}/{resource_id(resource_type, number)}"}
