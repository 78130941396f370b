"""CSV files of patients: every wrong row is told by its number, its column and its shape."""

from __future__ import annotations

from pathlib import Path

import pytest

from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.medfusion.actions import actions, check
from practicefusion_connector.medfusion.columns import columns
from practicefusion_connector.medfusion.patient_file import read_rows, refusal
from tests.leaks import everything_said

HEAD = "practice_patient_id,first_name,last_name,date_of_birth,gender,email"
GOOD = "P1,Alma,Castro,1980-02-29,f,alma@mail.example"


def file_of(tmp_path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "patients.csv"
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("P2,,Canary,1980-02-29,f,a@mail.example", "first_name"),
        ("P2,Alma,Canary,29.02.1980,f,a@mail.example", "date_of_birth"),
        ("P2,Alma,Canary,1981-02-29,f,a@mail.example", "date_of_birth"),
        ("P2,Alma,Canary,2999-01-01,f,a@mail.example", "date_of_birth"),
        ("P2,Alma,Canary,1700-01-01,f,a@mail.example", "date_of_birth"),
        ("P2,Alma,Canary,1980-02-29,yes,a@mail.example", "gender"),
        ("P2,Alma,Canary,1980-02-29,f,canary.mail.example", "email"),
        ("P2,Alma,Canary,1980-02-29,f,a@mail.example;b@mail.example", "email"),
        ("P 2,Alma,Canary,1980-02-29,f,a@mail.example", "practice_patient_id"),
        ('P2,Alma,"Can\tary",1980-02-29,f,a@mail.example', "last_name"),
        (f"P2,Alma,{'Canary' * 60},1980-02-29,f,a@mail.example", "last_name"),
        ("P2,Alma,Canary,1980-02-29,f,a@mail.example,more", "the row"),
        ("P2,Alma,Canary", "date_of_birth"),
        ("P1,Alma,Canary,1980-02-29,f,a@mail.example", "practice_patient_id"),
    ],
)
def test_a_wrong_row_is_named_by_number_column_and_shape(
    tmp_path: Path, line: str, column: str
) -> None:
    rows = read_rows(file_of(tmp_path, HEAD, GOOD, "", line, GOOD.replace("P1", "P9")))
    assert [row.number for row in rows] == [2, 4, 5]
    assert [bool(row.problems) for row in rows] == [False, True, False]
    assert column in [name for name, _ in rows[1].problems]
    refused = refusal(rows)
    assert refused is not None
    assert refused.message.startswith("1 of 3 rows cannot be invited, and nothing was sent. row 4:")
    assert f"row 4.{column}" in [problem["path"] for problem in refused.problems]
    assert "canary" not in everything_said(refused).lower()


def test_many_wrong_rows_are_told_without_end_in_the_problems_only(tmp_path: Path) -> None:
    lines = [GOOD.replace("P1", f"P{n}").replace("@", " at ") for n in range(50)]
    refused = refusal(read_rows(file_of(tmp_path, HEAD, *lines)))
    assert refused is not None
    assert refused.message.count("row ") == 20
    assert refused.message.endswith("and 30 more.")
    assert len(refused.problems) == 50


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (HEAD.replace("email", "emial"), 'emial is no column. Did you mean "email"?'),
        (f"{HEAD},gender", "gender stands there twice"),
        (HEAD.replace(",email", ""), "email is missing"),
        ("canary-id,Alma,Castro,1980-02-29,f,canary@mail.example", "a column is no column"),
        ("", "email is missing"),
    ],
)
def test_wrong_columns_are_named_unless_they_are_data(tmp_path: Path, head: str, told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_rows(file_of(tmp_path, head, GOOD))
    assert told in refused.value.message
    assert "canary" not in everything_said(refused.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (HEAD.encode() + b"\nP1,\xff", "not text in UTF-8"),
        (HEAD.encode() + b'\nP1,"Alma', "quotation mark"),
        (HEAD.encode() + b"\n" + b"x" * 20_000, "far too long"),
        (None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_why(
    tmp_path: Path, content: bytes | None, told: str
) -> None:
    path = tmp_path / "patients.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput, match=told):
        read_rows(path)


def test_what_spreadsheets_write_is_read(tmp_path: Path) -> None:
    head = HEAD.upper().replace("DATE_OF_BIRTH", " date_of_birth ")
    line = 'P1,Älma,"Castro, de",02/29/1980,Female,alma@mail.example'
    (row,) = read_rows(file_of(tmp_path, head, line, encoding="utf-8-sig"))
    assert row.patient is not None
    assert row.patient.name is not None
    assert row.patient.name.last_name == "Castro, de"
    assert str(row.patient.date_of_birth) == "1980-02-29"
    assert row.patient.gender == "FEMALE"
    assert "Castro" not in repr(row)


# The declarations


def test_the_samples_of_all_actions_pass_their_own_checks() -> None:
    assert len(actions()) == 5
    for declared in actions().values():
        assert check(declared, declared.sample)


def test_every_column_has_its_place_in_a_patient() -> None:
    for name, column in columns().items():
        assert column.says, name
    required = {name for name, column in columns().items() if column.required}
    assert required == set(HEAD.split(","))


@pytest.mark.parametrize(
    ("key", "inputs", "path"),
    [
        ("medfusion_invite_patient", {}, "patient"),
        ("medfusion_invite_patient", {"patient": "canary"}, "patient.patient"),
        ("medfusion_invite_patient", {"patient": {"first_name": ["canary"]}}, "patient.first_name"),
        (
            "medfusion_invite_patient",
            {"patient": {"resourceType": "Group"}},
            "patient.resourceType",
        ),
        (
            "medfusion_invite_patient",
            {"patient": {"name": {"nick": "canary"}}},
            "patient.name.nick",
        ),
        ("medfusion_invite_patients", {"patients": "canary"}, "patients"),
        ("medfusion_invite_patients", {"patients": [{}]}, "patients[0].email"),
        ("medfusion_list_updated_patients", {"since": "yesterday"}, "since"),
        ("medfusion_list_updated_patients", {"since": "2026-01-31T08:00:00"}, "since"),
        ("medfusion_list_updated_patients", {"form": "hl7"}, "form"),
        ("medfusion_list_updated_patients", {"sinse": 1}, "sinse"),
        ("medfusion_wait_for_batch", {"status_url": ["ftp://x"]}, "status_url"),
        ("medfusion_wait_for_batch", {"status_url": "https://x", "timeout": -1}, "timeout"),
        ("medfusion_wait_for_batch", {"status_url": "https://x", "interval": True}, "interval"),
        ("medfusion_invite_patient", {"patient": {}, "again": "perhaps"}, "again"),
    ],
)
def test_wrong_inputs_are_named_and_not_shown(
    key: str, inputs: dict[str, object], path: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        check(actions()[key], inputs)
    assert path in [problem["path"] for problem in refused.value.problems]
    assert "canary" not in everything_said(refused.value)
