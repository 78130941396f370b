"""Medfusion's three insurances as FHIR R4 Coverages, and back, as far as the two agree.

The claims address and phone, and the subscriber's birth date and social security number, have no
place in a Coverage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from practicefusion_connector.medfusion.elements import Json, as_dict, as_dicts, filled, text_of
from practicefusion_connector.medfusion.models import Insurance, Name, Patient

FIELDS = ("primary_insurance", "secondary_insurance", "tertiary_insurance")
_CLASS = "http://terminology.hl7.org/CodeSystem/coverage-class"
_IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
_MEMBER: Json = {"coding": [{"system": _IDENTIFIER_TYPE, "code": "MB"}]}
_POLICY: Json = {"text": "Policy number"}
_NO_PAYER: Json = {"display": "not known"}
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
            {"type": kind, "value": value}
            for kind, value in ((_MEMBER, insurance.member_id), (_POLICY, insurance.policy_number))
            if value
        ],
        "status": "active",
        "subscriber": _subscriber(insurance.subscriber_name),
        "subscriberId": insurance.subscriber_id,
        "beneficiary": beneficiary,
        "relationship": {"text": relation} if relation else None,
        "period": filled(period),
        "payor": [filled(payer) or _NO_PAYER],
        "class": [
            {"type": {"coding": [{"system": _CLASS, "code": code}]}, "value": value}
            for code, value in classes
            if value
        ],
        "order": order,
        "costToBeneficiary": _copay(insurance.copay),
    }
    return filled(resource)


def _insurance(coverage: Mapping[str, Any]) -> Insurance:
    payer = next(iter(as_dicts(coverage.get("payor"))), {})
    payer = {} if payer == _NO_PAYER else payer
    classes = {
        coding.get("code"): one.get("value")
        for one in as_dicts(coverage.get("class"))
        for coding in as_dicts(as_dict(one.get("type")).get("coding"))
    }
    numbers = {
        text_of(one.get("type")): one.get("value") for one in as_dicts(coverage.get("identifier"))
    }
    cost = next(iter(as_dicts(coverage.get("costToBeneficiary"))), {})
    copay = as_dict(cost.get("valueMoney")).get("value")
    period = as_dict(coverage.get("period"))
    return Insurance(
        company_name=payer.get("display"),
        plan_name=classes.get("plan"),
        group_number=classes.get("group"),
        policy_number=numbers.get(text_of(_POLICY)),
        effective_date=period.get("start"),
        expiration_date=period.get("end"),
        copay=None if copay is None else str(copay),
        member_id=numbers.get(text_of(_MEMBER)),
        payer_id=as_dict(payer.get("identifier")).get("value"),
        subscriber_id=coverage.get("subscriberId"),
        subscriber_name=_name(as_dict(coverage.get("subscriber")).get("display")),
        patient_relation_to_subscriber=as_dict(coverage.get("relationship")).get("text"),
    )


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
