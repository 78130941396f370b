"""Batches of any content, for properties that must hold for all of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, get_args

from hypothesis import strategies as st

from practicefusion_connector.medfusion import models
from practicefusion_connector.medfusion.models import Element, Patient, PatientBatch

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
_BY_NAME = {"batch_size": st.integers(min_value=0, max_value=100)}


def elements(kind: type[Element]) -> st.SearchStrategy[Any]:
    """Return elements of a kind with any of their fields filled."""
    fields = {
        name: st.none() | _value(name, field.annotation)
        for name, field in kind.model_fields.items()
        if name not in ("unknown", "patients", "pairs")
    }
    if kind is PatientBatch:
        fields["patients"] = st.lists(elements(Patient), max_size=3).map(tuple)
    if kind is models.DeviceArguments:
        pair = st.builds(models.KeyValuePair, key=texts, value=texts)
        fields["pairs"] = st.lists(pair, max_size=2).map(tuple)
    return st.fixed_dictionaries(fields).map(lambda given: kind(**given))


def _value(name: str, annotation: Any) -> st.SearchStrategy[Any]:
    if name in _BY_NAME:
        return _BY_NAME[name]
    parts = _flat(annotation)
    inner = next((p for p in parts if isinstance(p, type) and issubclass(p, Element)), None)
    if inner:
        return elements(inner)
    if datetime in parts:
        return moments
    return days if date in parts else texts


def _flat(annotation: Any) -> list[Any]:
    inner = get_args(annotation)
    return [part for one in inner for part in _flat(one)] if inner else [annotation]


batches = elements(PatientBatch)
patients = elements(Patient)
