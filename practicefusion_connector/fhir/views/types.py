"""What the R4 model says statically: the type of an element's child, and which type is which.

A type is a FHIR type name (`HumanName`), a System type (`System.String`), or the path of a backbone
element (`Observation.component`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Choice(NamedTuple):
    """A choice element (`value[x]`): its possible JSON fields and types, in the model's order."""

    fields: tuple[tuple[str, str], ...]


class TypeModel:
    """Static questions to fhirpathpy's model of a FHIR version."""

    def __init__(self, model: Mapping[str, Any]) -> None:
        self._types: Mapping[str, str] = model["path2Type"]
        self._choices: Mapping[str, list[str]] = model["choiceTypePaths"]
        self._elsewhere: Mapping[str, str] = model["pathsDefinedElsewhere"]
        self._parents: Mapping[str, str] = model["type2Parent"]

    def child(self, parent: str, name: str) -> str | Choice | None:
        """Return the type of a child element, its choices, or None where the model has none."""
        path = self._elsewhere.get(f"{parent}.{name}", f"{parent}.{name}")
        if name == "extension":
            return "Extension"
        if suffixes := self._choices.get(path):
            return Choice(tuple((name + suffix, self._types[path + suffix]) for suffix in suffixes))
        return self._types.get(path) or (path if self._is_backbone(path) else None)

    def _is_backbone(self, path: str) -> bool:
        # The model lists the children of a backbone element, and each has an id.
        return f"{path}.id" in self._types

    def is_type(self, name: str, wanted: str) -> bool:
        """Tell whether a type is the wanted one or descends from it."""
        current: str | None = "BackboneElement" if "." in name else name
        while current:
            if current == wanted:
                return True
            current = self._parents.get(current)
        return False

    def is_resource(self, name: str) -> bool:
        """Tell whether a type name is that of a resource."""
        return self._parents.get(name) in {"DomainResource", "Resource"}
