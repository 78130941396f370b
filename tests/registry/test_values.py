"""What an input becomes on the wire, by parameter type, and what is refused.

Everything goes through `check` with the shipped actions, so the declarations are under test too.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.registry import check, shipped

BASE = "https://ehr.example/fhir/r4/v1/practice"
OBS, PAT, DOC = "search_observations", "search_patients", "search_document_references"
ACTIONS = shipped()


def sent(key: str, **inputs: Any) -> list[str]:
    """Return the query values of one input."""
    return [value for _, value in check(ACTIONS.action(key), inputs, BASE).query]


def refused(key: str, **inputs: Any) -> str:
    """Return what is said about one wrong input."""
    with pytest.raises(InvalidInput) as caught:
        check(ACTIONS.action(key), inputs, BASE)
    (problem,) = caught.value.problems
    assert problem["path"] == next(iter(inputs))
    return problem["message"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("2026", ["2026"]),
        ("2026-02", ["2026-02"]),
        ("2024-02-29", ["2024-02-29"]),
        ("2026-01-31T09:30Z", ["2026-01-31T09:30Z"]),
        ("2026-01-31T09:30:00.123456-05:00", ["2026-01-31T09:30:00.123456-05:00"]),
        (" 2026-01-31 ", ["2026-01-31"]),
        ("ap2026", ["ap2026"]),
        ("ge2026-01,sa2026", ["ge2026-01,sa2026"]),
        (["ge2026-01-01", "lt2026-02-01"], ["ge2026-01-01", "lt2026-02-01"]),
        (("ge2026-01-01", "lt2026-02-01"), ["ge2026-01-01", "lt2026-02-01"]),
        ({"ge": "2026-01-01", "lt": "2026-02-01"}, ["ge2026-01-01", "lt2026-02-01"]),
        ({"ge": "2026-01-01", "lt": None, "eb": ""}, ["ge2026-01-01"]),
        ([{"ge": "2026"}, "lt2027"], ["ge2026", "lt2027"]),
        ({"ne": dt.date(2026, 1, 31)}, ["ne2026-01-31"]),
        (dt.datetime(2026, 1, 31, 9, 30, tzinfo=dt.UTC), ["2026-01-31T09:30:00+00:00"]),
    ],
)
def test_dates_are_sent_as_fhir_writes_them(given: Any, wanted: list[str]) -> None:
    assert sent(OBS, date=given) == wanted


@pytest.mark.parametrize("comparator", ["eq", "ne", "gt", "ge", "lt", "le", "sa", "eb", "ap"])
def test_each_comparator_goes_in_front_of_a_date(comparator: str) -> None:
    assert sent(OBS, date=f"{comparator}2026-01-31") == [f"{comparator}2026-01-31"]
    assert sent(OBS, date={comparator: "2026-01-31"}) == [f"{comparator}2026-01-31"]


@pytest.mark.parametrize(
    "given",
    [
        *("2023-02-29", "2026-13", "2026-00", "2026-04-31", "0000", "26-01-01", "2026-1-1"),
        *("2026-01-31T09:30:00", "2026-01-31T25:00:00Z", "2026-01-31T09:61:00Z", "2026T09:30Z"),
        *("2026-01-31T09:30:00+25:00", "2026-01-31 09:30:00Z", "2026-01-31T09Z", "31/01/2026"),
        *("xx2026", "GE2026", "gege2026", "ge", "today", "٢٠٢٦-٠١-٠١", "2026\\,2027"),
        *(20260131, 2026.0, True, [["2026"], 5], {"ge": {"lt": "2026"}}, {"ge": ["2026", "2027"]}),
        *({"after": "2026"}, {"GE": "2026"}, {"ge": "lt2026"}, {"system": "s", "code": "2026"}),
        dt.datetime(2026, 1, 31, 9, 30),
    ],
)
def test_what_is_no_fhir_date_is_refused(given: Any) -> None:
    assert refused(OBS, date=given)


def test_a_refused_moment_without_a_zone_says_what_is_missing() -> None:
    assert "zone" in refused(OBS, date="2026-01-31T09:30:00")
    assert "zone" in refused(OBS, date=dt.datetime(2026, 1, 31))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("b79082d9", "b79082d9"),
        ("Patient/b79082d9", "b79082d9"),
        (f"{BASE}/Patient/b79082d9", "b79082d9"),
        ("HTTPS://EHR.EXAMPLE:443/fhir/r4/v1/practice/Patient/a.1-B", "a.1-B"),
        (["1", "Patient/2"], "1,2"),
        ("1, Patient/2", "1,2"),
    ],
)
def test_references_to_one_type_are_sent_as_the_bare_id(given: Any, wanted: str) -> None:
    assert sent(OBS, patient=given) == [wanted]


def test_references_to_one_of_several_types_keep_their_type() -> None:
    assert sent(OBS, performer="Practitioner/9") == ["Practitioner/9"]
    assert sent(OBS, performer=f"{BASE}/Organization/9") == ["Organization/9"]
    assert sent(OBS, performer="9") == ["9"]


@pytest.mark.parametrize(
    "given",
    [
        *("https://other.example/fhir/r4/v1/practice/Patient/1", "https://ehr.example/Patient/1"),
        *("https://ehr.example:444/fhir/r4/v1/practice/Patient/1", BASE + "x/Patient/1"),
        *("http://ehr.example/fhir/r4/v1/practice/Patient/1", f"{BASE}/Patient/1?a=b"),
        *(f"{BASE}/../other/Patient/1", f"{BASE}/..", f"{BASE}/Patient/1/_history/2"),
        *(f"{BASE}/Patient/1#x", "https://[bad/Patient/1", "https://ehr.example:port/Patient/1"),
        *("Practitioner/1", "Patient/", "/1", "..", ".", "../1", "Patient/..", "patient/1"),
        *("Patient/a b", "Patient/" + "x" * 65, "urn:uuid:1", "Patient?identifier=1", "a/b/c"),
        *(5, True, {"reference": "Patient/1"}, [["1"]]),
    ],
)
def test_references_elsewhere_or_malformed_are_refused(given: Any) -> None:
    assert refused(OBS, patient=given)


def test_a_refused_reference_says_what_is_wrong_with_it() -> None:
    assert "another server" in refused(OBS, patient="https://other.example/Patient/1")
    assert "Patient" in refused(OBS, patient="Practitioner/1")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("8867-4", "8867-4"),
        ("http://loinc.org|8867-4", "http://loinc.org|8867-4"),
        ("|8867-4", "|8867-4"),
        ("http://loinc.org|", "http://loinc.org|"),
        ("a,b", "a,b"),
        ("a , b", "a,b"),
        (["a", "s|b"], "a,s|b"),
        (["a,b", "c"], r"a\,b,c"),
        (r"a\,b", r"a\,b"),
        (r"a\\,b", r"a\\,b"),
        (r"s|a\|b", r"s|a\|b"),
        ("a$b", r"a\$b"),
        (r"a\b", r"a\\b"),
        ({"system": "s", "code": "c"}, "s|c"),
        ({"code": "a|b,c"}, r"a\|b\,c"),
        ({"system": "s"}, "s|"),
        ([{"system": "s", "code": "c"}, "d"], "s|c,d"),
        (True, "true"),
        (False, "false"),
    ],
)
def test_tokens_keep_their_meaning_under_fhir_s_escaping(given: Any, wanted: str) -> None:
    assert sent(OBS, code=given) == [wanted]


@pytest.mark.parametrize(
    "given",
    [
        "|",
        "  |  ",
        "a,,b",
        5,
        2.5,
        [["a"]],
        {"system": "s", "code": ["c"]},
        {"code": "c", "x": "y"},
    ],
)
def test_what_is_no_token_is_refused(given: Any) -> None:
    assert refused(OBS, code=given)


def test_a_closed_list_of_codes_names_them_and_the_nearest() -> None:
    assert sent(OBS, status="final,amended") == ["final,amended"]
    assert sent(OBS, status="http://hl7.org/fhir/observation-status|final")
    told = refused(OBS, status="fnal")
    assert 'Did you mean "final"?' in told
    assert "amended" in told
    assert refused(OBS, status={"code": "finished"})
    assert sent(PAT, gender="female")
    assert refused(PAT, gender="Female")


def test_an_open_list_of_codes_takes_others() -> None:
    assert sent(OBS, category="vital-signs,sdoh") == ["vital-signs,sdoh"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("Smith, Jr.", r"Smith\, Jr."),
        (r"a|b$c\d", r"a\|b\$c\\d"),
        ("  Ann ", "Ann"),
        (["Ann", "B,C"], r"Ann,B\,C"),
        ("Núñez 李", "Núñez 李"),
    ],
)
def test_text_is_one_value_with_every_separator_escaped(given: Any, wanted: str) -> None:
    assert sent(PAT, family=given) == [wanted]


@pytest.mark.parametrize(
    "given", [5, True, {"exact": "x"}, [["x"]], "a\nb", "a\tb", "\x7f", "\ud800"]
)
def test_what_is_no_line_of_text_is_refused(given: Any) -> None:
    assert refused(PAT, family=given)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (140, ["140"]),
        (5.4, ["5.4"]),
        ("ge140", ["ge140"]),
        ("ge140|http://unitsofmeasure.org|mg/dL", ["ge140|http://unitsofmeasure.org|mg/dL"]),
        ("5||mg", ["5||mg"]),
        (r"5|s|a\|b", [r"5|s|a\|b"]),
        ({"ge": 5, "lt": 7.5}, ["ge5", "lt7.5"]),
        ({"value": 5, "system": "s", "code": "mg$"}, [r"5|s|mg\$"]),
        ({"value": "lt5", "code": "mg"}, ["lt5||mg"]),
        ({"value": 5}, ["5"]),
        (["ge5", "le9"], ["ge5", "le9"]),
        ("5,6", ["5,6"]),
        (-0.5, ["-0.5"]),
        (1e-7, ["1e-07"]),
        (0.0059657130580431554, ["0.0059657130580431554"]),
    ],
)
def test_quantities_are_number_system_unit(given: Any, wanted: list[str]) -> None:
    assert sent(OBS, value_quantity=given) == wanted


@pytest.mark.parametrize(
    "given",
    [
        *("mg", "5|mg", "5|s|u|x", "gegt5", True, float("inf"), float("nan"), "9" * 5000),
        *(
            {"ge": "gt5"},
            {"value": 5, "comparator": "<"},
            {"value": 5, "unit": "mg"},
            {"code": "mg"},
        ),
        *({"value": 5, "code": 7}, {"value": True}, [[["x"]]], "٥"),
    ],
)
def test_what_is_no_quantity_is_refused(given: Any) -> None:
    assert refused(OBS, value_quantity=given)


def test_a_uri_is_one_value_and_has_no_spaces() -> None:
    assert sent(DOC, location="https://x.example/a,b|c") == [r"https://x.example/a\,b\|c"]
    assert sent(DOC, location=["urn:a", "urn:b"]) == ["urn:a,urn:b"]
    for given in ("https://x.example/a b", 5, {"uri": "urn:a"}):
        assert refused(DOC, location=given)


def test_a_composite_pairs_its_components() -> None:
    wanted = ["DocumentReference/7$replaces"]
    assert sent(DOC, relationship="DocumentReference/7$replaces") == wanted
    parts = {"relatesto": "DocumentReference/7", "relation": "replaces"}
    assert sent(DOC, relationship=parts) == wanted
    assert sent(DOC, relationship=["7$http://hl7.org/fhir/document-relationship-type|appends"]) == [
        "7$http://hl7.org/fhir/document-relationship-type|appends"
    ]
    for given in (
        *("7", "7$a$b", "$a", 5, {"relatesto": "7"}, {**parts, "x": "y"}),
        *(["a,b/7$replaces"], ["7$replaces", "8$replaces"], "7$a,8$b"),
    ):
        assert refused(DOC, relationship=given)


@pytest.mark.parametrize(
    ("given", "wanted"), [(50, "50"), ("50", "50"), (" 007 ", "7"), ([5], "5")]
)
def test_a_page_size_is_a_whole_number(given: Any, wanted: str) -> None:
    request = check(ACTIONS.action(OBS), {"page_size": given}, BASE)
    assert request.query == (("_count", wanted),)


@pytest.mark.parametrize(
    "given", [0, -1, "0", "ge5", "5.0", 5.0, True, "²", "٥", "9" * 5000, [5, 6], {"ge": 5}]
)
def test_what_is_no_page_size_is_refused(given: Any) -> None:
    assert refused(OBS, page_size=given)


def test_a_number_too_long_to_write_is_refused() -> None:
    # Python itself refuses to write or read more than 4,300 digits.
    assert "number" in refused(OBS, page_size=10**5000)
    assert "number" in refused(OBS, value_quantity=10**5000)
    assert "number" in refused(OBS, max_items="9" * 5000)


def test_sorting_takes_the_action_s_own_parameters_in_either_spelling() -> None:
    assert sent(OBS, sort="-date, last_updated") == ["-date,_lastUpdated"]
    assert sent(OBS, sort=["value-quantity", "-_id"]) == ["value-quantity,-_id"]
    for given in ("birthdate", "--date", "page_size", "sort", "-", "date,", {"date": "desc"}, 5):
        assert "date" in refused(OBS, sort=given)


def test_provenance_is_the_only_reverse_include() -> None:
    assert sent(OBS, revinclude="Provenance:target") == ["Provenance:target"]
    for given in ("Provenance", "Observation:patient", "provenance:target"):
        assert "Provenance:target" in refused(OBS, revinclude=given)


def test_only_dates_quantities_and_names_may_repeat() -> None:
    assert len(sent(OBS, value_date=["ge2026", "lt2027"])) == 2
    assert sent(OBS, code=["a", "b"]) == ["a,b"]
