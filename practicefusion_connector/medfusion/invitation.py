"""What an invitation must hold, from whatever form a patient is given in.

A flat object (the columns of a CSV file), a FHIR Patient, or the portal's own fields become one
`Patient` that may be sent; everything wrong is named at once, by column, never by value. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.medfusion.columns import Column, columns, value_of
from practicefusion_connector.medfusion.fhir import from_fhir
from practicefusion_connector.medfusion.models import Patient
from practicefusion_connector.registry.values import Refused, nearest, shape

Problem = tuple[str, str]


def invitation(given: Any) -> Patient:
    """Return the patient to invite.

    Args:
        given: a flat object, a FHIR Patient, a `Patient`, or its fields as an object.

    Raises:
        InvalidInput: with a `path` (the column) and a `message` for everything that is wrong.
    """
    problems: list[Problem] = []
    if isinstance(given, Patient):
        patient = given
    elif not isinstance(given, Mapping):
        raise _refused([("patient", f"is {shape(given)}; it must be an object")])
    elif "resourceType" in given:
        patient = _from_resource(given)
    elif any(isinstance(value, Mapping) for value in given.values()):
        patient = _from_fields(given)
    else:
        return _from_columns(given)
    checked = patient.model_dump(mode="json", by_alias=False)
    for name, column in columns().items():
        try:
            _put(checked, column, _checked(column, _at(checked, column.path)))
        except Refused as refusal:
            problems.append((name, str(refusal)))
    if problems:
        raise _refused(problems)
    return Patient.model_validate(checked)


def unknown_column(name: str) -> str:
    """Say that there is no such column, and which was meant."""
    return f"is no column.{nearest(name, columns())} There are {', '.join(columns())}"


def _from_columns(given: Mapping[str, Any]) -> Patient:
    fields: dict[str, Any] = {}
    problems = [(str(name), unknown_column(str(name))) for name in given if name not in columns()]
    for name, column in columns().items():
        try:
            _put(fields, column, _checked(column, given.get(name)))
        except Refused as refusal:
            problems.append((name, str(refusal)))
    if problems:
        raise _refused(problems)
    return Patient.model_validate(fields)


def _checked(column: Column, value: Any) -> str | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        if column.required:
            raise Refused(f"is missing: {column.says.rstrip('.')}")
        return None
    return value_of(column, value)


def _from_resource(resource: Mapping[str, Any]) -> Patient:
    if resource["resourceType"] != "Patient":
        raise _refused([("resourceType", "is another type; it must be Patient")])
    try:
        return from_fhir(resource)
    except ValidationError as error:
        problems = list(_told(error))
    raise _refused(problems)


def _from_fields(given: Mapping[str, Any]) -> Patient:
    try:
        return Patient.model_validate(dict(given))
    except ValidationError as error:
        problems = list(_told(error))
    raise _refused(problems)


def _told(error: ValidationError) -> Iterator[Problem]:
    for item in error.errors(include_input=False, include_url=False):
        yield ".".join(map(str, item["loc"])), f"is wrong: {item['msg']}"


def _at(fields: Any, path: str) -> Any:
    for part in path.split("."):
        fields = (fields or {}).get(part)
    return fields


def _put(fields: dict[str, Any], column: Column, value: str | None) -> None:
    *parents, name = column.path.split(".")
    for parent in parents:
        if fields.get(parent) is None:
            fields[parent] = {}
        fields = fields[parent]
    fields[name] = value


def _refused(problems: list[Problem]) -> InvalidInput:
    told = "; ".join(f"{path} {message}" for path, message in problems)
    return InvalidInput(
        f"The patient cannot be invited: {told}.",
        problems=[{"path": path, "message": message} for path, message in problems],
    )
