"""Files of every shape, checked: nothing is lost, nothing is changed, memory is not the limit."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from practicefusion_connector.bulk import quarantined
from practicefusion_connector.bulk.checking import Checked, Validation, check
from practicefusion_connector.errors import Cancelled

PATIENTS = [
    {"resourceType": "Patient", "id": f"p{number}", "gender": "female"} for number in range(4)
]
GOOD = b"".join(json.dumps(each).encode() + b"\n" for each in PATIENTS)
WRONG = {"resourceType": "Patient", "id": "w", "gender": "xyz", "name": [{"use": "nick"}]}


class Place:
    def __init__(self, folder: Path) -> None:
        self.part, self.final = folder / "P.part", folder / "P.ndjson"
        self.aside = folder / "quarantine" / "P.ndjson"

    def check(
        self, body: bytes, validation: Validation = "report", *, longest: int = 10_000
    ) -> Checked:
        self.part.write_bytes(body)
        done = check(
            self.part, self.final, self.aside, "Patient", validation=validation, longest=longest
        )
        assert not self.part.exists()
        assert done.bytes == self.final.stat().st_size
        return done

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.final.read_bytes().splitlines()]

    @property
    def put_aside(self) -> list[dict[str, Any]]:
        return list(quarantined(self.aside)) if self.aside.exists() else []


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_clean_file_is_moved_and_not_written_again(place: Place) -> None:
    place.part.write_bytes(GOOD)
    inode = place.part.stat().st_ino
    done = check(
        place.part, place.final, place.aside, "Patient", validation="report", longest=10_000
    )
    assert place.final.stat().st_ino == inode
    assert (done.given, done.kept, done.aside, done.findings) == (4, 4, 0, {})
    assert not place.aside.parent.exists()


SHAPES = {
    "without a line break at the end": GOOD.rstrip(),
    "with blank lines": b"\n" + GOOD.replace(b"\n", b"\n \r\n\n"),
    "with Windows line ends": GOOD.replace(b"\n", b"\r\n"),
    "with a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "compressed in itself": gzip.compress(GOOD),
    "pretty-printed one after another": "\n".join(
        json.dumps(each, indent=2) for each in PATIENTS
    ).encode(),
    "a pretty-printed list": json.dumps(PATIENTS, indent=4).encode(),
    "a list with a resource on each line": GOOD.rstrip()
    .replace(b"\n", b",\n")
    .join([b"[", b"\n]"]),
    "a list on one line": json.dumps(PATIENTS).encode(),
    "a pretty-printed Bundle": json.dumps(
        {"resourceType": "Bundle", "entry": [{"resource": each} for each in PATIENTS]}, indent=2
    ).encode(),
    "a Bundle on one line": json.dumps(
        {"resourceType": "Bundle", "entry": [{"resource": each} for each in PATIENTS]}
    ).encode(),
    "Bundles on lines": b"".join(
        json.dumps({"resourceType": "Bundle", "entry": [{"resource": each}]}).encode() + b"\n"
        for each in PATIENTS
    ),
    "a brace and the rest": json.dumps(PATIENTS, indent=1).encode(),
    "pretty-printed without indents": "\n".join(
        json.dumps({**each, "name": [{"family": "a"}, {"family": "b"}]}, indent=0)
        for each in PATIENTS
    ).encode(),
    "pretty-printed at first, then a line each": json.dumps(PATIENTS[0], indent=2).encode()
    + b"\n"
    + b"".join(GOOD.splitlines(keepends=True)[1:]),
    "closed by several brackets at once": b"\n".join(
        json.dumps({**each, "name": [{"family": "a"}]}, indent=2)
        .replace("\n    }\n  ]\n}", "}]}")
        .encode()
        for each in PATIENTS
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_body_may_have_any_shape(place: Place, shape: str) -> None:
    done = place.check(SHAPES[shape])
    assert [{**line, "name": 0} for line in place.lines] == [
        {**each, "name": 0} for each in PATIENTS
    ]
    assert (done.given, done.kept, done.counts) == (4, 4, {"Patient": 4})
    assert place.put_aside == []


def test_one_pretty_printed_resource(place: Place) -> None:
    place.check(json.dumps(PATIENTS[0], indent=2).encode())
    assert place.lines == PATIENTS[:1]


def test_an_empty_file_holds_nothing(place: Place) -> None:
    assert place.check(b"").given == 0
    assert place.check(b"\n\n").given == 0


@pytest.mark.parametrize("wrap", ["pretty", "bundle"])
def test_decimals_keep_their_precision(place: Place, wrap: str) -> None:
    text = (
        '{"resourceType": "Patient", "id": "a", "extension": '
        '[{"url": "u:u", "valueDecimal": 1.50}, '
        '{"url": "u:v", "valueDecimal": 12.345678901234567890}]}'
    )
    if wrap == "bundle":
        body = f'{{"resourceType": "Bundle", "entry": [{{"resource": {text}}}]}}'
    else:
        body = text.replace("{", "{\n").replace("}", "\n}")
    place.check(body.encode())
    kept = place.final.read_text()
    assert "1.50" in kept
    assert "12.345678901234567890" in kept
    assert kept.count("\n") == 1


DEEP = b'{"resourceType": "Patient", "x": ' + b"[" * 300 + b"]" * 300 + b"}"
BROKEN = b'{"resourceType": "Patient", "id": "cut'


@pytest.mark.parametrize("at", [0, 1, 4])
@pytest.mark.parametrize("validation", ["report", "quarantine", "none"])
def test_a_line_that_is_no_json_is_put_aside_with_its_place(
    place: Place, at: int, validation: Validation
) -> None:
    lines = GOOD.splitlines(keepends=True)
    lines.insert(at, BROKEN + b"\n")
    done = place.check(b"".join(lines), validation)
    assert place.lines == PATIENTS
    assert (done.given, done.kept, done.aside) == (5, 4, 1)
    assert place.put_aside == [
        {"file": "P.ndjson", "line": at + 1, "reason": "is not JSON", "raw": BROKEN.decode() + "\n"}
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": "x"}', "is no FHIR resource"),
        (b'{"resourceType": 5}', "is no FHIR resource"),
        (b'{"resourceType": "../x"}', "is no FHIR resource"),
        (b'"text"', "is no FHIR resource"),
        (b"[7]", "is no FHIR resource"),
        (b'{"resourceType": "Patient", "multipleBirthInteger": NaN}', "is not JSON"),
        (b'{"resourceType": "Patient", "x": ' + b"[" * 5000, "is not JSON"),
        (DEEP, "is nested too deep to be read"),
        (b'[{"x": ' + b'{"y": ' * 600 + b"1" + b"}" * 600 + b"}]", "is nested too deep to be read"),
        (b"<html>", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
    ],
)
def test_what_is_no_resource_is_put_aside(place: Place, line: bytes, reason: str) -> None:
    done = place.check(GOOD + line + b"\n")
    assert (done.kept, done.aside) == (4, 1)
    (entry,) = place.put_aside
    assert (entry["line"], entry["reason"]) == (5, reason)
    assert "raw" in entry or "raw_base64" in entry


def test_what_is_not_too_deep_is_read(place: Place) -> None:
    """Brackets side by side, or in text, are no levels."""
    deep = b'{"resourceType": "Patient", "x": ' + b"[" * 198 + b"]" * 198 + b"}"
    wide = b'{"resourceType": "Patient", "x": [' + b"[]," * 300 + b'"' + b"{[" * 300 + b'"]}'
    assert place.check(deep + b"\n" + wide).kept == 2


CONTAINING = {
    **PATIENTS[1],
    "id": "broken",
    "contained": [
        {"resourceType": "Organization", "id": "o", "name": "a {[ name"},
        {"resourceType": "Organization", "id": "p"},
    ],
    "language": "en",
}
PRETTY = json.dumps(CONTAINING, indent=2)
BREAKS = {
    "a quote that does not close": PRETTY.replace('"broken"', '"broken'),
    "a string that goes on over lines": PRETTY.replace("bro", "bro\n"),
    "a bracket too many": PRETTY.replace('"p"\n', '"p"\n}\n'),
    "a bracket that does not open": PRETTY.replace('"contained": [', '"contained": '),
    "a bracket that does not close": PRETTY.replace("  ],", "  ,"),
    "no comma between two": PRETTY.replace("},", "}"),
    "its end cut off": PRETTY[: PRETTY.index('"language"')].rstrip(),
    "its end cut off within a string": PRETTY[: PRETTY.index("oken")],
    "nothing but its beginning": "{",
    "a bracket in place of its beginning": PRETTY.replace("{", "]", 1),
    "a beginning that is none": PRETTY.removeprefix("{\n"),
    "words": "no JSON\n  at all",
}


@pytest.mark.parametrize("broken", BREAKS)
@pytest.mark.parametrize("at", [0, 1, 4])
def test_of_documents_over_several_lines_only_the_broken_one_is_put_aside(
    place: Place, broken: str, at: int
) -> None:
    documents = [json.dumps({**each, "language": "en"}, indent=2) for each in PATIENTS]
    began = sum(len(each.splitlines()) for each in documents[:at]) + 1
    documents.insert(at, BREAKS[broken])
    if at == 0:
        # Else nobody could tell what shape it is.
        documents.insert(0, json.dumps({**PATIENTS[0], "id": "first"}, indent=2))
        began += len(documents[0].splitlines())
    done = place.check("\n".join(documents).encode())
    kept = [each["id"] for each in place.lines if each["id"] != "first"]
    assert kept == [each["id"] for each in PATIENTS]
    (entry,) = place.put_aside
    assert (entry["line"], entry["reason"], done.aside) == (began, "is not JSON", 1)
    shown = [line.strip() for line in entry["raw"].splitlines()]
    assert shown == [line.strip() for line in BREAKS[broken].splitlines()]


WITHOUT_INDENTS: dict[str, Callable[[Any], str]] = {
    "a member on each line": lambda each: json.dumps(each, indent=0),
    "wrapped": lambda each: json.dumps(each).replace(', "', ',\n"'),
}


@pytest.mark.parametrize("style", WITHOUT_INDENTS)
@pytest.mark.parametrize("lost", range(1, 7))
def test_without_indents_a_document_cut_off_takes_one_other_along_at_most(
    place: Place, style: str, lost: int
) -> None:
    write = WITHOUT_INDENTS[style]
    documents = [write({**each, "name": [{"family": "a"}]}) for each in PATIENTS]
    lines = write(CONTAINING).splitlines()
    documents.insert(1, "\n".join(lines[:-lost]))
    place.check("\n".join(documents).encode())
    (entry,) = place.put_aside
    assert lines[0] in entry["raw"]
    taken = ["p1"] if '"p1"' in entry["raw"] else []
    assert not taken or lines[-lost - 1][-1] in ",[", "it cannot lie within"
    assert [*taken, *(each["id"] for each in place.lines if each["id"] != "p0")] == [
        *("p1", "p2", "p3")
    ]


def test_what_cannot_be_told_apart_is_put_aside_together(place: Place) -> None:
    """Cut off where a bracket may follow, and without indents: the next one may lie within."""
    documents = [json.dumps(each, indent=2) for each in PATIENTS]
    documents.insert(1, PRETTY[: PRETTY.index("[") + 1])
    place.check("\n".join(documents).encode())
    assert [each["id"] for each in place.lines] == ["p0", "p2", "p3"]
    (entry,) = place.put_aside
    assert '"p1"' in entry["raw"]
    flat = json.dumps(CONTAINING, indent=0)
    place.check("\n".join([flat, flat.replace("},", "}"), flat]).encode())
    assert [each["resourceType"] for each in place.lines] == ["Patient", "Patient"]
    (entry,) = place.put_aside
    assert entry["raw"].count("Organization") == 2


@pytest.mark.parametrize("value", ["x" * 3000, "x " * 200])
def test_a_document_of_several_lines_that_is_too_long_takes_no_other_along(
    place: Place, value: str
) -> None:
    long = json.dumps({**CONTAINING, "text": {"div": value.split()}}, indent=2)
    documents = [json.dumps(each, indent=2) for each in PATIENTS]
    documents[1:1] = [long, long.replace('"broken"', '"broken'), long[:-2]]
    body = "\n".join(documents).encode()
    done = place.check(body, longest=1000)
    assert place.lines == PATIENTS
    assert (done.given, done.aside) == (7, 3)
    first, *others = place.put_aside
    assert (first["line"], first["reason"]) == (6, "is too long to be read")
    assert [each["reason"] for each in others] == [first["reason"]] * 2
    assert (place.aside.parent / first["original"]).read_bytes() == body


def test_a_page_in_place_of_a_file_is_put_aside_whole(place: Place) -> None:
    page = b"<html>\n<body>\nPlease log in.\n</body>\n</html>\n"
    done = place.check(page)
    assert (done.kept, done.aside) == (0, 1)
    assert "Please log in." in place.put_aside[0]["raw"]


def test_a_line_too_long_to_be_read_is_kept_with_the_whole_file(place: Place) -> None:
    long = json.dumps({**PATIENTS[0], "id": "x" * 5000}).encode() + b"\n"
    done = place.check(b"{broken\n" + long + GOOD, longest=1000)
    assert place.lines == PATIENTS
    assert done.aside == 2
    entry = place.put_aside[1]
    assert (entry["line"], entry["reason"]) == (2, "is too long to be read")
    assert (place.aside.parent / entry["original"]).read_bytes().count(b"x" * 5000) == 1


def test_a_file_cut_off_in_its_compression_is_told(place: Place) -> None:
    cut = gzip.compress(GOOD * 500)[:-20]
    done = place.check(cut)
    assert done.aside >= 1
    (entry,) = [each for each in place.put_aside if each["reason"] == "cannot be decompressed"]
    assert (place.aside.parent / entry["original"]).read_bytes() == cut


def test_what_breaks_the_rules_is_counted_by_place(place: Place) -> None:
    body = GOOD + (json.dumps(WRONG).encode() + b"\n") * 3
    done = place.check(body)
    assert done.findings == {
        ("Patient", "Patient.gender", "required_code"): (3, 5),
        ("Patient", "Patient.name[].use", "required_code"): (3, 5),
    }
    assert (done.kept, done.aside) == (7, 0)
    assert place.final.read_bytes() == body


def test_what_breaks_the_rules_is_put_aside_where_that_is_asked_for(place: Place) -> None:
    wrong = json.dumps(WRONG).encode()
    done = place.check(wrong + b"\n" + GOOD, "quarantine")
    assert place.lines == PATIENTS
    assert (done.kept, done.aside) == (4, 1)
    (entry,) = place.put_aside
    assert entry["resource"] == WRONG
    assert {finding["rule"] for finding in entry["findings"]} == {"required_code"}
    assert wrong in place.aside.read_bytes()


def test_rules_are_not_looked_at_where_nobody_asks(place: Place) -> None:
    done = place.check(json.dumps(WRONG).encode(), "none")
    assert (done.kept, done.findings) == (1, {})


def test_another_type_than_said_is_a_finding(place: Place) -> None:
    goal = {"resourceType": "Basic", "id": "b", "code": {"text": "x"}}
    done = place.check(json.dumps(goal).encode() + b"\n" + GOOD)
    assert ("Basic", "Basic", "resource_type") in done.findings
    assert done.counts == {"Basic": 1, "Patient": 4}
    unknown = place.check(b'{"resourceType": "Novelty", "id": "n"}\n')
    assert unknown.unchecked == {"Novelty"}


def test_a_check_can_be_stopped_and_leaves_the_file(place: Place) -> None:
    place.part.write_bytes(GOOD)
    halt = Event()
    halt.set()
    with pytest.raises(Cancelled):
        check(
            place.part,
            place.final,
            place.aside,
            "Patient",
            validation="none",
            longest=100,
            halt=halt,
        )
    assert place.part.read_bytes() == GOOD
    assert [path.name for path in place.part.parent.iterdir()] == ["P.part"]


values = st.recursive(
    st.none() | st.booleans() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
styles = st.sampled_from([0, 1, 4, "\t"]), st.sampled_from([(",", ": "), (" ,", ":")])


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(values, *styles, st.booleans()), min_size=1, max_size=5))
def test_documents_written_in_any_style_are_told_apart(
    place: Place, given: list[tuple[Any, Any, tuple[str, str], bool]]
) -> None:
    bodies, wanted = [], []
    for value, indent, separators, ascii_ in given:
        wanted.append({"resourceType": "Patient", "x": value})
        bodies.append(
            json.dumps(wanted[-1], indent=indent, separators=separators, ensure_ascii=ascii_)
        )
    place.check("\n".join(bodies).encode("utf-8", "replace"), "none")
    assert place.lines == wanted


json_lines = st.lists(
    st.one_of(
        st.sampled_from([json.dumps(each).encode() for each in PATIENTS]),
        st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")),
        st.sampled_from([b"", b"{", b"}", b"[", b"null", b'{"resourceType": "Patient"}']),
    ),
    max_size=8,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(json_lines)
def test_no_line_is_ever_lost(place: Place, lines: list[bytes]) -> None:
    place.check(b"\n".join(lines))
    aside = b"".join(
        b""
        if "original" in entry
        else entry["raw"].encode()
        if "raw" in entry
        else b64decode(entry["raw_base64"])
        for entry in place.put_aside
    )
    kept = place.final.read_bytes()
    for patient in PATIENTS:
        text = json.dumps(patient).encode()
        if text in lines:
            assert text in kept or text in aside
    for line in kept.splitlines():
        assert json.loads(line)["resourceType"]
