"""The parts FHIR resources are made of, and Medfusion's elements beside them: names, addresses.

Values to values; a FHIR element that is not what it should be counts as absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from practicefusion_connector.medfusion.models import Address, Name

Json = dict[str, Any]

# Uses that say "not this one".
OVER = ("old", "temp")


def human_name(name: Name, use: str | None = None) -> Json:
    """Return a HumanName."""
    given = [part for part in (name.first_name, name.middle_name) if part]
    return filled(
        {
            "use": use,
            "family": name.last_name,
            "given": given,
            "prefix": [name.prefix] if name.prefix else None,
            "suffix": [name.suffix] if name.suffix else None,
        }
    )


def name_of(name: Mapping[str, Any] | None) -> Name | None:
    """Return the name a HumanName tells; given names behind the first are the middle name."""
    if not name:
        return None
    first, *middle = name.get("given") or [None]
    return Name(
        prefix=" ".join(name.get("prefix") or ()),
        first_name=first,
        middle_name=" ".join(middle),
        last_name=name.get("family"),
        suffix=" ".join(name.get("suffix") or ()),
    )


def postal(address: Address, use: str | None = None) -> Json:
    """Return a FHIR Address."""
    return filled(
        {
            "use": use,
            "line": [line for line in (address.line1, address.line2) if line],
            "city": address.city,
            "state": address.state,
            "postalCode": address.zip_code,
            "country": address.country,
        }
    )


def address_of(address: Mapping[str, Any] | None) -> Address | None:
    """Return the address a FHIR Address tells; lines behind the first share the second."""
    if not address:
        return None
    first, *rest = address.get("line") or [None]
    return Address(
        line1=first,
        line2=", ".join(rest),
        city=address.get("city"),
        state=address.get("state"),
        country=address.get("country"),
        zip_code=address.get("postalCode"),
    )


def point(system: str, value: str | None, use: str | None = None) -> Json:
    """Return a ContactPoint, nothing where there is no value."""
    return filled({"system": system, "value": value, "use": use}) if value else {}


def contact_point(resource: Mapping[str, Any], system: str, use: str | None) -> str | None:
    """Return the first value in use; a phone without a use counts as the home's."""
    fitting = {None, "home"} if use == "home" else {use}
    for one in as_dicts(resource.get("telecom")):
        said = one.get("use")
        wanted = said not in OVER and (use is None or said in fitting)
        if wanted and one.get("system") == system and one.get("value"):
            return str(one["value"])
    return None


def text_of(concept: Any) -> str | None:
    """Return a CodeableConcept as text: its own, else a code's name."""
    codings = as_dicts(as_dict(concept).get("coding"))
    coding = codings[0] if codings else {}
    return as_dict(concept).get("text") or coding.get("display") or coding.get("code")


def preferred(listed: Any, uses: tuple[str | None, ...]) -> Json | None:
    """Return the one of the first use there is; anything rather than nothing where `None` is in."""
    found = as_dicts(listed)
    for use in uses:
        for one in found:
            if one.get("use") == use:
                return one
    return found[0] if found and None in uses else None


def filled(fields: Mapping[str, Any]) -> Json:
    """Return the fields that hold anything: FHIR has no empty elements."""
    return {name: value for name, value in fields.items() if value not in (None, [], {}, "")}


def as_dict(value: Any) -> Json:
    """Return the value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_dicts(value: Any) -> list[Json]:
    """Return the objects in a list, none where it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
