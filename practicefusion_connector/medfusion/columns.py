"""The columns of an invitation, as data, and what a value in each must look like.

`actions/medfusion/columns.toml` declares them: for CSV files and for patients given as flat
objects alike. Pure after loading; a refusal tells a value's shape and never the value.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from practicefusion_connector.registry.values import Refused, shape
from practicefusion_connector.resources import folder

Kind = Literal["text", "id", "birth_date", "gender", "email", "phone"]

_LONGEST = 255
_EARLIEST_BIRTH = date(1880, 1, 1)
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_EMAIL = re.compile(r"[^@\s,;<>]{1,64}@[^@\s,;<>.]+(\.[^@\s,;<>.]+)+")
_GENDERS = {
    "f": "FEMALE",
    "female": "FEMALE",
    "m": "MALE",
    "male": "MALE",
    "o": "OTHER",
    "other": "OTHER",
    "u": "UNKNOWN",
    "unknown": "UNKNOWN",
}


class Column(BaseModel):
    """One column; `path` says where it goes in Medfusion's Patient."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    kind: Kind = "text"
    required: bool = False
    says: str


@cache
def columns() -> dict[str, Column]:
    """Return the columns by name, in order, loaded once."""
    file = folder("actions") / "medfusion" / "columns.toml"
    declared = tomllib.loads(file.read_text("utf-8"))
    return {name: Column(**fields) for name, fields in declared.items()}


def value_of(column: Column, value: Any) -> str:
    """Return a column's value as Medfusion takes it; raises `Refused`."""
    text = str(value) if isinstance(value, int | date) and value is not True else value
    if not isinstance(text, str):
        raise Refused(f"is {shape(value)}; it must be text")
    text = text.strip()
    if _CONTROL_CHARACTER.search(text):
        raise Refused("has a line break, tab or other control character in it; take it out")
    if len(text) > _LONGEST:
        raise Refused(f"has {len(text)} characters; {_LONGEST} is the most")
    return _KINDS[column.kind](text)


def _text(text: str) -> str:
    return text


def _id(text: str) -> str:
    if re.search(r"\s", text):
        raise Refused(f"is {shape(text)}; it must be an id without spaces")
    return text


def _birth_date(text: str) -> str:
    day = None
    # FHIR and exports write a day, spreadsheets in the United States month/day/year.
    for form in ("%Y-%m-%d", "%m/%d/%Y"):
        try:
            day = datetime.strptime(text, form).date()
            break
        except ValueError:
            continue
    if day is None:
        raise Refused(f"is {shape(text)}; it must be a date: YYYY-MM-DD, or MM/DD/YYYY")
    if not _EARLIEST_BIRTH <= day <= date.today():
        raise Refused("is no date of birth of a living person: it is in the future, or before 1880")
    return day.isoformat()


def _gender(text: str) -> str:
    found = _GENDERS.get(text.lower())
    if found is None:
        raise Refused(f"is {shape(text)}; it must be female, male, other or unknown")
    return found


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text) or len(text) > 254:
        raise Refused(f"is {shape(text)}; it must be one e-mail address, name@host.domain")
    return text


def _phone(text: str) -> str:
    digits = re.sub(r"\D", "", text)
    if not re.fullmatch(r"[-+().\sxX#*/0-9]+", text) or not 7 <= len(digits) <= 20:
        raise Refused(f"is {shape(text)}; it must be a phone number with 7 digits or more")
    return text


_KINDS: dict[Kind, Callable[[str], str]] = {
    "text": _text,
    "id": _id,
    "birth_date": _birth_date,
    "gender": _gender,
    "email": _email,
    "phone": _phone,
}
