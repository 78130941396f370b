"""What a search should find, worked out from plain JSON without FHIRPath and without the sandbox.

For a parameter it collects the values resources have, writes one as the input a user would give,
and says which resources must then come back (FHIR R4 search §3.1.1.4).
"""

from __future__ import annotations

import datetime as dt
import tomllib
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATHS: dict[str, dict[str, list[str]]] = tomllib.loads(
    (Path(__file__).parent / "oracle.toml").read_text("utf-8")
)
Resource = dict[str, Any]


@dataclass(frozen=True)
class Probe:
    """An input to try, and whether a value found in a resource satisfies it."""

    value: Any
    satisfied_by: Callable[[Any], bool]


def values(resource: Resource, name: str) -> list[Any]:
    """Return what `resource` holds for the parameter `name`."""
    kind = resource["resourceType"]
    if (kind, name) == ("Patient", "deceased"):
        return [resource.get("deceasedBoolean", False) or "deceasedDateTime" in resource]
    return [found for path in PATHS[kind][name] for found in _walk(resource, path.split("."))]


def _walk(node: Any, steps: list[str]) -> Iterator[Any]:
    if isinstance(node, list):
        for item in node:
            yield from _walk(item, steps)
    elif not steps:
        yield node
    elif isinstance(node, dict):
        name, _, url_end = steps[0].partition("~")
        found = node.get(name, [])
        if url_end:
            found = [item for item in found if item["url"].endswith(url_end)]
        yield from _walk(found, steps[1:])


def probes(kind: str, targets: tuple[str, ...], value: Any) -> Iterator[Probe]:
    """Yield the inputs that name `value`, for a parameter of type `kind`."""
    if kind == "token":
        for system, code in _tokens(value):
            given = f"{system}|{code}" if system else code
            yield Probe(given, lambda v, s=system, c=code: (s, c) in _tokens(v))
    elif kind == "string":
        for text in _texts(value):
            yield Probe(text, lambda v, t=text: any(_starts(held, t) for held in _texts(v)))
    elif kind == "reference" and value["reference"].split("/")[0] in targets:
        reference = value["reference"]
        yield Probe(reference, lambda v: v.get("reference") == reference)
    elif kind == "uri":
        yield Probe(value, lambda v: v == value)
    elif kind == "quantity" and "value" in value:
        unit = f"{value.get('system', '')}|{value.get('code', '')}"
        yield Probe(
            f"ge{value['value']}|{unit}",
            lambda v: (
                "value" in v
                and (v.get("system", ""), v.get("code", "")) == tuple(unit.split("|"))
                and v["value"] >= value["value"]
            ),
        )
    elif kind == "date":
        low, high = span(value)
        for day in {moment.date().isoformat() for moment in (low, high) if _sane(moment)}:
            start, _ = span(day)
            yield Probe({"ge": day}, lambda v, s=start: span(v)[1] > s)
            yield Probe({"lt": day}, lambda v, s=start: span(v)[0] < s)
    elif kind == "composite":
        pair = (value["target"]["reference"], value["code"])
        yield Probe("$".join(pair), lambda v: (v["target"]["reference"], v["code"]) == pair)


def _tokens(value: Any) -> set[tuple[str, str]]:
    if isinstance(value, bool):
        return {("", str(value).lower())}
    if isinstance(value, str):
        return {("", value)}
    if "coding" in value:
        return {pair for coding in value["coding"] for pair in _tokens(coding)}
    code = value.get("code") or value.get("value")
    # A phone's system says what kind of contact it is; it is no code system.
    system = (
        value.get("system", "")
        if "://" in value.get("system", "") or ":" in value.get("system", "")
        else ""
    )
    return {(system, code)} if code else set()


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, dict):
        parts = ("text", "family", "given", "prefix", "suffix", "line", "city", "district", "state")
        return _texts([value[name] for name in (*parts, "country", "postalCode") if name in value])
    return []


def _starts(held: str, wanted: str) -> bool:
    return _folded(held).startswith(_folded(wanted))


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


_FIRST = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
_LAST = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


def _sane(moment: dt.datetime) -> bool:
    return _FIRST < moment < _LAST


def span(value: Any) -> tuple[dt.datetime, dt.datetime]:
    """Return the time a date, moment or Period covers: its start and the moment just behind it."""
    if isinstance(value, dict):
        start, end = value.get("start"), value.get("end")
        return (span(start)[0] if start else _FIRST), (span(end)[1] if end else _LAST)
    if "T" in value:
        moment = dt.datetime.fromisoformat(value)
        return moment, moment + dt.timedelta(seconds=0 if "." in value else 1)
    day = dt.datetime.fromisoformat((value + "-01-01")[:10]).replace(tzinfo=dt.UTC)
    if len(value) == 10:
        return day, day + dt.timedelta(days=1)
    if len(value) == 4:
        return day, day.replace(year=day.year + 1)
    return day, (day + dt.timedelta(days=31)).replace(day=1)
