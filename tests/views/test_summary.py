"""The shipped summary views: complete, readable, filled wherever a resource has the data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector.fhir.views import (
    ViewError,
    load_view,
    rows,
    shipped_definition,
    summarized,
)
from practicefusion_connector.fhir.views.expression import Expression
from tests.views.complete import RESOURCES
from tests.views.places import bulk, examples

TYPES = {"string", "decimal", "integer", "boolean", "date", "dateTime", "code", "uri"}

# Column -> an element that, where a resource has it, implies that the column is filled.
# `[name=value]` keeps the elements whose member has that value.
MAPPED = {"id": "id", "last_updated": "meta.lastUpdated"}
SUBJECT = {"patient_id": "subject.reference", "patient": "subject.display"}
CODE = {"code": "code.coding.code", "display": "code.coding.display"}
ENCOUNTER = {"encounter_id": "encounter.reference"}
IMPLIED: dict[str, dict[str, str]] = {
    "AllergyIntolerance": {
        "patient_id": "patient.reference",
        **CODE,
        "clinical_status": "clinicalStatus.coding.code",
        "verification_status": "verificationStatus.coding.code",
        "category": "category",
        "criticality": "criticality",
        "reactions": "reaction.manifestation.coding",
        "recorded_date": "recordedDate",
    },
    "CarePlan": {
        **SUBJECT,
        "status": "status",
        "intent": "intent",
        "category": "category.coding",
        "text": "text.div",
    },
    "CareTeam": {
        **SUBJECT,
        "status": "status",
        "name": "name",
        "members": "participant.member",
        "roles": "participant.role",
    },
    "Condition": {
        **SUBJECT,
        **CODE,
        **ENCOUNTER,
        "clinical_status": "clinicalStatus.coding.code",
        "verification_status": "verificationStatus.coding.code",
        "category": "category",
        "onset_date": "onsetDateTime",
        "abatement_date": "abatementDateTime",
        "recorded_date": "recordedDate",
    },
    "Device": {
        "patient_id": "patient.reference",
        "status": "status",
        "type": "type",
        "name": "deviceName.name",
        "serial_number": "serialNumber",
        "lot_number": "lotNumber",
        "udi": "udiCarrier.carrierHRF",
        "expiration_date": "expirationDate",
    },
    "DiagnosticReport": {
        **SUBJECT,
        **CODE,
        "status": "status",
        "category": "category",
        "date": "effectiveDateTime",
        "issued": "issued",
        "result_ids": "result.reference",
        "attachment_type": "presentedForm.contentType",
    },
    "DocumentReference": {
        **SUBJECT,
        "status": "status",
        "type": "type.coding.display",
        "category": "category",
        "date": "date",
        "content_type": "content.attachment.contentType",
        "url": "content.attachment.url",
        "author": "author.display",
        "encounter_id": "context.encounter.reference",
    },
    "Encounter": {
        **SUBJECT,
        "status": "status",
        "class_code": "class.code",
        "class": "class.code",
        "type": "type.coding",
        "start": "period.start",
        "end": "period.end",
        "reason": "reasonCode",
        "practitioner": "participant.individual.display",
        "location": "location.location.display",
        "service_provider": "serviceProvider.display",
    },
    "Goal": {
        **SUBJECT,
        "lifecycle_status": "lifecycleStatus",
        "description": "description",
        "due_date": "target.dueDate",
    },
    "Immunization": {
        **ENCOUNTER,
        "patient_id": "patient.reference",
        "status": "status",
        "vaccine_code": "vaccineCode.coding.code",
        "vaccine": "vaccineCode",
        "date": "occurrenceDateTime",
        "location": "location.display",
    },
    "MedicationRequest": {
        **SUBJECT,
        **ENCOUNTER,
        "medication": "medicationCodeableConcept",
        "medication_code": "medicationCodeableConcept.coding.code",
        "status": "status",
        "intent": "intent",
        "dosage": "dosageInstruction.text",
        "authored_on": "authoredOn",
        "requester": "requester.display",
        "reason": "reasonReference.display",
        "refills": "dispenseRequest.numberOfRepeatsAllowed",
    },
    "Observation": {
        **SUBJECT,
        **CODE,
        "status": "status",
        "category": "category",
        "date": "effectiveDateTime",
        "value": "valueQuantity.value",
        "value_number": "valueQuantity.value",
        "unit": "valueQuantity.unit",
        "value_code": "valueCodeableConcept.coding.code",
        "reference_range_text": "referenceRange.low",
        "components": "component",
        "interpretation": "interpretation",
        "encounter_id": "encounter.reference",
    },
    "Organization": {
        "name": "name",
        "active": "active",
        "type": "type.coding.display",
        "phone": "telecom[system=phone].value",
        "address": "address.line",
        "city": "address.city",
        "postal_code": "address.postalCode",
    },
    "Patient": {
        "name": "name.family",
        "family": "name.family",
        "given": "name.given",
        "birth_date": "birthDate",
        "gender": "gender",
        "phone": "telecom[system=phone].value",
        "email": "telecom[system=email].value",
        "address": "address.line",
        "city": "address.city",
        "state": "address.state",
        "language": "communication.language",
        "marital_status": "maritalStatus",
        "deceased_date": "deceasedDateTime",
        "race": "extension[url=http://hl7.org/fhir/us/core/StructureDefinition/us-core-race]",
    },
    "Practitioner": {
        "name": "name.family",
        "npi": "identifier[system=http://hl7.org/fhir/sid/us-npi].value",
        "email": "telecom[system=email].value",
        "address": "address.line",
    },
    "Procedure": {
        **SUBJECT,
        **ENCOUNTER,
        **CODE,
        "status": "status",
        "date": "performedPeriod.start",
        "end_date": "performedPeriod.end",
        "performer_id": "performer.actor.reference",
        "location": "location.display",
        "reason": "reasonReference.display",
    },
    "Provenance": {
        "target": "target.reference",
        "recorded": "recorded",
        "agent_id": "agent.who.reference",
        "agent_type": "agent.type",
        "entities": "entity.what",
    },
}


def _elements(data: object, path: str) -> Iterator[object]:
    """Yield what a resource has at a path; lists are walked through."""
    if isinstance(data, list):
        for item in data:
            yield from _elements(item, path)
    elif not path:
        yield data
    elif isinstance(data, dict):
        name, condition, rest = re.match(r"(\w+)(?:\[(.+?)\])?(?:\.(.+))?$", path).groups()  # type: ignore[union-attr]
        found = data.get(name, [])
        if condition:
            member, _, value = condition.partition("=")
            found = [item for item in found if item.get(member) == value]
        yield from _elements(found, rest or "")


def test_the_seventeen_resource_types_have_a_view() -> None:
    assert summarized() == sorted(IMPLIED)


@pytest.mark.parametrize("resource", summarized())
def test_columns_are_typed_described_and_begin_with_the_id(resource: str) -> None:
    view = load_view(resource)
    assert view.columns[0].name == "id"
    assert view.columns[-1].name == "last_updated"
    for column in view.columns:
        assert column.type in TYPES, column.name
        assert column.description.endswith("."), column.name
        assert re.fullmatch(r"[a-z][a-z_]*", column.name)
        assert not column.collection


@pytest.mark.parametrize("resource", summarized())
def test_a_complete_resource_fills_every_column(resource: str) -> None:
    found = list(rows(resource, RESOURCES))
    names = [column.name for column in load_view(resource).columns]
    assert [name for name in names if all(row[name] in (None, "") for row in found)] == []
    assert len(found) == len([each for each in RESOURCES if each["resourceType"] == resource])


FHIR_TYPES = {
    "id": "string",
    "instant": "dateTime",
    "markdown": "string",
    "unsignedInt": "integer",
    "url": "uri",
    "System.Boolean": "boolean",
    "System.String": "string",
}


@pytest.mark.parametrize("resource", summarized())
def test_a_column_states_the_type_of_its_element(resource: str) -> None:
    definition = shipped_definition(resource)
    constants = {each["name"]: each["valueUri"] for each in definition.get("constant", [])}
    for column in definition["select"][0]["column"]:
        found = Expression(column["path"], resource, constants).type
        # A choice between several types, as coalesce() gives it, is what the column says it is.
        if found != "System.Any":
            assert FHIR_TYPES.get(str(found), found) == column["type"], column["name"]


PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "decimal": (int, float),
    "integer": (int,),
    "boolean": (bool,),
}


@pytest.mark.parametrize("resource", summarized())
def test_values_are_of_the_type_the_column_states(resource: str) -> None:
    for row in rows(resource, [*RESOURCES, *examples()]):
        for column in load_view(resource).columns:
            value = row[column.name]
            wanted = PYTHON_TYPES.get(column.type, (str,))
            assert value is None or isinstance(value, wanted), column.name
            assert not isinstance(value, bool) or column.type == "boolean", column.name


def test_named_columns_are_filled_wherever_the_resource_has_the_data(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = []
    for resource, implied in IMPLIED.items():
        mine = [
            each
            for each in [*RESOURCES, *examples(), *bulk(200)]
            if each["resourceType"] == resource
        ]
        found = list(rows(resource, mine))
        for column, path in (MAPPED | implied).items():
            for each, row in zip(mine, found, strict=True):
                has = any(value not in (None, "") for value in _elements(each, path))
                assert row[column] not in (None, "") or not has, (resource, column, path)
        rates = {
            name: round(100 * sum(row[name] is not None for row in found) / len(found))
            for name in found[0]
        }
        shown = "  ".join(f"{name} {rate}" for name, rate in rates.items())
        lines.append(f"{resource} ({len(found)} rows): {shown}")
    with capsys.disabled():
        print("\nfill rates of the summary views, in percent of rows:", *lines, sep="\n  ")  # noqa: T201


def _row(resource: str, key: str) -> dict[str, Any]:
    return next(row for row in rows(resource, RESOURCES) if row["id"] == key)


def test_an_observation_reads_without_knowing_fhir() -> None:
    row = _row("Observation", "glucose")
    assert row["display"] == "Glucose"  # and not the dates and names packed into code.text
    assert row["value"] == ">6.3 mmol/L"
    assert (row["value_number"], row["unit"]) == (6.3, "mmol/L")
    assert row["reference_range_text"] == "3.1 mmol/L - 6.2 mmol/L"
    assert (row["patient_id"], row["patient"]) == ("p1", "Ada Example")
    assert (row["performer_id"], row["performer"]) == ("d1", "Dr. Bo Sample")


def test_a_blood_pressure_shows_both_pressures_whatever_their_order() -> None:
    row = _row("Observation", "pressure")
    assert (row["systolic"], row["diastolic"]) == (120, 80)
    assert row["components"] == (
        "Diastolic blood pressure: 80 mmHg; Systolic blood pressure: 120 mmHg; Posture: Unknown"
    )
    assert row["date"] == "2026-01-02"


def test_a_concept_falls_back_to_its_text() -> None:
    assert _row("Observation", "smoking")["display"] == "Smoking"
    assert _row("Condition", "c1")["verification_status"] == "confirmed"


def test_a_patient_is_shown_by_what_is_in_use() -> None:
    row = _row("Patient", "p1")
    assert row["name"] == "Ms. Ada Bea Example"
    assert (row["mrn"], row["phone"], row["language"]) == ("AB123456", "555-0101", "English")
    assert row["address"] == "1 Main St, Apt 2, Springfield, IL 62701, US"
    assert row["deceased"] is True


def test_a_medication_is_named_however_it_is_given() -> None:
    names = [row["medication"] for row in rows("MedicationRequest", RESOURCES)]
    assert names == ["lisinopril 10 MG Oral Tablet", "Contained syrup", "Referenced syrup"]
    dosage = _row("MedicationRequest", "m1")["dosage"]
    assert dosage == "1 tablet, Oral, 2 times a day, as needed"


def test_a_plan_is_its_text_without_markup() -> None:
    assert _row("CarePlan", "cp1")["text"] == "Eat & walk"


# --- a user's own columns -------------------------------------------------------------------


CHANGES = {
    "resource": "Patient",
    "constant": [{"name": "site", "valueString": "Springfield"}],
    "select": [
        {
            "column": [
                {"name": "phone", "path": "telecom.where(system = 'fax').value.first()"},
                {"name": "here", "path": "address.city contains %site", "type": "boolean"},
            ]
        }
    ],
}


@pytest.mark.parametrize("form", ["mapping", "file", "folder"])
def test_a_user_changes_and_adds_columns(form: str, tmp_path: Path) -> None:
    file = tmp_path / "Patient.json"
    file.write_text(json.dumps(CHANGES), encoding="utf-8")
    overrides = {"mapping": CHANGES, "file": file, "folder": tmp_path}[form]
    view = load_view("Patient", overrides)  # type: ignore[arg-type]
    shipped = [column.name for column in load_view("Patient").columns]
    assert [column.name for column in view.columns] == [*shipped, "here"]
    (row,) = view.rows(RESOURCES)
    assert (row["phone"], row["here"], row["family"]) == ("555-0102", True, "Example")
    assert _row("Patient", "p1")["phone"] == "555-0101"


def test_a_folder_without_a_file_for_the_type_changes_nothing(tmp_path: Path) -> None:
    assert load_view("Goal", tmp_path) is load_view("Goal")


def test_a_user_may_add_rows_for_each_element() -> None:
    select = [{"forEach": "telecom", "column": [{"name": "kind", "path": "system"}]}]
    found = list(rows("Patient", RESOURCES, {"select": select}))
    assert [row["kind"] for row in found] == ["phone", "phone", "fax", "email"]
    assert {row["id"] for row in found} == {"p1"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a JSON object"),
        ('{"resource": "Goal"}', "is one of Goal"),
        ('{"select": {"column": []}}', "select: "),
        ('{"select": [{"column": [{"name": "x", "path": "id.("}]}]}', 'column "x"'),
        ('{"select": [{"column": [5]}]}', "column"),
        ('{"select": [{"column": 5}]}', "column"),
        ('{"constant": 5}', "constant"),
    ],
)
def test_a_wrong_file_is_refused_with_a_sentence(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ViewError, match=re.escape(words)):
        load_view("Patient", file)


def test_a_missing_file_and_an_unknown_type_are_named(tmp_path: Path) -> None:
    with pytest.raises(ViewError, match=r"absent\.json cannot be read"):
        load_view("Patient", tmp_path / "absent.json")
    with pytest.raises(ViewError, match=r"'Media'.*Patient"):
        load_view("Media")
    with pytest.raises(ViewError, match="no summary view"):
        shipped_definition("../catalog")
