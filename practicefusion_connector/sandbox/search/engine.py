"""The index of the practice's records and the search over it.

The values of a parameter are read out of the resources by its FHIRPath expression the first time
somebody searches by it, and kept: a large data set costs nothing until it is asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import fhirpathpy
from fhirpathpy.models import models

from practicefusion_connector.sandbox.search.dates import DateMatcher
from practicefusion_connector.sandbox.search.errors import SearchError
from practicefusion_connector.sandbox.search.escaping import split_unescaped
from practicefusion_connector.sandbox.search.matching import Matcher
from practicefusion_connector.sandbox.search.parameters import SearchParameter, parameters_of
from practicefusion_connector.sandbox.search.quantities import QuantityMatcher
from practicefusion_connector.sandbox.search.references import ReferenceMatcher
from practicefusion_connector.sandbox.search.strings import StringMatcher
from practicefusion_connector.sandbox.search.tokens import TokenMatcher
from practicefusion_connector.sandbox.search.uris import UriMatcher
from practicefusion_connector.sandbox.store import Resource, ResourceStore

Index = dict[str, list[Any]]
"""The indexed values of one parameter, by resource id."""
Test = Callable[[Any], bool]
"""Whether one indexed value satisfies one searched value."""

_MATCHERS: dict[str, Matcher] = {
    "date": DateMatcher(),
    "quantity": QuantityMatcher(),
    "reference": ReferenceMatcher(),
    "string": StringMatcher(),
    "token": TokenMatcher(),
    "uri": UriMatcher(),
}


class SearchEngine:
    """Searches one store. Safe to share between threads."""

    def __init__(self, store: ResourceStore) -> None:
        self._store = store
        self._indexes: dict[tuple[str, str], Index] = {}
        self._paths: dict[str, Callable[[Any], list[Any]]] = {}
        # fhirpathpy keeps state of the evaluation under way in module globals.
        self._lock = threading.RLock()

    def search(
        self,
        resource_type: str,
        criteria: Iterable[tuple[str, str]],
        sort: Sequence[str] = (),
    ) -> list[Resource]:
        """The resources that satisfy every criterion, a (parameter name, value) pair each.

        A value may hold alternatives, separated by commas. `sort` lists parameter names, with a
        minus before those to sort downwards. Raises SearchError.
        """
        found = list(self._store.of_type(resource_type))
        for name, text in criteria:
            index, tests = self._prepare(resource_type, name, text)
            found = [
                resource
                for resource in found
                if any(test(value) for value in index.get(resource["id"], ()) for test in tests)
            ]
        for rule in reversed(sort):
            found = self._sorted(resource_type, found, rule)
        return found

    def values(self, resource_type: str, name: str) -> Index:
        """The indexed values of one parameter, by resource id; resources without any are absent."""
        return self._index(resource_type, self._parameter(resource_type, name))

    def _parameter(self, resource_type: str, name: str) -> SearchParameter:
        parameter = parameters_of(resource_type).get(name)
        if parameter is None:
            raise SearchError(
                "not-supported", f"{resource_type} has no search parameter '{name}' on this server."
            )
        return parameter

    def _prepare(self, resource_type: str, name: str, text: str) -> tuple[Index, list[Test]]:
        parameter = self._parameter(resource_type, name)
        alternatives = [part for part in split_unescaped(text, ",") if part]
        make = self._composite_test if parameter.components else self._simple_test
        tests = [make(resource_type, parameter, part) for part in alternatives]
        return self._index(resource_type, parameter), tests

    def _simple_test(self, resource_type: str, parameter: SearchParameter, text: str) -> Test:
        matcher = _MATCHERS[parameter.type]
        wanted = matcher.parse(text, parameter, self._store.resolve)
        return lambda value: matcher.matches(value, wanted)

    def _composite_test(self, resource_type: str, parameter: SearchParameter, text: str) -> Test:
        """Both parts must hold within the same element (FHIR R4 3.1.1.4.17)."""
        parts = split_unescaped(text, "$")
        if len(parts) != len(parameter.components):
            names = "$".join(component.parameter for component in parameter.components)
            raise SearchError("value", f"'{parameter.name}' must have the form {names}.")
        tests = [
            self._simple_test(
                resource_type, self._parameter(resource_type, component.parameter), part
            )
            for component, part in zip(parameter.components, parts, strict=True)
        ]
        return lambda value: all(
            any(test(part) for part in values) for test, values in zip(tests, value, strict=True)
        )

    def _index(self, resource_type: str, parameter: SearchParameter) -> Index:
        key = (resource_type, parameter.name)
        with self._lock:
            if key not in self._indexes:
                self._indexes[key] = self._build_index(resource_type, parameter)
            return self._indexes[key]

    def _build_index(self, resource_type: str, parameter: SearchParameter) -> Index:
        path = self._path(parameter.expression)
        index: Index = {}
        for resource in self._store.of_type(resource_type):
            values = [
                value
                for element in path(resource)
                for value in self._extract(resource_type, parameter, element)
            ]
            if values:
                index[resource["id"]] = values
        return index

    def _extract(
        self, resource_type: str, parameter: SearchParameter, element: Any
    ) -> Iterable[Any]:
        if not parameter.components:
            return _MATCHERS[parameter.type].extract(element, parameter, self._store.resolve)
        return [
            tuple(
                [
                    value
                    for inner in self._path(component.expression)(element)
                    for value in self._extract(
                        resource_type, self._parameter(resource_type, component.parameter), inner
                    )
                ]
                for component in parameter.components
            )
        ]

    def _path(self, expression: str) -> Callable[[Any], list[Any]]:
        if expression not in self._paths:
            compiled: Any = fhirpathpy.compile(expression, models["r4"])
            self._paths[expression] = compiled
        return self._paths[expression]

    def _sorted(self, resource_type: str, found: list[Resource], rule: str) -> list[Resource]:
        name, descending = rule.removeprefix("-"), rule.startswith("-")
        parameter = self._parameter(resource_type, name)
        if parameter.components:
            raise SearchError("not-supported", f"'{name}' cannot be sorted by.")
        index, key = self._index(resource_type, parameter), _MATCHERS[parameter.type].sort_key
        pick = max if descending else min
        have = [resource for resource in found if resource["id"] in index]
        lack = [resource for resource in found if resource["id"] not in index]
        have.sort(
            key=lambda resource: pick(key(value) for value in index[resource["id"]]),
            reverse=descending,
        )
        return have + lack
