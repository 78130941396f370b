"""Batches of any content, for properties that must hold for all of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, get_args

from hypothesis import strategies as st
from pydantic import AwareDatetime

from practicefusion_connector.medfusion.models import (
    Element,
    KeyValuePair,
    Patient,
    PatientBatch,
)

# Everything XML can say, but for blank text, which counts as none.
_CHARACTERS = st.characters(
    exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff", include_characters="\t\n"
)
texts = st.text(_CHARACTERS, min_size=1, max_size=12).map(str.strip).filter(bool)
days = st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1))
_zones = st.integers(min_value=-12 * 60, max_value=14 * 60).map(
    lambda minutes: timezone(timedelta(minutes=minutes)) if minutes else UTC
)
moments = st.datetimes(
    min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1), timezones=_zones
)
_MANY: dict[str, type[Element]] = {"patients": Patient, "pairs": KeyValuePair}


@st.composite
def elements(draw: st.DrawFn, kind: type[Element]) -> Any:
    """Draw an element of a kind with any of its fields filled."""
    names = [name for name in kind.model_fields if name != "unknown"]
    chosen = draw(st.lists(st.sampled_from(names), max_size=6, unique=True))
    return kind(**{name: draw(_value(name, kind.model_fields[name].annotation)) for name in chosen})


def _value(name: str, annotation: Any) -> st.SearchStrategy[Any]:
    if name == "batch_size":
        return st.integers(min_value=0, max_value=100)
    if name in _MANY:
        return st.lists(elements(_MANY[name]), max_size=3).map(tuple)
    parts = _flat(annotation)
    inner = next((p for p in parts if isinstance(p, type) and issubclass(p, Element)), None)
    if inner:
        return elements(inner)
    if AwareDatetime in parts:
        return moments
    return days if date in parts else texts


def _flat(annotation: Any) -> list[Any]:
    inner = get_args(annotation)
    return [part for one in inner for part in _flat(one)] if inner else [annotation]


batches = elements(PatientBatch)
patients = elements(Patient)
