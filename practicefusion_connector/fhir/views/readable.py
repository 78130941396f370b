"""One line a person can read, from an element of a known FHIR type.

A table from FHIR type to reader; a reader is a function from the element to text, or None where
the element says nothing. Odd data gives None, never an exception. Knows no view and no FHIRPath.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

Reader = Callable[[Mapping[str, Any]], str | None]

_UNITS = {
    "s": "second",
    "min": "minute",
    "h": "hour",
    "d": "day",
    "wk": "week",
    "mo": "month",
    "a": "year",
}


def readable(value: object, fhir_type: str | None) -> str | None:
    """Return one readable line for a value of that FHIR type, or None where there is none."""
    if isinstance(value, Mapping):
        reader = _READERS.get(fhir_type or "")
        return reader(value) if reader else None
    return _text(value)


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int | float | Decimal):
        number = Decimal(str(value))
        return f"{number:f}" if number.is_finite() else None
    return None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _part(element: Mapping[str, Any], name: str, fhir_type: str) -> str | None:
    return readable(element.get(name), fhir_type)


def _parts(element: Mapping[str, Any], name: str, fhir_type: str = "string") -> list[str]:
    lines = (readable(item, fhir_type) for item in _list(element.get(name)))
    return [line for line in lines if line]


def _joined(separator: str, *parts: str | None) -> str | None:
    return separator.join(part for part in parts if part) or None


def _concept(concept: Mapping[str, Any]) -> str | None:
    # Some servers pack dates and names into `text`, so a coding's own display comes first.
    codings = [coding for coding in _list(concept.get("coding")) if isinstance(coding, Mapping)]
    for coding in codings:
        if display := _text(coding.get("display")):
            return display
    codes = (_text(coding.get("code")) for coding in codings)
    return _text(concept.get("text")) or next(filter(None, codes), None)


def _coding(coding: Mapping[str, Any]) -> str | None:
    return _text(coding.get("display")) or _text(coding.get("code"))


def _quantity(quantity: Mapping[str, Any]) -> str | None:
    number = _text(quantity.get("value"))
    if number is None:
        return None
    unit = _text(quantity.get("unit")) or _text(quantity.get("code"))
    amount = f"{_text(quantity.get('comparator')) or ''}{number}"
    return amount if unit in (None, "1") else f"{amount} {unit}"


def _money(money: Mapping[str, Any]) -> str | None:
    return _joined(" ", _text(money.get("value")), _text(money.get("currency")))


def _range(element: Mapping[str, Any]) -> str | None:
    low, high = _part(element, "low", "Quantity"), _part(element, "high", "Quantity")
    if low and high:
        return f"{low} - {high}"
    return f"at least {low}" if low else f"at most {high}" if high else None


def _ratio(ratio: Mapping[str, Any]) -> str | None:
    return _joined(
        " / ", _part(ratio, "numerator", "Quantity"), _part(ratio, "denominator", "Quantity")
    )


def _period(period: Mapping[str, Any]) -> str | None:
    start, end = _text(period.get("start")), _text(period.get("end"))
    if start and end:
        return f"{start} to {end}"
    return f"from {start}" if start else f"until {end}" if end else None


def _human_name(name: Mapping[str, Any]) -> str | None:
    given, prefix, suffix = (_parts(name, part) for part in ("given", "prefix", "suffix"))
    whole = _joined(" ", *prefix, *given, _text(name.get("family")), *suffix)
    return _text(name.get("text")) or whole


def _address(address: Mapping[str, Any]) -> str | None:
    place = _joined(" ", _text(address.get("state")), _text(address.get("postalCode")))
    whole = _joined(
        ", ",
        *_parts(address, "line"),
        _text(address.get("city")),
        place,
        _text(address.get("country")),
    )
    return whole or _text(address.get("text"))


def _reference(reference: Mapping[str, Any]) -> str | None:
    return _text(reference.get("display")) or _text(reference.get("reference"))


def _narrative(narrative: Mapping[str, Any]) -> str | None:
    markup = _text(narrative.get("div")) or ""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split()) or None


def _timing(timing: Mapping[str, Any]) -> str | None:
    if code := _part(timing, "code", "CodeableConcept"):
        return code
    repeat = timing.get("repeat")
    if not isinstance(repeat, Mapping):
        return None
    return _joined(" ", _frequency(repeat), *_parts(repeat, "when"), *_parts(repeat, "timeOfDay"))


def _frequency(repeat: Mapping[str, Any]) -> str | None:
    period, unit = _text(repeat.get("period")), _UNITS.get(str(repeat.get("periodUnit")))
    if period is None or unit is None:
        return None
    times = _text(repeat.get("frequency")) or "1"
    once = Decimal(period) == 1
    if times == "1":
        return f"every {unit}" if once else f"every {period.removesuffix('.0')} {unit}s"
    return f"{times} times " + (f"a {unit}" if once else f"in {period.removesuffix('.0')} {unit}s")


def _dosage(dosage: Mapping[str, Any]) -> str | None:
    if text := _text(dosage.get("text")) or _text(dosage.get("patientInstruction")):
        return text
    dose = next((item for item in _list(dosage.get("doseAndRate")) if isinstance(item, dict)), {})
    needed = dosage.get("asNeededBoolean") is True or "asNeededCodeableConcept" in dosage
    return _joined(
        ", ",
        _part(dose, "doseQuantity", "Quantity") or _part(dose, "doseRange", "Range"),
        _part(dosage, "route", "CodeableConcept"),
        _part(dosage, "timing", "Timing"),
        "as needed" if needed else None,
    )


def _component(component: Mapping[str, Any]) -> str | None:
    values = [
        readable(component.get(f"value{kind[0].upper()}{kind[1:]}"), kind)
        for kind in _COMPONENT_VALUES
    ]
    value = next(filter(None, values), None) or _part(
        component, "dataAbsentReason", "CodeableConcept"
    )
    return _joined(": ", _part(component, "code", "CodeableConcept"), value)


def _reference_range(element: Mapping[str, Any]) -> str | None:
    return _text(element.get("text")) or _range(element)


def _member(name: str) -> Reader:
    return lambda element: _text(element.get(name))


_COMPONENT_VALUES = (
    "Quantity",
    "CodeableConcept",
    "string",
    "boolean",
    "integer",
    "Range",
    "Ratio",
    "time",
    "dateTime",
    "Period",
)

_READERS: dict[str, Reader] = {
    "Address": _address,
    "Age": _quantity,
    "Annotation": _member("text"),
    "Attachment": lambda element: _text(element.get("title")) or _text(element.get("url")),
    "CodeableConcept": _concept,
    "Coding": _coding,
    "ContactPoint": _member("value"),
    "Count": _quantity,
    "Distance": _quantity,
    "Dosage": _dosage,
    "Duration": _quantity,
    "HumanName": _human_name,
    "Identifier": _member("value"),
    "Money": _money,
    "Narrative": _narrative,
    "Observation.component": _component,
    "Observation.referenceRange": _reference_range,
    "Period": _period,
    "Quantity": _quantity,
    "Range": _range,
    "Ratio": _ratio,
    "Reference": _reference,
    "Timing": _timing,
}
