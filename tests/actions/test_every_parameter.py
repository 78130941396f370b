"""Every parameter of every search action, run against the sandbox and checked by an oracle.

Generated from the registry: a parameter added to an action file is tested by being there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from practicefusion_connector import PracticeFusion
from practicefusion_connector.registry import Action, Parameter, shipped
from practicefusion_connector.sandbox import Sandbox
from tests.actions.oracle import PATHS, Probe, probes, span, values

SEARCHES = [action for action in shipped() if action.operation == "search"]
OF_THE_RESOURCE = [
    pytest.param(action, parameter, id=f"{action.key}-{parameter.name}")
    for action in SEARCHES
    for parameter in action.parameters
    if not parameter.name.startswith("_")
]
BY_KEY = pytest.mark.parametrize("action", SEARCHES, ids=lambda action: action.key)
EVERYTHING = {"page_size": 200, "max_items": 100_000}


def matching(sandbox: Sandbox, action: Action, name: str, *tried: Probe) -> set[str]:
    """Return the ids of the resources that satisfy any of the probes."""
    return {
        key
        for key, resource in sandbox.resources[action.resource].items()
        for value in values(resource, name)
        if any(probe.satisfied_by(value) for probe in tried)
    }


def telling_probes(sandbox: Sandbox, action: Action, parameter: Parameter) -> Iterator[Probe]:
    """Yield probes that some resources satisfy and others do not; any other proves nothing."""
    everything = sandbox.resources[action.resource]
    for resource in everything.values():
        for value in values(resource, parameter.name):
            for probe in probes(parameter.type, parameter.targets, value):
                if 0 < len(matching(sandbox, action, parameter.name, probe)) < len(everything):
                    yield probe


def found(pf: PracticeFusion, action: Action, inputs: dict[str, Any]) -> set[str]:
    result = pf.run(action.key, {**inputs, **EVERYTHING}, strict=True)
    ids = [resource["id"] for resource in result.resources]
    assert len(ids) == len(set(ids)) == result.total
    assert all(resource["resourceType"] == action.resource for resource in result.resources)
    return set(ids)


@pytest.mark.parametrize(("action", "parameter"), OF_THE_RESOURCE)
def test_a_parameter_finds_exactly_what_it_names(
    action: Action, parameter: Parameter, practice: PracticeFusion, population: Sandbox
) -> None:
    probe = next(telling_probes(population, action, parameter))

    ids = found(practice, action, {parameter.input: probe.value})

    assert ids == matching(population, action, parameter.name, probe)


@pytest.mark.parametrize(
    ("action", "parameter"),
    [p for p in OF_THE_RESOURCE if p.values[1].or_ and not p.values[1].comparators],
)
def test_a_list_finds_what_any_of_its_values_names(
    action: Action, parameter: Parameter, practice: PracticeFusion, population: Sandbox
) -> None:
    tried = list(telling_probes(population, action, parameter))
    one = tried[0]
    other = next((p for p in tried if p.value != one.value), one)

    ids = found(practice, action, {parameter.input: [one.value, other.value]})

    assert ids == matching(population, action, parameter.name, one, other)


@pytest.mark.parametrize(
    ("action", "parameter"), [p for p in OF_THE_RESOURCE if p.values[1].type == "date"]
)
def test_two_bounds_find_what_lies_between(
    action: Action, parameter: Parameter, practice: PracticeFusion, population: Sandbox
) -> None:
    tried = list(telling_probes(population, action, parameter))
    ever = (Probe({"ge": "0002"}, lambda _: True), Probe({"lt": "9998"}, lambda _: True))
    low, high = (
        next((probe for probe in tried if bound in probe.value), otherwise)
        for bound, otherwise in zip(("ge", "lt"), ever, strict=True)
    )
    assert (low, high) != ever

    ids = found(practice, action, {parameter.input: {**low.value, **high.value}})

    assert ids == matching(population, action, parameter.name, low) & matching(
        population, action, parameter.name, high
    )


@BY_KEY
def test_id_finds_the_one_resource(
    action: Action, practice: PracticeFusion, population: Sandbox
) -> None:
    first, second, *_ = population.resources[action.resource]

    assert found(practice, action, {"id": first}) == {first}
    assert found(practice, action, {"id": [first, second]}) == {first, second}


@BY_KEY
def test_last_updated_finds_what_changed_since(
    action: Action, practice: PracticeFusion, population: Sandbox
) -> None:
    changed = {
        key: resource["meta"]["lastUpdated"]
        for key, resource in population.resources[action.resource].items()
    }
    since = sorted(changed.values(), key=lambda moment: span(moment)[0])[len(changed) // 2]

    ids = found(practice, action, {"last_updated": {"ge": since}})

    assert ids == {key for key, moment in changed.items() if span(moment)[0] >= span(since)[0]}
    assert 0 < len(ids) <= len(changed)


@BY_KEY
def test_page_size_bounds_a_page_and_the_cursor_goes_on(
    action: Action, practice: PracticeFusion, population: Sandbox
) -> None:
    everything = set(population.resources[action.resource])

    first = practice.run(action.key, {"page_size": 1})
    assert first.next_cursor is not None
    second = practice.run(action.key, {"cursor": first.next_cursor})

    assert len(first) == len(second) == 1
    assert first.resource["id"] != second.resource["id"]
    assert {first.resource["id"], second.resource["id"]} <= everything
    assert first.total == len(everything)


@BY_KEY
def test_sort_orders_both_ways(
    action: Action, practice: PracticeFusion, population: Sandbox
) -> None:
    up = practice.run(action.key, {"sort": "last_updated", **EVERYTHING})
    down = practice.run(action.key, {"sort": "-last_updated", **EVERYTHING})

    rising, falling = (
        [span(resource["meta"]["lastUpdated"])[0] for resource in result.resources]
        for result in (up, down)
    )
    assert rising == sorted(rising)
    assert falling == sorted(falling, reverse=True)
    assert len(rising) == len(population.resources[action.resource])


@pytest.mark.parametrize(
    "action", [a for a in SEARCHES if a.named("revinclude")], ids=lambda action: action.key
)
def test_revinclude_brings_the_provenance_of_the_matches(
    action: Action, practice: PracticeFusion, population: Sandbox
) -> None:
    result = practice.run(action.key, {"revinclude": "Provenance:target", **EVERYTHING})

    matches = {f"{action.resource}/{resource['id']}" for resource in result.resources}
    expected = {
        key
        for key, provenance in population.resources["Provenance"].items()
        if {target.get("reference") for target in provenance["target"]} & matches
    }
    assert {resource["id"] for resource in result.included} == expected
    assert expected
    assert {f"{action.resource}/{key}" for key in population.resources[action.resource]} == matches


def test_the_oracle_knows_every_parameter() -> None:
    declared = {
        action.resource: {p.name for p in action.parameters if not p.name.startswith("_")}
        for action in SEARCHES
    }
    assert {resource: set(paths) for resource, paths in PATHS.items()} == declared


@pytest.mark.parametrize("action", list(shipped()), ids=lambda action: action.key)
def test_the_sample_input_finds_something(
    action: Action, practice: PracticeFusion, population: Sandbox
) -> None:
    result = practice.run(action.key, action.sample, strict=True)

    assert result.resources
    assert all(r["resourceType"] == action.resource for r in result.resources)
