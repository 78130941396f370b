"""Medfusion's three insurances as FHIR R4 Coverages, and back, as far as the two agree.

The claims address and phone, and the subscriber's birth date and social security number, have no
place in a Coverage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from practicefusion_connector.medfusion.models import Insurance, Name, Patient

Json = dict[str, Any]

FIELDS = ("primary_insurance", "secondary_insurance", "tertiary_insurance")
_CLASS = "http://terminology.hl7.org/CodeSystem/coverage-class"
_IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
_COPAY = "http://terminology.hl7.org/CodeSystem/coverage-copay-type"


def coverages(patient: Patient, beneficiary: Mapping[str, Any] | None = None) -> list[Json]:
    """Return the patient's insurances, `order` 1 being the primary one.

    Args:
        beneficiary: a Reference to the patient; left out, one by the practice's own id.
    """
    whom = dict(beneficiary or {"identifier": {"value": patient.practice_patient_id}})
    return [
        _coverage(insurance, order, whom)
        for order, field in enumerate(FIELDS, start=1)
        if (insurance := getattr(patient, field))
    ]


def insurances(listed: Iterable[Mapping[str, Any]]) -> dict[str, Insurance]:
    """Return the insurances of Coverages by field; their `order` says which is which."""
    ordered = sorted(listed, key=lambda one: one.get("order") or len(FIELDS))
    return {field: _insurance(one) for field, one in zip(FIELDS, ordered, strict=False)}


def _coverage(insurance: Insurance, order: int, beneficiary: Json) -> Json:
    dates = insurance.to_dict()
    period = {"start": dates.get("effective_date"), "end": dates.get("expiration_date")}
    payer = {
        "display": insurance.company_name,
        "identifier": {"value": insurance.payer_id} if insurance.payer_id else None,
    }
    classes = (("group", insurance.group_number), ("plan", insurance.plan_name))
    relation = insurance.patient_relation_to_subscriber
    resource = {
        "resourceType": "Coverage",
        "identifier": [
            _identifier(code, value)
            for code, value in (("MB", insurance.member_id), ("PLAC", insurance.policy_number))
            if value
        ],
        "status": "active",
        "subscriber": _subscriber(insurance.subscriber_name),
        "subscriberId": insurance.subscriber_id,
        "beneficiary": beneficiary,
        "relationship": {"text": relation} if relation else None,
        "period": _filled(period),
        "payor": [_filled(payer) or {"display": "not known"}],
        "class": [
            {"type": {"coding": [{"system": _CLASS, "code": code}]}, "value": value}
            for code, value in classes
            if value
        ],
        "order": order,
        "costToBeneficiary": _copay(insurance.copay),
    }
    return _filled(resource)


def _insurance(coverage: Mapping[str, Any]) -> Insurance:
    payer = (coverage.get("payor") or [{}])[0]
    classes = {
        coding.get("code"): one.get("value")
        for one in coverage.get("class") or ()
        for coding in one.get("type", {}).get("coding") or ()
    }
    numbers = {
        coding.get("code"): one.get("value")
        for one in coverage.get("identifier") or ()
        for coding in one.get("type", {}).get("coding") or ()
    }
    costs = coverage.get("costToBeneficiary") or [{}]
    copay = costs[0].get("valueMoney", {}).get("value")
    period = coverage.get("period") or {}
    return Insurance(
        company_name=payer.get("display"),
        plan_name=classes.get("plan"),
        group_number=classes.get("group"),
        policy_number=numbers.get("PLAC"),
        effective_date=period.get("start"),
        expiration_date=period.get("end"),
        copay=None if copay is None else str(copay),
        member_id=numbers.get("MB"),
        payer_id=payer.get("identifier", {}).get("value"),
        subscriber_id=coverage.get("subscriberId"),
        subscriber_name=_name((coverage.get("subscriber") or {}).get("display")),
        patient_relation_to_subscriber=(coverage.get("relationship") or {}).get("text"),
    )


def _identifier(code: str, value: str) -> Json:
    return {"type": {"coding": [{"system": _IDENTIFIER_TYPE, "code": code}]}, "value": value}


def _subscriber(name: Name | None) -> Json | None:
    parts = [name.first_name, name.middle_name, name.last_name, name.suffix] if name else []
    display = " ".join(part for part in parts if part)
    return {"display": display} if display else None


def _name(display: str | None) -> Name | None:
    """Return a name from one line: how many of its words are the last name, nobody can tell."""
    if not display:
        return None
    first, _, last = display.rpartition(" ")
    return Name(first_name=first, last_name=last)


def _copay(text: str | None) -> list[Json]:
    try:
        amount = Decimal((text or "").lstrip("$ "))
    except InvalidOperation:
        return []
    kind = {"coding": [{"system": _COPAY, "code": "copay"}]}
    return [{"type": kind, "valueMoney": {"value": float(amount), "currency": "USD"}}]


def _filled(fields: Mapping[str, Any]) -> Json:
    return {name: value for name, value in fields.items() if value not in (None, [], {}, "")}
