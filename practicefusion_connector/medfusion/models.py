"""Medfusion's PatientBatch as pydantic models: what its elements are, in document order.

The models know element names and value types. Versions, namespaces and the safe reading and
writing of XML are in `xml`; what an invitation must hold is in `invitation`. No repr shows content:
all of it is about patients.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic.alias_generators import to_pascal
from pydantic_xml import BaseXmlModel, NoXml, attr, element
from pydantic_xml.element.element import SearchMode

# What XML 1.0 §2.2 has no way to write, not even escaped.
_NO_XML_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _writable(text: str) -> str:
    if _NO_XML_CHARACTER.search(text):
        raise ValueError("it has a control character in it; take it out")
    return text


def _zoned(moment: Any) -> Any:
    """Return a moment without a zone as UTC, which is what Medfusion means by it."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return moment
    if isinstance(moment, datetime) and moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment


def _day_as_written(day: Any) -> Any:
    # A date of birth is a day: converting its zone would move some people's birthdays.
    if isinstance(day, str) and re.match(r"\d{4}-\d{2}-\d{2}T", day):
        return day[:10]
    return day.date() if isinstance(day, datetime) else day


def _is_empty(value: Any) -> bool:
    """Say whether a value is blank text, or an element with nothing in it."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, Element):
        return value == type(value)()
    return isinstance(value, Mapping) and all(map(_is_empty, value.values()))


Text = Annotated[str, AfterValidator(_writable)]
Day = Annotated[date, BeforeValidator(_day_as_written)]
Moment = Annotated[AwareDatetime, BeforeValidator(_zoned)]


class Unknown(BaseModel):
    """An element this library does not know, kept as it was.

    Attributes:
        after: the element it came behind; `None` where it was its parent's first.
        xml: the element itself.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    after: str | None
    xml: str = Field(repr=False)


class Element(BaseXmlModel, search_mode=SearchMode.UNORDERED):
    """Base of all: names as Medfusion writes them, blank text is none, unknown elements kept."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        alias_generator=to_pascal,
        populate_by_name=True,
        str_strip_whitespace=True,
    )

    unknown: Annotated[tuple[Unknown, ...], NoXml] = ()

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, fields: Any) -> Any:
        if not isinstance(fields, Mapping):
            return fields
        return {name: value for name, value in fields.items() if not _is_empty(value)}

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    __str__ = __repr__

    def to_dict(self) -> dict[str, Any]:
        """Return the element as JSON-ready data, what is not there left out."""
        return self.model_dump(mode="json", by_alias=False, exclude_defaults=True)


class Name(Element):
    """A person's name."""

    prefix: Text | None = element(default=None)
    first_name: Text | None = element(default=None)
    middle_name: Text | None = element(default=None)
    last_name: Text | None = element(default=None)
    suffix: Text | None = element(default=None)


class Address(Element):
    """A postal address."""

    line1: Text | None = element(default=None)
    line2: Text | None = element(default=None)
    city: Text | None = element(default=None)
    state: Text | None = element(default=None)
    country: Text | None = element(default=None)
    zip_code: Text | None = element(default=None)


class PatientIdentifier(Element):
    """Who the patient is to the practice (its own id, the MRN) and to the portal.

    `portal_patient_id` is IntuitPatientId or MedfusionPatientId, by version.
    """

    practice_patient_id: Text | None = element(default=None)
    patient_account_number: Text | None = element(default=None)
    portal_patient_id: Text | None = element(default=None)


class PracticeIdentifier(Element):
    """The practice; its portal id is IntuitPracticeId or IntegrationPracticeId, by version."""

    practice_id: Text | None = element(default=None)
    portal_practice_id: Text | None = element(default=None)


class EmergencyContact(Element):
    """Whom to call."""

    name: Name | None = None
    address: Address | None = None
    phone: Text | None = element(default=None)
    email_address: Text | None = element(default=None)


class Employment(Element):
    """The patient's employer."""

    name: Text | None = element(default=None)
    address: Address | None = None
    phone: Text | None = element(default=None)


class Guarantor(Element):
    """Who pays."""

    name: Name | None = None
    date_of_birth: Day | None = element(default=None)
    social_security_number: Text | None = element(default=None)
    address: Address | None = None
    phone: Text | None = element(default=None)
    email: Text | None = element(default=None)
    patient_relation_to_guarantor: Text | None = element(default=None)


class Billing(Element):
    """The patient's account with the practice."""

    account_number: Text | None = element(default=None)
    guarantor: Guarantor | None = None


class Insurance(Element):
    """One insurance."""

    company_name: Text | None = element(default=None)
    plan_name: Text | None = element(default=None)
    group_number: Text | None = element(default=None)
    policy_number: Text | None = element(default=None)
    effective_date: Day | None = element(default=None)
    expiration_date: Day | None = element(default=None)
    copay: Text | None = element(default=None)
    claims_address: Address | None = None
    claims_phone: Text | None = element(default=None)
    member_id: Text | None = element(default=None)
    payer_id: Text | None = element(default=None)
    subscriber_id: Text | None = element(default=None)
    subscriber_name: Name | None = None
    subscriber_date_of_birth: Day | None = element(default=None)
    subscriber_social_security_number: Text | None = element(default=None)
    patient_relation_to_subscriber: Text | None = element(default=None)


class Patient(Element):
    """One patient; `status` is PROVISIONED, REGISTERED, DEACTIVATED or DELETED in answers."""

    patient_identifier: PatientIdentifier | None = None
    practice_identifier: PracticeIdentifier | None = None
    status: Text | None = element(default=None)
    last_update_date: Moment | None = element(default=None)
    resource_request_id: Text | None = element(default=None)
    name: Name | None = None
    date_of_birth: Day | None = element(default=None)
    race: Text | None = element(default=None)
    ethnicity: Text | None = element(default=None)
    gender: Text | None = element(default=None)
    preferred_language: Text | None = element(default=None)
    preferred_communication: Text | None = element(default=None)
    social_security_number: Text | None = element(default=None)
    email_address: Text | None = element(default=None)
    home_address: Address | None = None
    work_address: Address | None = None
    home_phone: Text | None = element(default=None)
    mobile_phone: Text | None = element(default=None)
    work_phone: Text | None = element(default=None)
    marital_status: Text | None = element(default=None)
    emergency_contact: EmergencyContact | None = None
    employment: Employment | None = None
    billing: Billing | None = None
    primary_insurance: Insurance | None = None
    secondary_insurance: Insurance | None = None
    tertiary_insurance: Insurance | None = None

    @property
    def practice_patient_id(self) -> str | None:
        """The practice's own id of the patient: the key of an invitation."""
        return self.patient_identifier.practice_patient_id if self.patient_identifier else None

    @property
    def portal_patient_id(self) -> str | None:
        """The portal's id of the patient."""
        return self.patient_identifier.portal_patient_id if self.patient_identifier else None


class KeyValuePair(Element):
    """One argument of a device."""

    key: Text | None = element(default=None)
    value: Text | None = element(default=None)


class DeviceArguments(Element):
    """The arguments of a device."""

    pairs: tuple[KeyValuePair, ...] = element(tag="KeyValuePair", default=())


class Device(Element):
    """A system that sends, passes on or receives a batch."""

    device_name: Text | None = attr(name="deviceName", default=None)
    device_version: Text | None = attr(name="deviceVersion", default=None)
    vendor_name: Text | None = attr(name="vendorName", default=None)
    device_local_time: Moment | None = attr(name="deviceLocalTime", default=None)
    device_utc_time: Moment | None = attr(name="deviceUTCTime", default=None)
    device_arguments: DeviceArguments | None = None


class PatientBatch(Element, tag="PatientBatch"):
    """Up to 100 patients, and who sends them."""

    batch_id: Text | None = element(default=None)
    batch_size: int | None = element(default=None)
    sender: Device | None = None
    partner: Device | None = None
    destination: Device | None = None
    patients: tuple[Patient, ...] = element(tag="Patient", default=())
