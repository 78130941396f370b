"""PatientBatch as XML: nothing is lost, nothing is empty, nothing dangerous is read."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from pydantic import ValidationError

from practicefusion_connector.errors import ConnectorError, InvalidResponse
from practicefusion_connector.medfusion import Patient, PatientBatch, read_batch, write_batch
from practicefusion_connector.medfusion.models import Device, Name, PatientIdentifier
from practicefusion_connector.medfusion.processing import read_receipt, read_status
from practicefusion_connector.medfusion.versions import VERSIONS, VersionName
from practicefusion_connector.sandbox.medfusion.schema import schema, valid_patients
from tests.leaks import everything_said
from tests.medfusion.strategies import batches

CANARY = "canary-7f3a"
FULL = Patient(
    patient_identifier=PatientIdentifier(practice_patient_id="P1", portal_patient_id="9"),
    name=Name(first_name="Alma", last_name="Castro"),
    date_of_birth=date(1980, 2, 29),
    gender="FEMALE",
    email_address="alma@mail.example",
)

slow_to_draw = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@slow_to_draw
@given(batches, st.sampled_from(sorted(VERSIONS)))
def test_a_batch_comes_back_as_it_was(batch: PatientBatch, version: VersionName) -> None:
    assert read_batch(write_batch(batch, version)) == batch


@slow_to_draw
@given(batches)
def test_no_element_is_written_empty(batch: PatientBatch) -> None:
    root = etree.fromstring(write_batch(batch))
    # One of several may be empty: how many there are must not change.
    empty = {n.tag for n in root.iter() if not len(n) and not n.text and not n.attrib}
    assert empty <= {"Patient", "KeyValuePair", etree.QName(root).text}


@slow_to_draw
@given(batches)
def test_as_json_it_comes_back_too(batch: PatientBatch) -> None:
    assert PatientBatch.model_validate(batch.to_dict()) == batch


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_each_version_has_its_own_names(version: VersionName) -> None:
    batch = PatientBatch(batch_size=1, patients=(FULL,))
    written = write_batch(batch, version)

    assert f'="{VERSIONS[version].namespace}"'.encode() in written
    assert f"<{VERSIONS[version].patient_id}>9<".encode() in written
    # The stand-in's schema was written without this code.
    assert schema(version).validate(etree.fromstring(written))
    assert len(valid_patients(written, version)) == 1
    assert read_batch(written) == batch


def test_elements_stand_in_the_order_of_the_schema() -> None:
    shuffled = Patient.model_validate(dict(reversed(FULL.to_dict().items())))
    written = write_batch(PatientBatch(batch_size=1, patients=(shuffled,))).decode()
    order = re.findall(r"<(PatientIdentifier|Name|DateOfBirth|Gender|EmailAddress)>", written)
    assert order == ["PatientIdentifier", "Name", "DateOfBirth", "Gender", "EmailAddress"]


def test_names_that_are_left_out_are_not_there() -> None:
    written = write_batch(PatientBatch(patients=(Patient(name=Name(first_name="A", suffix=" ")),)))
    assert b"MiddleName" not in written
    assert b"Suffix" not in written


def test_moments_are_written_with_their_zone() -> None:
    local = "2026-01-31T03:00:00-05:00"
    device = Device.model_validate(
        {"device_utc_time": "2026-01-31T08:00:00", "device_local_time": local}
    )
    written = write_batch(PatientBatch(sender=device, patients=(FULL,))).decode()
    assert 'deviceUTCTime="2026-01-31T08:00:00Z"' in written
    assert f'deviceLocalTime="{local}"' in written
    assert "<DateOfBirth>1980-02-29T12:00:00Z</DateOfBirth>" in written


@pytest.mark.parametrize(
    "written",
    ["1980-02-29T00:00:00Z", "1980-02-29T23:59:00-11:00", "1980-02-29T12:00:01", "1980-02-29"],
)
def test_a_birthday_is_the_day_that_is_written(written: str) -> None:
    assert Patient.model_validate({"date_of_birth": written}).date_of_birth == date(1980, 2, 29)


UNKNOWN = """<?xml version="1.0"?>
<q:PatientBatch xmlns:q="http://schema.intuit.com/health/patient/v2"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b">
  <New at="1">text<inner/>tail</New>
  <BatchSize>2</BatchSize>
  <Patient>
    <Name><MiddleName/><Nick>N</Nick><FirstName>F</FirstName><Second/><LastName>L</LastName></Name>
    <Tribe z="1"><deep>d</deep></Tribe>
  </Patient>
  <Patient><EmergencyContact><Name><Title>T</Title></Name></EmergencyContact></Patient>
</q:PatientBatch>"""


def test_unknown_elements_are_kept_in_their_places() -> None:
    batch = read_batch(UNKNOWN.encode())
    written = write_batch(batch, "v2").decode()

    assert '<New at="1">text<inner/>tail</New><BatchSize>2</BatchSize>' in written
    assert (
        "<Name><Nick>N</Nick><FirstName>F</FirstName><Second/><LastName>L</LastName></Name>"
        '<Tribe z="1"><deep>d</deep></Tribe>' in written
    )
    assert "<EmergencyContact><Name><Title>T</Title></Name></EmergencyContact>" in written
    assert read_batch(written.encode()) == batch


def test_any_version_and_any_prefix_is_read() -> None:
    text = (
        '<PatientBatch xmlns="http://schema.intuit.com/health/patient/v3"><Patient>'
        "<PatientIdentifier><MedfusionPatientId>7</MedfusionPatientId></PatientIdentifier>"
        "</Patient></PatientBatch>"
    )
    assert read_batch(text.encode()).patients[0].portal_patient_id == "7"


def bomb(levels: int = 12) -> bytes:
    names = [f"e{number}" for number in range(levels)]
    tens = {new: f"&{old};" * 10 for old, new in pairwise(names)}
    declared = "".join(f'<!ENTITY {name} "{text}">' for name, text in tens.items())
    head = f'<!DOCTYPE x [<!ENTITY e0 "{CANARY}">{declared}]>'
    return f"{head}<PatientBatch><BatchId>&{names[-1]};</BatchId></PatientBatch>".encode()


def batch_of(content: str) -> str:
    return f"<PatientBatch>{content}</PatientBatch>"


DANGEROUS: dict[str, str | bytes] = {
    "a billion laughs": bomb(),
    "one entity": f'<!DOCTYPE x [<!ENTITY a "{CANARY}">]>' + batch_of("&a;"),
    "a file": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + batch_of("&a;"),
    "a URL": '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><PatientBatch/>',
    "a parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]>'
    + batch_of(""),
    "a bare document type": "<!DOCTYPE PatientBatch><PatientBatch/>",
    "an undeclared entity": f"<PatientBatch><BatchId>&{CANARY};</BatchId></PatientBatch>",
    "nesting without end": "<a>" * 100_000,
    "half a document": f"<PatientBatch><BatchId>{CANARY}",
    "no XML": f'{{"{CANARY}": 1}}',
    "nothing": "",
    "another encoding than it says": b'<?xml version="1.0" encoding="utf-8"?><PatientBatch>\xff',
    "another root": f"<{CANARY}/>",
    "a wrong value": batch_of(f"<BatchSize>{CANARY}</BatchSize>"),
}


@pytest.mark.parametrize("name", DANGEROUS)
@pytest.mark.parametrize("read", [read_batch, read_receipt, read_status])
def test_what_is_dangerous_or_wrong_is_refused(name: str, read: Any) -> None:
    text = DANGEROUS[name]
    data = text if isinstance(text, bytes) else text.encode()
    if read is not read_batch and name in ("another root", "a wrong value"):
        read(data)  # these answers are read by what is in them
        return
    with pytest.raises(InvalidResponse) as refused:
        read(data)
    assert CANARY not in everything_said(refused.value)
    assert "root:" not in everything_said(refused.value)


def test_a_field_that_is_mistyped_is_refused_and_not_shown() -> None:
    with pytest.raises(ValidationError) as refused:
        Patient.model_validate({"name": {"frist_name": CANARY}})
    assert "frist_name" in str(refused.value)
    assert CANARY not in str(refused.value)
    with pytest.raises(ValidationError) as refused:
        Name(first_name=f"{CANARY}\x00")
    assert CANARY not in str(refused.value)


def test_no_repr_shows_a_patient() -> None:
    batch = PatientBatch(patients=(Patient(name=Name(first_name=CANARY), race=CANARY),))
    assert CANARY not in f"{batch!r} {batch} {batch.patients!r} {batch.patients[0].name}"
    assert CANARY not in repr(
        read_batch(f"<PatientBatch><X>{CANARY}</X></PatientBatch>".encode()).unknown
    )


def test_answers_about_processing_are_read_by_their_names() -> None:
    receipt = read_receipt(
        b"<n:ProcessingResponse xmlns:n='u'><dataJobId>j</dataJobId><message><messageId> a "
        b"</messageId></message><messageId>b</messageId></n:ProcessingResponse>"
    )
    assert (receipt.job_id, receipt.message_ids) == ("j", ("a", "b"))
    messages = read_status(
        b"<r><m messageId='a'><State>COMPLETED</State></m><m><MessageId>b</MessageId>"
        b"<State>ERROR</State><Error>No  mail</Error></m>"
        b"<m id='c'><State>QUEUED</State><Error>x</Error></m></r>"
    )
    assert [(m.message_id, m.state, m.error) for m in messages] == [
        ("a", "completed", None),
        ("b", "failed", "No mail"),
        ("c", "pending", None),
    ]


def test_a_document_that_is_far_too_long_is_refused() -> None:
    with pytest.raises(ConnectorError) as refused:
        read_batch(b" " * (32 * 1024 * 1024 + 1))
    assert refused.value.code == "response_too_large"
