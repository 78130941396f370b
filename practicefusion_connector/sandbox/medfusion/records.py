"""One patient as the portal keeps it: an element, edited in the order the schema wants.

Knows no HTTP and no processing.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from practicefusion_connector.sandbox.medfusion.settings import (
    PATIENT_ID_NAMES,
    PRACTICE_ID,
    PRACTICE_ID_NAMES,
)

Node = Any

# Children of Patient in the schema's order, as far as the portal writes them itself.
_ORDER = (
    *("PatientIdentifier", "PracticeIdentifier", "Status", "LastUpdateDate", "ResourceRequestId"),
    *("Name", "DateOfBirth", "Race", "Ethnicity", "Gender", "PreferredLanguage"),
    *("PreferredCommunication", "SocialSecurityNumber", "EmailAddress", "HomeAddress"),
    *("WorkAddress", "HomePhone", "MobilePhone", "WorkPhone", "MaritalStatus"),
    *("EmergencyContact", "Employment", "Billing"),
    *("PrimaryInsurance", "SecondaryInsurance", "TertiaryInsurance"),
)
_ADDRESS = ("Line1", "Line2", "City", "State", "Country", "ZipCode")
_TRANSITIONS = {
    None: {"PROVISIONED"},
    "PROVISIONED": {"PROVISIONED", "REGISTERED", "DEACTIVATED", "DELETED"},
    "REGISTERED": {"REGISTERED", "DEACTIVATED", "DELETED"},
    "DEACTIVATED": {"PROVISIONED", "REGISTERED", "DELETED"},
    "DELETED": {"PROVISIONED"},
}


@dataclass
class Record:
    """A patient: the element as it was sent or edited, the portal's id, state and stamp."""

    portal_id: str
    element: Node = field(repr=False)
    status: str | None = None
    stamp: int = 0
    changed: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def practice_id(self) -> str:
        """The practice's own id of the patient."""
        return str(self.element.findtext("PatientIdentifier/PracticePatientId"))

    @property
    def email(self) -> str:
        """The e-mail address."""
        return str(self.element.findtext("EmailAddress"))

    @property
    def name(self) -> str:
        """The name as a person reads it."""
        parts = ("FirstName", "MiddleName", "LastName", "Suffix")
        words = (self.element.findtext(f"Name/{part}") for part in parts)
        return " ".join(word for word in words if word)

    @property
    def birth_date(self) -> str:
        """The day of birth."""
        return str(self.element.findtext("DateOfBirth"))[:10]

    def address(self) -> dict[str, str]:
        """The home address by the names of its elements."""
        return {part: self.element.findtext(f"HomeAddress/{part}") or "" for part in _ADDRESS}

    def text(self, tag: str) -> str:
        """A child's text, empty where there is none."""
        return self.element.findtext(tag) or ""

    def may_become(self, status: str) -> bool:
        """Whether the state may change so."""
        return status in _TRANSITIONS[self.status]

    def edit(self, address: dict[str, str], **texts: str) -> None:
        """Set the home address and children's texts; empty ones are taken out."""
        home = etree.Element("HomeAddress")
        for part in _ADDRESS:
            if address.get(part):
                etree.SubElement(home, part).text = address[part]
        _put(self.element, home)
        for tag, text in texts.items():
            child = etree.Element(tag)
            child.text = text
            _put(self.element, child)

    def as_version(self, version: str) -> Node:
        """The element as an answer holds it."""
        element = deepcopy(self.element)
        identifier = element.find("PatientIdentifier")
        for name in PATIENT_ID_NAMES.values():
            for old in identifier.findall(name):
                identifier.remove(old)
        etree.SubElement(identifier, PATIENT_ID_NAMES[version]).text = self.portal_id
        practice = etree.Element("PracticeIdentifier")
        etree.SubElement(practice, PRACTICE_ID_NAMES[version]).text = PRACTICE_ID
        _put(element, practice)
        moment = self.changed.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for tag, text in (("Status", self.status), ("LastUpdateDate", moment)):
            child = etree.Element(tag)
            child.text = text
            _put(element, child)
        return element


def _put(patient: Node, child: Node) -> None:
    """Put a child in its place, instead of one of its name; an empty one only takes it out."""
    for old in patient.findall(child.tag):
        patient.remove(old)
    if not len(child) and not child.text:
        return
    before = _ORDER[: _ORDER.index(child.tag)]
    place = sum(1 for sibling in patient if sibling.tag in before)
    patient.insert(place, child)
