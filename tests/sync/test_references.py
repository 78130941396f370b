"""References, rewritten: to the target's ids where it holds what is meant, else logical ones."""

from __future__ import annotations

from typing import Any

import pytest

from practicefusion_connector.sync.items import Key, digest_of, read_item
from practicefusion_connector.sync.targets.references import References, alias, aliases

BASE = "https://api.practicefusion.com/fhir/r4/v1/p"
REFERENCES = References(BASE, "https://practicefusion.com/fhir")
PATIENT = Key("Patient", "1")


def about(reference: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": "o", "subject": {"reference": reference, **more}}


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/1",
        f"{BASE}/Patient/1",
        "Patient/1/_history/3",
        f"{BASE}/Patient/1/_history/2",
        "https://API.practicefusion.com:443/fhir/r4/v1/p/Patient/1",
        f"{BASE}/Patient?identifier=https://practicefusion.com/fhir/Patient-id%7C1",
        "Patient?identifier=https://practicefusion.com/fhir/Patient-id|1",
    ],
)
def test_every_form_of_a_literal_reference(reference: str) -> None:
    resource = about(reference, display="Shown")
    assert REFERENCES.wanted(resource) == {PATIENT}
    copy, missing = REFERENCES.rewritten(resource, {PATIENT: "t"})
    assert copy["subject"] == {"reference": "Patient/t", "display": "Shown"}
    assert missing == ()
    assert resource["subject"]["reference"] == reference


def test_a_conditional_reference_means_what_carries_the_identifier() -> None:
    resource = about("Patient?identifier=http://mrn%7C12,3")
    (key,) = REFERENCES.wanted(resource)
    (own,) = aliases({"identifier": [{"system": "http://mrn", "value": "12,3"}]})
    assert key == Key("Patient", own)
    assert "12,3" not in key.id
    copy, _ = REFERENCES.rewritten(resource, {key: "t"})
    assert copy["subject"] == {"reference": "Patient/t"}
    open_, missing = REFERENCES.rewritten(resource, {})
    logical = {"type": "Patient", "identifier": {"system": "http://mrn", "value": "12,3"}}
    assert (open_["subject"], missing) == (logical, (key,))


@pytest.mark.parametrize(
    "reference",
    [
        "#inside",
        "https://elsewhere.example/fhir/Patient/1",
        "http://api.practicefusion.com/fhir/r4/v1/p/Patient/1",
        f"{BASE}x/Patient/1",
        f"{BASE}/../p/Patient/1",
        f"{BASE}/Patient/1#inside",
        "https://[/Patient/1",
        "Patient?name=x",
        "Patient",
        "a/b/c",
    ],
)
def test_what_is_not_the_sources_own_is_left_alone(reference: str) -> None:
    resource = about(reference)
    assert REFERENCES.wanted(resource) == set()
    assert REFERENCES.rewritten(resource, {PATIENT: "t"}) == (resource, ())


def test_a_urn_resolves_nowhere_and_becomes_an_identifier() -> None:
    copy, _ = REFERENCES.rewritten(about("urn:uuid:4e0a"), {})
    assert copy["subject"] == {
        "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:4e0a"}
    }


def test_an_identifier_says_more_than_a_urn() -> None:
    given = {"value": "the source's own"}
    copy, _ = REFERENCES.rewritten(about("urn:uuid:4e0a", identifier=given), {})
    assert copy["subject"] == {"identifier": given}


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Patient?identifier=https://practicefusion.com/fhir/Patient-id%7C1"},
        {"reference": "Patient/1", "type": "http://hl7.org/fhir/StructureDefinition/Patient"},
        {"reference": "Patient/1", "type": "Person"},
    ],
)
def test_a_reference_that_was_open_is_made_literal_however_it_was_written(
    subject: dict[str, Any],
) -> None:
    resource = {"resourceType": "Observation", "id": "o", "subject": subject}
    open_, missing = REFERENCES.rewritten(resource, {})
    assert missing == (PATIENT,)
    own = {"system": "https://practicefusion.com/fhir/Patient-id", "value": "1"}
    assert open_["subject"] == {"type": "Patient", "identifier": own}
    later, done = REFERENCES.made_literal(open_, {PATIENT: "t"})
    assert (later["subject"], done) == ({"type": "Patient", "reference": "Patient/t"}, (PATIENT,))


def test_a_logical_reference_may_give_its_type_in_full() -> None:
    own = {"system": "https://practicefusion.com/fhir/Patient-id", "value": "1"}
    kept = {"type": "http://hl7.org/fhir/StructureDefinition/Patient", "identifier": own}
    later, done = REFERENCES.made_literal({"subject": kept}, {PATIENT: "t"})
    assert later["subject"] == {"type": kept["type"], "reference": "Patient/t"}
    assert done == (PATIENT,)


def test_what_was_open_becomes_as_if_it_had_been_there_at_once() -> None:
    resource = about("Patient/1", display="Shown", identifier={"value": "the source's own"})
    at_once, _ = REFERENCES.rewritten(resource, {PATIENT: "t"})
    open_, missing = REFERENCES.rewritten(resource, {})
    assert "reference" not in open_["subject"]
    later, done = REFERENCES.made_literal(open_, dict.fromkeys(missing, "t"))
    assert done == (PATIENT,)
    assert {**at_once["subject"], "type": "Patient"} == later["subject"]
    assert REFERENCES.made_literal(open_, {Key("Patient", "2"): "t"}) == (open_, ())


def test_an_attachment_keeps_meaning_the_sources_file() -> None:
    resource = {"content": [{"attachment": {"url": "Binary/7"}}, {"attachment": {"url": "x:y"}}]}
    copy, _ = REFERENCES.rewritten(resource, {})
    assert copy["content"][0]["attachment"]["url"] == f"{BASE}/Binary/7"
    assert copy["content"][1]["attachment"]["url"] == "x:y"


def test_an_alias_hides_what_it_stands_for() -> None:
    assert alias("s", "v") == alias("s", "v") != alias("s", "w")
    assert "secret" not in alias("s", "secret")


def test_a_digest_is_of_the_content() -> None:
    one = {"id": "a", "meta": {"versionId": "1", "lastUpdated": "x"}, "b": [1, {"c": 2, "d": 3}]}
    two = {"b": [1, {"d": 3, "c": 2}], "id": "a"}
    assert digest_of(one) == digest_of(two) != digest_of({**two, "b": [{"c": 2, "d": 3}, 1]})
    assert digest_of(one, whole=True) != digest_of({**one, "meta": {"versionId": "2"}}, whole=True)
    large = b'{"resourceType": "Patient", "id": "a", "n": %d}' % 2**70
    assert read_item(1, large).digest == read_item(2, large).digest
