"""Validates a PatientBatch against `patient.xsd`, as the portal does before it accepts one.

Documents with a document type are refused: they may hold entities. Knows no HTTP.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from lxml import etree

from practicefusion_connector.sandbox.medfusion.settings import (
    NAMESPACES,
    PATIENT_ID_NAMES,
    PRACTICE_ID_NAMES,
)

Node = Any  # lxml's elements: its stubs do not know what may be None where


class Invalid(Exception):
    """The document is not a valid batch; the text says where, without its content."""


@cache
def schema(version: str) -> etree.XMLSchema:
    """The schema of one version."""
    text = (files(__package__) / "patient.xsd").read_text("utf-8")
    for name, value in (
        ("@NAMESPACE@", NAMESPACES[version]),
        ("@PATIENT_ID@", PATIENT_ID_NAMES[version]),
        ("@PRACTICE_ID@", PRACTICE_ID_NAMES[version]),
    ):
        text = text.replace(name, value)
    return etree.XMLSchema(etree.fromstring(text.encode()))


def valid_patients(body: bytes, version: str) -> list[Node]:
    """The Patient elements of a valid batch; raises `Invalid`."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
    )
    try:
        root: Node = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise Invalid("The document is not well-formed XML.") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Invalid("The document has a document type.")
    checker = schema(version)
    if not checker.validate(root):
        errors: Any = checker.error_log
        raise Invalid(f"The document does not fit the schema, at line {errors[0].line}.")
    patients = root.findall("Patient")
    if int(root.findtext("BatchSize")) != len(patients):
        raise Invalid("BatchSize is not the number of patients.")
    return list(patients)
