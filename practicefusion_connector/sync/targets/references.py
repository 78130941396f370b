"""References, from the source's ids to the target's, so that nothing on the target dangles.

A reference to a resource the target holds becomes `Type/{the target's id}`. One to a resource it
does not hold becomes a logical reference (FHIR R4 references §2.3.0.3): type and identifier,
without `reference`; it names what is meant and can be made literal once that has arrived.
Conditional references (`Type?identifier=…`) are never sent: a server that does not resolve them
stores them as they are.

Pure: it is told what the target holds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from practicefusion_connector.errors import InvalidResponse
from practicefusion_connector.fhir.links import within
from practicefusion_connector.sync.items import ID, TYPE, Key, Resource

_RIDES = "/reference-identifier"
# What a type of a reference is relative to (R4 references §2.3.0.1); some write it in full.
_TYPES = "http://hl7.org/fhir/StructureDefinition/"
_BARE_BINARY = re.compile(r"Binary/[A-Za-z0-9.-]{1,64}")


class References:
    """Rewrites references of one source.

    Args:
        source: the base URL of the source's FHIR server, where known; absolute references under it
            are the source's own.
        system: begins the systems of source identifiers, which end in `/{type}-id`.
    """

    def __init__(self, source: str | None, system: str) -> None:
        self._base = source.rstrip("/") + "/" if source else None
        self._system = system

    def system_of(self, resource_type: str) -> str:
        """Return the system of the identifiers that hold the source's ids of a type."""
        return f"{self._system}/{resource_type}-id"

    def wanted(self, resource: Resource) -> set[Key]:
        """Return what a resource refers to, of the source's own."""
        found = (self._key(element) for element in _elements(resource))
        return {key for key in found if key is not None}

    def rewritten(
        self, resource: Resource, held: Mapping[Key, str]
    ) -> tuple[Resource, tuple[Key, ...]]:
        """Return a copy for the target, and what of its references it does not hold yet.

        Args:
            held: the target's ids of what `wanted` named.
        """
        missing: dict[Key, None] = {}

        def element(given: dict[str, Any]) -> dict[str, Any]:
            key = self._key(given)
            if key is None:
                return self._foreign(given)
            if key in held:
                return {**given, "reference": f"{key.type}/{held[key]}"}
            missing[key] = None
            return self._logical(given, key)

        copy = _mapped(resource, element, self._absolute)
        return copy, tuple(missing)

    def made_literal(
        self, resource: Resource, found: Mapping[Key, str]
    ) -> tuple[Resource, tuple[Key, ...]]:
        """Return a copy of the target's resource with the logical references to `found` literal.

        Also returns which of them it held.
        """
        done: dict[Key, None] = {}

        def element(given: dict[str, Any]) -> dict[str, Any]:
            key = self._key_of_logical(given)
            if key is None or key not in found:
                return given
            done[key] = None
            literal = {**given, "reference": f"{key.type}/{found[key]}"}
            if not key.id.startswith("#"):
                rode = literal.pop("identifier").get("extension")
                if rode:
                    literal["identifier"] = rode[0]["valueIdentifier"]
            return literal

        copy = _mapped(resource, element, lambda url: url)
        return copy, tuple(done)

    def _key(self, element: Mapping[str, Any]) -> Key | None:
        """Return what a literal reference names, of the source's own."""
        given = element.get("reference")
        if not isinstance(given, str):
            return None
        given = self._relative(given)
        kind, question, query = given.partition("?")
        if question:
            name, _, token = query.partition("=")
            conditional = name == "identifier" and "&" not in token and TYPE.fullmatch(kind)
            return self._named(kind, *_split(unquote(token))) if conditional else None
        parts = given.split("/")
        if len(parts) == 4 and parts[2] == "_history":
            parts = parts[:2]
        if len(parts) != 2 or not TYPE.fullmatch(parts[0]) or not ID.fullmatch(parts[1]):
            return None
        return Key(*parts)

    def _relative(self, url: str) -> str:
        """Return a URL under the source's base as one relative to it, any other as it is."""
        if not self._base or "://" not in url or "#" in url:
            return url
        try:
            within(self._base, url, of=self._base)
        except InvalidResponse:
            return url
        found = urlsplit(url)
        path = found.path.removeprefix(urlsplit(self._base).path)
        return f"{path}?{found.query}" if found.query else path

    def _named(self, kind: str, system: str, value: str) -> Key:
        """Return what stands for the resource with an identifier: its id where that is one."""
        is_id = system == self.system_of(kind) and ID.fullmatch(value)
        return Key(kind, value if is_id else alias(system, value))

    def _logical(self, given: dict[str, Any], key: Key) -> dict[str, Any]:
        """Return a logical reference in place of a literal one whose target is not there."""
        rest = {name: value for name, value in given.items() if name != "reference"}
        identifier: dict[str, Any] = {"system": self.system_of(key.type), "value": key.id}
        if key.id.startswith("#"):
            system, value = _split(unquote(given["reference"].partition("=")[2]))
            identifier = {"system": system, "value": value} if system else {"value": value}
        elif "identifier" in rest:
            # The source's own identifier rides along until the reference is literal again.
            own = {"url": self._system + _RIDES, "valueIdentifier": rest.pop("identifier")}
            identifier["extension"] = [own]
        return {**rest, "type": key.type, "identifier": identifier}

    def _key_of_logical(self, element: Mapping[str, Any]) -> Key | None:
        identifier, kind = element.get("identifier"), element.get("type")
        if "reference" in element or not isinstance(identifier, dict) or not isinstance(kind, str):
            return None
        system, value = identifier.get("system", ""), identifier.get("value")
        if not isinstance(value, str):
            return None
        return self._named(kind.removeprefix(_TYPES), system, value)

    def _foreign(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return a reference that is not the source's own; a bare URN resolves nowhere.

        An identifier says more than a URN that only the source could resolve.
        """
        target = given.get("reference")
        if not isinstance(target, str) or not target.startswith("urn:"):
            return given
        rest = {name: value for name, value in given.items() if name != "reference"}
        return {"identifier": {"system": "urn:ietf:rfc:3986", "value": target}, **rest}

    def _absolute(self, url: str) -> str:
        """Return an attachment's URL; one relative to the source would mean the target's own."""
        return self._base + url if self._base and _BARE_BINARY.fullmatch(url) else url


def alias(system: str, value: str) -> str:
    """Return what stands for an identifier, where a `Key` has an id: `#` and a digest.

    The identifier itself may be PHI and is kept nowhere.
    """
    return "#" + hashlib.blake2b(f"{system}|{value}".encode(), digest_size=16).hexdigest()


def aliases(resource: Resource) -> tuple[str, ...]:
    """Return what stands for the identifiers a resource can be referred to by."""
    given = resource.get("identifier")
    listed = given if isinstance(given, list) else [given]
    return tuple(
        alias(str(each.get("system", "")), each["value"])
        for each in listed
        if isinstance(each, dict) and isinstance(each.get("value"), str)
    )


def _split(token: str) -> tuple[str, str]:
    system, bar, value = token.partition("|")
    return (system, value) if bar else ("", system)


def _elements(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "reference" in value:
            yield value
        for inner in value.values():
            yield from _elements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _elements(inner)


def _mapped(value: Any, element: Any, url: Any) -> Any:
    """Return a copy with every Reference and every `url` passed through the functions."""
    if isinstance(value, list):
        return [_mapped(inner, element, url) for inner in value]
    if not isinstance(value, dict):
        return value
    copy = {
        name: url(inner)
        if name == "url" and isinstance(inner, str)
        else _mapped(inner, element, url)
        for name, inner in value.items()
    }
    return element(copy) if "reference" in copy or "identifier" in copy else copy
