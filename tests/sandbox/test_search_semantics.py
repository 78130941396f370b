"""FHIR R4 search, rule by rule, over records made for the purpose and asked for over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector.sandbox import Sandbox
from tests.sandbox.apps import App, system_token
from tests.sandbox.search_records import LOINC, RECORDS, UCUM

Search = Callable[[str, Any], set[str]]


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    folder: Path = tmp_path_factory.mktemp("records")
    lines = "\n".join(json.dumps(record) for record in RECORDS)
    (folder / "records.ndjson").write_text(lines, encoding="utf-8")
    with Sandbox(data=folder) as sandbox:
        app, token = App(sandbox), system_token(sandbox)

        def ids(resource_type: str, params: Any) -> set[str]:
            answer = app.get(resource_type, token, _with_base(params, app.base))
            assert answer.status_code == 200, answer.text
            return {entry["resource"]["id"] for entry in answer.json()["entry"]}

        yield ids


def _with_base(params: Any, base: str) -> list[tuple[str, str]]:
    pairs = params.items() if isinstance(params, dict) else params
    return [(name, value.replace("{base}", base)) for name, value in pairs]


def check(search: Search, resource_type: str, params: Any, expected: str) -> None:
    assert search(resource_type, params) == set(expected.split())


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("gender", "female", "p1"),
        ("gender", "male,female", "p1 p2"),
        ("gender", "Female", ""),
        ("gender", "http://hl7.org/fhir/administrative-gender|female", "p1"),
        ("active", "true", "p1"),
        ("active", "false", "p2"),
        ("deceased", "true", "p2"),
        ("deceased", "false", "p1 p3"),
        ("identifier", r"A\|1", "p1"),
        ("identifier", r"urn:mrn|A\|1", "p1"),
        ("identifier", "urn:mrn|", "p1 p2"),
        ("identifier", "urn:other|B2", ""),
        ("identifier", "|bare", "p1"),
        ("identifier", "|B2", ""),
        ("identifier", "bare,B2", "p1 p2"),
        ("language", "es", "p1"),
        ("language", "urn:ietf:bcp:47|es", "p1"),
        ("telecom", "(716) 361-9276", "p1"),
        ("telecom", "7163619276", ""),
        ("telecom", "phone|(716) 361-9276", "p1"),
        ("telecom", "email|(716) 361-9276", ""),
        ("telecom", "tom@example.com", "p2"),
    ],
)
def test_token(search: Search, name: str, value: str, expected: str) -> None:
    check(search, "Patient", {name: value}, expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2345-7", "q-5.4 q-5.44"),
        (f"{LOINC}|2345-7", "q-5.4 q-5.44"),
        ("|local", "q-5.44"),
        (f"{LOINC}|local", ""),
        ("|2345-7", ""),
    ],
)
def test_token_over_several_codings(search: Search, value: str, expected: str) -> None:
    check(search, "Observation", {"code": value}, expected)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("family", "nun", "p1 p2"),
        ("family", "NÚÑ", "p1 p2"),
        ("family", "unez", ""),
        ("family", "o'mal", "p3"),
        ("name", "ana", "p1"),
        ("name", "dr. m", "p1"),
        ("given", "maria j", "p1"),
        ("given", "jose", ""),
        ("name", "tom,ana", "p1 p2"),
        ("phonetic", "Nunes", "p2"),
        ("address", r"12\, rue", "p1"),
        ("address", "12, rue", "p1"),
        ("address", r"7 main st\, apt", "p2"),
        ("address-city", "saint", "p1"),
        ("address-country", "u", "p2"),
    ],
)
def test_string(search: Search, name: str, value: str, expected: str) -> None:
    check(search, "Patient", {name: value}, expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (r"Clear\, no", "v-text"),
        ("clear", "v-text v-code"),
        (r"clear\, no,clearly", "v-text v-code"),
    ],
)
def test_string_in_a_choice_of_types(search: Search, value: str, expected: str) -> None:
    check(search, "Observation", {"value-string": value}, expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # The searched day is a range; eq wants the record's range within it.
        ("2026-03-10", "e-day e-hours"),
        ("2026-03", "e-day e-hours e-zone"),
        ("2025", "e-2025"),
        ("2026-03-10T09", None),
        ("ne2026-03-10", "e-open e-zone e-2025"),
        ("gt2026-03-10", "e-open e-zone"),
        ("ge2026-03-10", "e-day e-hours e-open e-zone"),
        ("lt2026-03-10", "e-open e-2025"),
        ("le2026-03-10", "e-day e-hours e-open e-2025"),
        ("sa2026-03-10", "e-zone"),
        ("eb2026-03-10", "e-2025"),
        ("sa2026-03-09", "e-day e-hours e-zone"),
        ("gt2026-03-10T09:59:00Z", "e-day e-hours e-open e-zone"),
        ("gt2026-03-10T10:00:00Z", "e-day e-open e-zone"),
        ("sa2026-03-10T21:00:00-05:00", "e-zone"),
        ("ap2026-03-05", "e-day e-hours e-open e-zone"),
        ("2025-06,2026-03-10", "e-day e-hours e-2025"),
    ],
)
def test_date(search: Search, value: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(AssertionError, match="is not a FHIR date"):
            search("Encounter", {"date": value})
        return
    check(search, "Encounter", {"date": value}, expected)


def test_a_repeated_date_is_an_and(search: Search) -> None:
    between = [("date", "ge2026-03-10"), ("date", "lt2026-03-11")]
    check(search, "Encounter", between, "e-day e-hours e-open")


@pytest.mark.parametrize(
    ("resource_type", "name", "value", "expected"),
    [
        ("Patient", "birthdate", "1980-05-17", "p1"),
        ("Patient", "birthdate", "1980-05", "p1 p2"),
        ("Patient", "birthdate", "ge1980-05-20", "p2 p3"),
        ("Patient", "birthdate", "ge1981", "p3"),
        ("Patient", "birthdate", "lt1981", "p1 p2"),
        ("Patient", "death-date", "2020-02-29", "p2"),
        ("Patient", "death-date", "2020-02-29T15:00:00Z", "p2"),
        ("Observation", "value-date", "2026-03", "v-date"),
        ("Observation", "value-date", "2026-03-10", ""),
        ("MedicationRequest", "date", "2026-04", "m1"),
        ("MedicationRequest", "date", "2026-04-02", ""),
        ("MedicationRequest", "date", "ge2026-04-02", "m1"),
        ("Provenance", "recorded", "2026-03-10T09:00:00Z", "prov-1"),
        ("Provenance", "recorded", "2026-03-10T09:00:00.2Z", "prov-1"),
        ("Provenance", "recorded", "2026-03-10T09:00:00.3Z", ""),
    ],
)
def test_dates_of_every_precision(
    search: Search, resource_type: str, name: str, value: str, expected: str
) -> None:
    check(search, resource_type, {name: value}, expected)


@pytest.mark.parametrize(
    ("resource_type", "name", "value", "expected"),
    [
        ("Observation", "patient", "p1", "q-5.4"),
        ("Observation", "patient", "Patient/p1", "q-5.4"),
        ("Observation", "patient", "{base}/Patient/p1", "q-5.4"),
        ("Observation", "patient", "https://other.example/Patient/p1", ""),
        ("Observation", "patient", "Group/p1", ""),
        ("Observation", "subject", "p1,Patient/p2", "q-5.4 q-5.44"),
        ("Observation", "performer", "d1", "q-5.4 q-5.44"),
        ("Observation", "performer", "Practitioner/d1", "q-5.4 q-5.44"),
        ("Observation", "performer", "Organization/d1", ""),
        ("Observation", "performer", "https://other.example/P/9", "q-5.4"),
        ("Patient", "link", "p1", "p2"),
        ("MedicationRequest", "medication", "x1", "m1"),
        ("Provenance", "target", "Observation/q-5.4", "prov-1"),
        ("Provenance", "target", "p1", "prov-1"),
        ("Provenance", "patient", "p1", "prov-1"),
        ("Provenance", "patient", "q-5.4", ""),
    ],
)
def test_reference(
    search: Search, resource_type: str, name: str, value: str, expected: str
) -> None:
    check(search, resource_type, {name: value}, expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # The digits given say how exact the number is.
        ("5.4", "q-5.4 q-5.44"),
        ("5.40", "q-5.4"),
        ("5.44", "q-5.44"),
        ("5", "q-5.4 q-5.44"),
        ("1e2", "q-unit"),
        ("5.4e1", "q-54-mmol"),
        ("5e1", ""),
        ("ne5.40", "q-5.44 q-54-mmol q-unit"),
        ("gt5.4", "q-5.44 q-54-mmol q-unit"),
        ("ge5.4", "q-5.4 q-5.44 q-54-mmol q-unit"),
        ("lt5.44", "q-5.4"),
        ("le5.44", "q-5.4 q-5.44"),
        ("sa54", "q-unit"),
        ("eb54", "q-5.4 q-5.44"),
        ("ap5.8", "q-5.4 q-5.44"),
        (f"gt1|{UCUM}|mg/dL", "q-5.4 q-5.44"),
        ("gt1||mmol/L", "q-54-mmol"),
        ("gt1||steps", "q-unit"),
        (f"gt1|{UCUM}|", "q-5.4 q-5.44 q-54-mmol"),
        ("gt1|http://other.example|mg/dL", ""),
    ],
)
def test_quantity(search: Search, value: str, expected: str) -> None:
    check(search, "Observation", {"value-quantity": value}, expected)


@pytest.mark.parametrize("value", ["much", "5|mg", "NaN", "5|a|b|c"])
def test_a_quantity_must_be_one(search: Search, value: str) -> None:
    with pytest.raises(AssertionError, match="is not a FHIR quantity"):
        search("Observation", {"value-quantity": value})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (r"https://files.example/doc-a?a=1\,b=2", "doc-a"),
        ("https://files.example/doc-a", ""),
        (r"https://files.example/DOC-A?a=1\,b=2", ""),
    ],
)
def test_uri(search: Search, value: str, expected: str) -> None:
    check(search, "DocumentReference", {"location": value}, expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("DocumentReference/doc-b$replaces", "doc-a"),
        ("doc-b$appends", "doc-b"),
        # Both parts are in doc-a, but not in the same relation.
        ("doc-c$replaces", ""),
        ("doc-c$appends,doc-b$replaces", "doc-a"),
    ],
)
def test_composite(search: Search, value: str, expected: str) -> None:
    check(search, "DocumentReference", {"relationship": value}, expected)


def test_a_composite_needs_both_parts(search: Search) -> None:
    with pytest.raises(AssertionError, match=r"relatesto\$relation"):
        search("DocumentReference", {"relationship": "doc-b"})


def test_different_parameters_are_an_and(search: Search) -> None:
    check(search, "Patient", {"family": "nun", "gender": "male"}, "p2")
    check(search, "Patient", {"family": "nun", "gender": "male", "active": "true"}, "")


def test_ids_are_an_or(search: Search) -> None:
    check(search, "Patient", {"_id": "p1,p3,nobody"}, "p1 p3")
