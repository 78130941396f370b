"""What a demo's target holds, read back from the target itself and compared with the source.

It shares nothing with the sync but the form of the ids that a sync leaves behind.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple, Protocol

from practicefusion_connector import settings
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.fhir.client import FhirClient
from practicefusion_connector.fhir.cursor import Cursor
from practicefusion_connector.fhir.paging import walk
from practicefusion_connector.smart.provider import NoTokens
from practicefusion_connector.transport import Run, Transport

Resource = dict[str, Any]

_PAGE = "500"


class Held(NamedTuple):
    """A resource at the target, under the name it has at the source: its type, `/` and its id."""

    name: str
    resource: Resource


class Reader(Protocol):
    """Reads a target back."""

    def held(self, types: Sequence[str]) -> list[Held]:
        """Return what the target holds of these types."""
        ...

    def dangling(self, source: Sequence[Resource], held: Sequence[Held]) -> int:
        """Count references that lead nowhere although the source holds what they mean."""
        ...


def reader_of(to: str) -> Reader:
    """Return what reads the target back.

    Raises:
        InvalidInput: there is nothing that reads this kind of target.
    """
    kind, _, rest = to.partition(":")
    if kind == "duckdb" and rest:
        return _Tables(rest)
    if kind in ("http", "https") and rest:
        return _Server(to)
    raise InvalidInput(
        "The demo reads its target back: give --to duckdb:FILE or the base URL of a FHIR server."
    )


def compared(source: Sequence[Resource], reader: Reader, types: Sequence[str]) -> dict[str, int]:
    """Return how many resources there are at both ends, and what is wrong at the target."""
    held = reader.held(types)
    return {
        "source": len(source),
        "target": len(held),
        "dangling": reader.dangling(source, held),
        "duplicates": len(held) - len({each.name for each in held}),
    }


def name_of(resource: Resource) -> str:
    """Return what a literal reference to the resource says."""
    return f"{resource['resourceType']}/{resource['id']}"


def references(value: Any) -> Iterator[Resource]:
    """Yield every element that may be a Reference: with a `reference` or an `identifier`."""
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str) or isinstance(value.get("identifier"), dict):
            yield value
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


class _Tables:
    """A DuckDB file: resources as they are at the source, references included."""

    def __init__(self, path: str) -> None:
        self._path = path

    def held(self, types: Sequence[str]) -> list[Held]:
        import duckdb

        found: list[Held] = []
        with closing(duckdb.connect(self._path, read_only=True)) as tables:
            for (kind,) in tables.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                if kind in types:
                    # The name is that of a resource type, written by the sync itself.
                    rows = tables.execute(f'SELECT id, resource FROM "{kind}"').fetchall()  # noqa: S608
                    found += [Held(f"{kind}/{name}", json.loads(text)) for name, text in rows]
        return found

    def dangling(self, source: Sequence[Resource], held: Sequence[Held]) -> int:
        missing = {name_of(each) for each in source} - {each.name for each in held}
        given = (each.get("reference") for kept in held for each in references(kept.resource))
        return sum(reference in missing for reference in given)


class _Server:
    """A FHIR server: resources with ids of its own, and the source's as identifier or tag."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url.rstrip("/")

    def held(self, types: Sequence[str]) -> list[Held]:
        found: list[Held] = []
        with closing(Transport(settings.policy(self._base))) as transport:
            client, policy = FhirClient(transport, self._base, NoTokens()), transport.policy
            for kind in types:
                first = Cursor(client.search_url(kind, [("_count", _PAGE)]))
                pages = walk(client, kind, first, lambda: Run(policy.deadline), policy.max_pages)
                for step in pages:
                    for resource in step.matches:
                        found += [Held(f"{kind}/{each}", resource) for each in _own_ids(resource)]
        return found

    def dangling(self, source: Sequence[Resource], held: Sequence[Held]) -> int:
        there = {name_of(each.resource) for each in held}
        meant = {_own_token(each["resourceType"], each["id"]) for each in source}
        for each in source:
            given = each.get("identifier")
            meant.update(map(_token, given if isinstance(given, list) else ()))

        def nowhere(element: Resource) -> bool:
            literal = element.get("reference")
            if literal is None:
                return "type" in element and _token(element["identifier"]) in meant
            return not literal.startswith(("#", "http:", "https:")) and literal not in there

        return sum(nowhere(each) for kept in held for each in references(kept.resource))


def _own_ids(resource: Resource) -> list[str]:
    """Return the ids at the source that a resource of a server carries: one, or none."""
    system = _own_token(resource["resourceType"], "")[0]
    given = resource.get("identifier")
    tokens = [_token(each) for each in given] if isinstance(given, list) else []
    tokens += [(each.get("system"), each.get("code")) for each in resource["meta"].get("tag", ())]
    return [str(value) for named, value in tokens if named == system]


def _own_token(kind: str, value: str) -> tuple[str, str]:
    return f"https://practicefusion.com/fhir/{kind}-id", value


def _token(identifier: Resource) -> tuple[Any, Any]:
    return identifier.get("system"), identifier.get("value")
