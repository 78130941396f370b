"""Reading and searching the practice directory."""

from __future__ import annotations

from typing import Any

import pytest

from practicefusion_connector.errors import InvalidResponse
from practicefusion_connector.smart.directory import Directory, parse
from tests.directory.conftest import GUID, endpoint, guid, organization, patient, provider


@pytest.fixture
def directory(bundle: dict[str, Any]) -> Directory:
    return parse(bundle)


def test_a_practice_has_its_ids_and_both_base_urls(directory: Directory) -> None:
    practice = directory.find(provider(GUID))
    assert practice is not None
    assert practice.to_dict() == {
        "name": "Las Vegas Pediatric Urology",
        "guid": GUID,
        "npi": "1234567893",
        "tax_id": "12-3456789",
        "city": "Las Vegas",
        "state": "NV",
        "active": True,
        "provider_url": provider(GUID),
        "patient_url": patient(GUID),
    }


def test_missing_ids_and_names_and_addresses_are_put_up_with(directory: Directory) -> None:
    second, third = directory.find(provider(guid(2))), directory.find(patient(guid(3)))
    assert second is not None
    assert (second.npi, second.tax_id, second.guid) == (None, None, guid(2))
    assert second.patient_url == f"https://api.practicefusion.com/fhir/fmh/r4/v1/{guid(2)}"
    assert third is not None
    assert (third.provider_url, third.active) == (provider(guid(3)), False)
    only = directory.find(patient(guid(4)))
    assert only is not None
    assert only.provider_url is None


def test_what_cannot_be_used_is_counted(directory: Directory) -> None:
    assert len(directory) == 4
    assert directory.problems == {
        "an Endpoint has no usable address": 1,
        "an Organization refers to an Endpoint that is not there": 2,
        "an Organization has no base URL": 3,
        "an Organization has no name": 1,
        "an entry is neither an Organization nor an Endpoint": 4,
    }


def test_base_urls_can_be_looked_up(directory: Directory) -> None:
    assert provider(GUID) in directory
    assert patient(GUID) in directory
    assert directory.find(provider(GUID) + "/") is not None
    assert provider("other") not in directory
    assert None not in directory
    assert directory.find("https://evil.example") is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("pediatric", [
            "Las Vegas Pediatric Urology", "PediatricCare Partners", "St. Mary's Pediatrics",
        ]),
        ("UROLOGY vegas", ["Las Vegas Pediatric Urology"]),
        ("las-vegas pediatric", ["Las Vegas Pediatric Urology"]),
        ("lasvegas", ["Las Vegas Pediatric Urology"]),
        ("Pediatric Care", ["PediatricCare Partners"]),
        ("clinica pena ninos", ["Clínica Peña de Niños"]),
        ("CLÍNICA", ["Clínica Peña de Niños"]),
        ("st marys", ["St. Mary's Pediatrics"]),
        ("St. Mary’s", ["St. Mary's Pediatrics"]),
        ("1234567893", ["Las Vegas Pediatric Urology"]),
        ("123456789", ["Las Vegas Pediatric Urology"]),
        ("12-3456789", ["Las Vegas Pediatric Urology"]),
        (GUID.upper(), ["Las Vegas Pediatric Urology"]),
        ("12345", []),
        ("cardiology", []),
        ("pediatric cardiology", []),
        (" .,- ", []),
        ("", []),
    ],
)  # fmt: skip
def test_practices_are_found(directory: Directory, text: str, names: list[str]) -> None:
    assert [practice.name for practice in directory.search(text)] == names


def test_a_whole_name_comes_first() -> None:
    entries = []
    for number, name in enumerate(["Cedar Family Practice", "Oak and Cedar", "Cedar"]):
        entries.append(endpoint(f"e{number}", "Patient Access", patient(guid(number))))
        entries.append(organization(name, f"Endpoint/e{number}"))
    found = parse({"resourceType": "Bundle", "entry": entries}).search("cedar")
    assert [practice.name for practice in found] == [
        "Cedar",
        "Cedar Family Practice",
        "Oak and Cedar",
    ]


@pytest.mark.parametrize("document", [None, [], "x", {}, {"entry": {}}, {"entry": None}])
def test_what_is_no_directory_is_refused(document: object) -> None:
    with pytest.raises(InvalidResponse, match="not a FHIR Bundle"):
        parse(document)
