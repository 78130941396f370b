"""A CSV file of patients to invite: every row checked before the first is sent.

Rows are numbered as spreadsheets number them: the columns' names are row 1. What is wrong is told
by row, column and the value's shape, never by the value.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.medfusion.columns import columns
from practicefusion_connector.medfusion.invitation import invitation, unknown_column
from practicefusion_connector.medfusion.models import Patient
from practicefusion_connector.registry.values import nearest

_LONGEST_FIELD = 10_000
# How many wrong rows one sentence names; all are in `problems`.
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a patient to invite, or what is wrong with it, by column."""

    number: int
    patient: Patient | None = field(repr=False)
    problems: tuple[tuple[str, str], ...] = ()


def read_rows(path: Path) -> list[Row]:
    """Return every row of a CSV file (RFC 4180, UTF-8, the columns' names first).

    Raises:
        InvalidInput: the file cannot be read as such, or its columns are not those of an
            invitation.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    reason = ""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            names = [name.strip().lower() for name in next(reader, [])]
            _check_columns(names)
            return list(_unique(_row(number, names, row) for number, row in _numbered(reader)))
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
    except UnicodeDecodeError:
        reason = "it is not text in UTF-8; save it as CSV UTF-8"
    except csv.Error:
        reason = "a quotation mark is not closed, or a field is far too long"
    raise InvalidInput(f"The CSV file cannot be read: {reason}.")


def refusal(rows: Sequence[Row]) -> InvalidInput | None:
    """Return the error that names every row that cannot be invited, `None` where there is none."""
    wrong = [row for row in rows if row.problems]
    if not wrong:
        return None
    told = "; ".join(f"row {row.number}: {_sentence(row)}" for row in wrong[:_NAMED])
    more = f"; and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    return InvalidInput(
        f"{len(wrong)} of {len(rows)} rows cannot be invited, and nothing was sent. {told}{more}.",
        problems=[
            {"path": f"row {row.number}.{column}", "message": message}
            for row in wrong
            for column, message in row.problems
        ],
    )


def _sentence(row: Row) -> str:
    return ", ".join(f"{column} {message}" for column, message in row.problems)


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(reader, start=2):
        if any(field.strip() for field in row):
            yield number, row


def _check_columns(names: Sequence[str]) -> None:
    problems = [(name, unknown_column(name)) for name in names if name not in columns()]
    problems += [(name, "stands there twice") for name in set(names) if names.count(name) > 1]
    problems += [
        (name, "is missing")
        for name, column in columns().items()
        if column.required and name not in names
    ]
    if problems:
        told = "; ".join(f"{_shown(name)} {message}" for name, message in problems)
        raise InvalidInput(
            f"The CSV file's first row does not name the columns: {told}.",
            problems=[
                {"path": f"row 1.{_shown(name)}", "message": message} for name, message in problems
            ],
        )


def _shown(name: str) -> str:
    """Return a column's name where it looks like one: without a header it is a patient's data."""
    plain = name in columns() or nearest(name, columns()) or re.fullmatch(r"[a-z]+(_[a-z]+)+", name)
    return name if plain else "a column"


def _row(number: int, names: Sequence[str], row: Sequence[str]) -> Row:
    if len(row) > len(names):
        told = f"has {len(row)} fields, the first row names {len(names)}; quote fields with commas"
        return Row(number, None, (("the row", told),))
    given = dict(zip(names, row, strict=False))
    try:
        return Row(number, invitation(given))
    except InvalidInput as error:
        problems = tuple((one["path"], one["message"]) for one in error.problems)
    return Row(number, None, problems)


def _unique(rows: Iterator[Row]) -> Iterator[Row]:
    """Refuse the second row of one patient: it would be a second invitation."""
    first: dict[str | None, int] = {}
    for row in rows:
        if row.patient is None:
            yield row
            continue
        number = first.setdefault(row.patient.practice_patient_id, row.number)
        if number == row.number:
            yield row
        else:
            told = f"is the same as in row {number}; one invitation for each patient"
            yield Row(row.number, None, (("practice_patient_id", told),))
