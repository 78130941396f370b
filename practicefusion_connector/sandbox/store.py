"""The practice's records: every resource by type and id, in the order they came.

Knows FHIR's reference forms and nothing of HTTP, OAuth or search parameters.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

Resource = dict[str, Any]
ResourceKey = tuple[str, str]

_SUBJECT_ELEMENTS = ("subject", "patient", "beneficiary", "securityContext")


class ResourceStore:
    """Read-only access to the resources. `base_url` is known once the server listens."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.by_type: dict[str, dict[str, Resource]] = {}
        for resource in resources:
            self.by_type.setdefault(resource["resourceType"], {})[resource["id"]] = resource
        self.base_url = ""
        self._identifiers: dict[tuple[str, str], str] | None = None
        self._lock = threading.Lock()

    def get(self, resource_type: str, resource_id: str) -> Resource | None:
        """One resource, or None."""
        return self.by_type.get(resource_type, {}).get(resource_id)

    def of_type(self, resource_type: str) -> Iterator[Resource]:
        """Every resource of one type, in the order they came."""
        yield from self.by_type.get(resource_type, {}).values()

    def resolve(self, reference: str) -> ResourceKey | None:
        """The type and id a literal reference points at, whether or not it is in the store.

        Relative, versioned, absolute (under this practice's base) and conditional references
        (`Type?identifier=system|value`, as bulk files carry them) are understood. A contained
        reference, a URN or another server's URL gives None.
        """
        if "?" in reference:
            return self._resolve_conditional(reference)
        if self.base_url and reference.startswith(self.base_url + "/"):
            reference = reference[len(self.base_url) + 1 :]
        parts = reference.split("/")
        if len(parts) == 4 and parts[2] == "_history":
            parts = parts[:2]
        if len(parts) != 2 or not parts[0][:1].isupper() or not parts[1]:
            return None
        return parts[0], parts[1]

    def patients_of(self, resource: Resource, depth: int = 0) -> set[str]:
        """The ids of the patients whose compartment holds the resource.

        A record about another record (Provenance) lies where its targets lie. A resource that
        names no patient, such as a Practitioner, gives an empty set.
        """
        if resource["resourceType"] == "Patient":
            return {resource["id"]}
        found: set[str] = set()
        for element in _SUBJECT_ELEMENTS:
            found |= self._patients_behind(resource.get(element), depth)
        for target in resource.get("target") or ():
            found |= self._patients_behind(target, depth)
        return found

    def is_shared(self, resource: Resource) -> bool:
        """Whether the record is about no patient at all, such as a Practitioner."""
        return resource["resourceType"] != "Patient" and not any(
            element in resource for element in (*_SUBJECT_ELEMENTS, "target")
        )

    def _patients_behind(self, reference: Any, depth: int) -> set[str]:
        if not isinstance(reference, dict) or not isinstance(reference.get("reference"), str):
            return set()
        key = self.resolve(reference["reference"])
        if key is None:
            return set()
        if key[0] == "Patient":
            return {key[1]}
        target = self.get(*key) if depth < 2 else None
        return self.patients_of(target, depth + 1) if target else set()

    def _resolve_conditional(self, reference: str) -> ResourceKey | None:
        resource_type, _, query = reference.partition("?")
        name, _, token = query.partition("=")
        if name != "identifier" or "&" in token:
            return None
        with self._lock:
            if self._identifiers is None:
                self._identifiers = dict(self._identified())
        resource_id = self._identifiers.get((resource_type, unquote(token)))
        return (resource_type, resource_id) if resource_id else None

    def _identified(self) -> Iterator[tuple[tuple[str, str], str]]:
        for resource_type, resources in self.by_type.items():
            for resource_id, resource in resources.items():
                identifiers = resource.get("identifier")
                for identifier in identifiers if isinstance(identifiers, list) else ():
                    token = f"{identifier.get('system', '')}|{identifier.get('value', '')}"
                    yield (resource_type, token), resource_id
