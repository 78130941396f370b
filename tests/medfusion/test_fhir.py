"""Medfusion's Patient as FHIR and back: nothing that both sides know is lost or invented."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from fhir.resources.R4B.coverage import Coverage
from fhir.resources.R4B.patient import Patient as FhirPatient
from hypothesis import HealthCheck, given, settings

from practicefusion_connector.medfusion import Patient, coverages, from_fhir, to_fhir
from practicefusion_connector.medfusion.invitation import invitation
from practicefusion_connector.medfusion.models import (
    Address,
    Billing,
    EmergencyContact,
    Employment,
    Guarantor,
    Insurance,
    Name,
    PatientIdentifier,
    PracticeIdentifier,
)
from practicefusion_connector.sandbox import Sandbox
from tests.medfusion.strategies import patients

HOME = Address(
    line1="1 Mill Road", line2="Apt 2", city="Springfield", state="IL", country="US", zip_code="1"
)
FULL = Patient(
    patient_identifier=PatientIdentifier(
        practice_patient_id="MRN-1", patient_account_number="A-1", portal_patient_id="20001"
    ),
    practice_identifier=PracticeIdentifier(portal_practice_id="uuid"),
    status="REGISTERED",
    last_update_date=datetime(2026, 1, 31, 8, 0, 0, 250_000, tzinfo=UTC),
    name=Name(prefix="Dr", first_name="Alma", middle_name="B.", last_name="Castro", suffix="Jr"),
    date_of_birth=date(1980, 2, 29),
    race="White",
    ethnicity="Hispanic or Latino",
    gender="FEMALE",
    preferred_language="Spanish",
    social_security_number="123456789",
    email_address="alma@mail.example",
    home_address=HOME,
    work_address=Address(line1="9 Office Park", city="Springfield"),
    home_phone="217-555-0101",
    mobile_phone="217-555-0102",
    work_phone="217-555-0103",
    marital_status="SINGLE",
    emergency_contact=EmergencyContact(
        name=Name(first_name="Boris", last_name="Castro"),
        address=HOME,
        phone="217-555-0104",
        email_address="boris@mail.example",
    ),
    employment=Employment(name="Works Inc.", address=HOME, phone="217-555-0105"),
    billing=Billing(
        guarantor=Guarantor(
            name=Name(first_name="Celia", last_name="Castro"),
            address=HOME,
            phone="217-555-0106",
            email="celia@mail.example",
            patient_relation_to_guarantor="CHILD",
        )
    ),
    primary_insurance=Insurance(
        company_name="Payer One",
        plan_name="Gold",
        group_number="G-1",
        policy_number="P-1",
        effective_date=date(2025, 1, 1),
        expiration_date=date(2026, 12, 31),
        copay="20.5",
        member_id="M-1",
        payer_id="60054",
        subscriber_id="S-1",
        subscriber_name=Name(first_name="Celia", last_name="Castro"),
        patient_relation_to_subscriber="CHILD",
    ),
    tertiary_insurance=Insurance(company_name="Payer Three"),
)


def test_everything_both_sides_know_survives_the_way_there_and_back() -> None:
    # Coverages have an order and no third place without a second.
    moved = FULL.model_copy(
        update={"secondary_insurance": FULL.tertiary_insurance, "tertiary_insurance": None}
    )
    assert from_fhir(to_fhir(FULL), coverages(FULL)) == moved


def test_the_resources_are_valid_fhir() -> None:
    FhirPatient.model_validate(to_fhir(FULL))
    for coverage in coverages(FULL, {"reference": "Patient/1"}):
        Coverage.model_validate(coverage)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(patients)
def test_whatever_a_portal_says_becomes_valid_fhir_that_stays_the_same(patient: Patient) -> None:
    resource = to_fhir(patient)
    FhirPatient.model_validate(resource)
    there = from_fhir(resource)
    assert from_fhir(to_fhir(there)) == there
    for coverage in coverages(patient, {"reference": "Patient/1"}):
        Coverage.model_validate(coverage)


def test_the_fields_are_where_fhir_has_them() -> None:
    resource = to_fhir(FULL)
    assert resource["meta"] == {
        "lastUpdated": "2026-01-31T08:00:00.250000Z",
        "tag": [{"system": "urn:practicefusion-connector:medfusion:status", "code": "REGISTERED"}],
    }
    assert resource["active"] is True
    assert resource["name"][0]["given"] == ["Alma", "B."]
    assert resource["address"][0]["line"] == ["1 Mill Road", "Apt 2"]
    roles = [contact["relationship"][0]["coding"][0]["code"] for contact in resource["contact"]]
    assert roles == ["C", "E", "BP"]
    primary, tertiary = coverages(FULL)
    assert (primary["order"], tertiary["order"]) == (1, 3)
    assert primary["costToBeneficiary"][0]["valueMoney"] == {"value": 20.5, "currency": "USD"}


@pytest.mark.parametrize(
    ("status", "active"),
    [("PROVISIONED", True), ("DEACTIVATED", False), ("deleted", False), ("NEW", None)],
)
def test_who_may_not_sign_in_is_not_active(status: str, active: bool | None) -> None:
    assert to_fhir(Patient(status=status)).get("active") is active


def test_a_patient_of_the_practice_can_be_invited_as_found(running: Sandbox) -> None:
    for resource in running.resources["Patient"].values():
        patient = invitation(resource)
        assert patient.practice_patient_id == resource["identifier"][0]["value"]
        assert patient.name is not None
        assert patient.name.last_name == resource["name"][0]["family"]
        assert str(patient.date_of_birth) == resource["birthDate"]
        assert patient.gender == resource["gender"].upper()
        assert patient.email_address in [point["value"] for point in resource["telecom"]]
        assert patient.home_address is not None
        assert patient.home_address.zip_code == resource["address"][0]["postalCode"]
        # The chart's own time and version say nothing about the portal.
        assert patient.last_update_date is None
        assert patient.status is None


@pytest.mark.parametrize(
    ("changed", "field", "expected"),
    [
        ({"birthDate": "1980"}, "date_of_birth", None),
        ({"identifier": []}, "practice_patient_id", "id-1"),
        ({"telecom": [{"system": "phone", "value": "1"}]}, "home_phone", "1"),
        (
            {"telecom": [{"system": "phone", "use": "old", "value": "1"}]},
            "home_phone",
            None,
        ),
        (
            {"communication": [{"language": {"coding": [{"code": "es"}]}}]},
            "preferred_language",
            "es",
        ),
        ({"name": "wrong", "address": {}, "contact": [1], "meta": 3}, "name", None),
    ],
)
def test_what_charts_hold_besides_is_taken_as_far_as_it_goes(
    changed: dict[str, Any], field: str, expected: str | None
) -> None:
    resource = {"resourceType": "Patient", "id": "id-1", "name": [{"text": "Alma"}]} | changed
    assert getattr(from_fhir(resource), field) == expected
