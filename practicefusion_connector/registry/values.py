"""One input value to the text FHIR R4 search wants (search §3.1.1.4), or a clear refusal.

Every function is pure. A refusal says what shape the value has and what shape is wanted; it never
repeats the value, which may be PHI.
"""

from __future__ import annotations

import datetime as dt
import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from practicefusion_connector.registry.definitions import Parameter

COMPARATORS = ("eq", "ne", "gt", "ge", "lt", "le", "sa", "eb", "ap")
_DATE = re.compile(
    r"(?P<day>\d{4}(-\d{2}(-\d{2})?)?)(T(?P<time>\d{2}:\d{2}(:\d{2}(\.\d+)?)?)(Z|[+-]\d{2}:\d{2}))?"
)
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?")
# Dots alone are a path's own signs: as an id they would lead to another address.
_ID = re.compile(r"(?!\.+$)[A-Za-z0-9.-]{1,64}")
_TYPE = re.compile(r"[A-Z][A-Za-z]{0,63}")
_ESCAPED = re.compile(r"\\([\\,|$])")
_DATE_WANTED = (
    "a year, year-month, day (2026-01-31) or moment with a zone (2026-01-31T09:30:00Z), "
    "with eq ne gt ge lt le sa eb or ap in front where wanted"
)


class Refused(ValueError):
    """A value that cannot be sent; the message is safe to show."""


def shape(value: Any) -> str:
    """Describe a value by its form alone: letters become a, digits 9."""
    if isinstance(value, str):
        masked = re.sub(r"\d", "9", re.sub(r"[^\W\d_]|[^\x20-\x7e\d]", "a", value[:24]))
        return f'text like "{masked}{"…" if len(value) > 24 else ""}"'
    names = {bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
    return names.get(type(value), "an object" if isinstance(value, Mapping) else "another type")


def is_id(text: Any) -> bool:
    """Say whether `text` is a FHIR logical id (R4 datatypes §2.24.0.1)."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def escape(text: str) -> str:
    """Escape the characters that separate values in a search (R4 search §3.1.1.5.7)."""
    return re.sub(r"([\\,|$])", r"\\\1", text)


def _split(text: str, separator: str) -> list[str]:
    """Split text at the separators that no backslash escapes; escapes stay as they are."""
    parts = [""]
    for sign in re.findall(r"\\[\\,|$]|.", text, re.DOTALL):
        if sign == separator:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _unescape(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def nearest(word: str, words: Iterable[str]) -> str:
    """Return ` Did you mean "…"?` for a near miss, else nothing."""
    near = difflib.get_close_matches(word, list(words), n=1)
    return f' Did you mean "{near[0]}"?' if near else ""


def encode(parameter: Parameter, value: Any, base_url: str) -> list[str]:
    """Return the query values of one input: one text for each repetition.

    A list is comma-OR; for dates and quantities it is repetition, as two bounds are. An object
    gives bounds (`{"ge": …, "lt": …}`) or parts (`{"system": …, "code": …}`). Text may hold several
    alternatives separated by commas, and a backslash escapes as FHIR writes it, but for the types
    string and uri, where text is one value whatever is in it.

    Raises:
        Refused: where the value does not fit the parameter.
    """
    repetitions = _bounds(parameter, value) if parameter.comparators else [value]
    if len(repetitions) > 1 and not parameter.repeat:
        raise Refused("takes one value, not several")
    return [_any_of(parameter, repetition, base_url) for repetition in repetitions]


def _any_of(parameter: Parameter, value: Any, base_url: str) -> str:
    items = _alternatives(parameter, value)
    if len(items) > 1 and not parameter.or_:
        raise Refused("takes one value, not a list")
    one = _ENCODERS[parameter.type]
    return ",".join(one(parameter, item, base_url) for item in items)


def _alternatives(parameter: Parameter, value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, str) and parameter.type not in ("string", "uri"):
        return [part.strip() for part in _split(value, ",")]
    return [value]


def _bounds(parameter: Parameter, value: Any) -> list[Any]:
    """Spread lists and `{"ge": …, "lt": …}` into single values with their comparator in front."""
    if isinstance(value, list):
        return [bound for item in value for bound in _bounds(parameter, item)]
    if not isinstance(value, Mapping) or "value" in value:
        return [value]
    for key in value:
        if key not in parameter.comparators:
            raise Refused(
                f"takes bounds by comparator ({', '.join(parameter.comparators)}), "
                'for example {"ge": …, "lt": …}'
            )
    return [(key, bound) for key, bound in value.items() if bound not in (None, "")]


def _split_comparator(parameter: Parameter, value: Any) -> tuple[str, Any]:
    if isinstance(value, tuple):
        return value
    if isinstance(value, str) and value[:2] in COMPARATORS:
        if value[:2] not in parameter.comparators:
            raise Refused(f"does not take {value[:2]}; it takes {', '.join(parameter.comparators)}")
        return value[:2], value[2:]
    return "", value


def _date(parameter: Parameter, value: Any, base_url: str) -> str:
    comparator, bare = _split_comparator(parameter, value)
    if isinstance(bare, dt.datetime) and bare.tzinfo is None:
        raise Refused("is a moment without a time zone; give it one")
    text = bare.isoformat() if isinstance(bare, dt.date) else bare
    if not isinstance(text, str):
        raise Refused(f"is {shape(text)}; it must be {_DATE_WANTED}")
    found = _DATE.fullmatch(text.strip())
    if not found or not _exists(found):
        raise Refused(f"is {shape(text)}; it must be {_DATE_WANTED}")
    return comparator + found.group()


def _exists(found: re.Match[str]) -> bool:
    """Say whether the calendar and the clock have it; FHIR days may stop at the month or year."""
    try:
        dt.date.fromisoformat((found["day"] + "-01-01")[:10])
        if found["time"]:
            dt.datetime.fromisoformat(found.group())
    except ValueError:
        return False
    return len(found["day"]) == 10 or not found["time"]


def _amount(value: Any) -> str:
    """Return a number as text; `str` of an int of thousands of digits would fail."""
    sane = isinstance(value, str | float) or (isinstance(value, int) and abs(value) < 10**18)
    text = str(value).strip() if sane and not isinstance(value, bool) else ""
    # A float's own text may have more decimals than anybody would write.
    good = math.isfinite(value) if isinstance(value, float) else _NUMBER.fullmatch(text)
    if not good:
        raise Refused(f"is {shape(value)}; it must be a number")
    return text


def _page_size(parameter: Parameter, value: Any, base_url: str) -> str:
    text = _amount(value)
    if not text.isdigit() or int(text) < 1:
        raise Refused("must be a whole number, 1 or more")
    return str(int(text))


def _quantity(parameter: Parameter, value: Any, base_url: str) -> str:
    if isinstance(value, Mapping):
        number, *unit = _parts(value, "value", "system", "code")
    else:
        comparator, bare = _split_comparator(parameter, value)
        number, *unit = _split(bare, "|") if isinstance(bare, str) else [bare]
        if len(unit) not in (0, 2):
            raise Refused(f"is {shape(bare)}; it must be a number, or number|system|code")
        number, unit = (comparator, number), [_unescape(part) for part in unit]
    comparator, bare = _split_comparator(parameter, number)
    texts = [comparator + _amount(bare), *map(escape, unit)]
    return "|".join(texts if any(unit) else texts[:1])


def _parts(value: Mapping[str, Any], *names: str) -> list[Any]:
    """Return an object's parts in the order of `names`, trimmed; all but a number must be text."""
    if any(key not in names for key in value):
        raise Refused(f"is an object with other parts than {', '.join(names)}")
    for name, part in value.items():
        if name != "value" and not isinstance(part, str):
            raise Refused(f"has a {name} that is {shape(part)}; it must be text")
    parts = [value.get(name, "") for name in names]
    return [part.strip() if isinstance(part, str) else part for part in parts]


def _token(parameter: Parameter, value: Any, base_url: str) -> str:
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, Mapping):
        system, code = _parts(value, "system", "code")
        bar = "|" if system else ""
    elif isinstance(value, str) and value.strip("| "):
        first, *rest = _split(value.strip(), "|")
        bar = "|" if rest else ""
        system, code = map(_unescape, (first, "|".join(rest)) if rest else ("", first))
    else:
        raise Refused(f"is {shape(value)}; it must be text: a code, or system|code")
    known = parameter.closed and system in ("", parameter.system or system)
    if known and code and code not in parameter.codes:
        raise Refused(f"takes one of {', '.join(parameter.codes)}.{nearest(code, parameter.codes)}")
    return escape(system) + bar + escape(code)


def _reference(parameter: Parameter, value: Any, base_url: str) -> str:
    text = value.strip() if isinstance(value, str) else value
    if not isinstance(text, str):
        raise Refused(f"is {shape(text)}; it must be text: an id, Type/id or a URL of this server")
    kind, slash, logical_id = _relative(text, base_url).rpartition("/")
    if not is_id(logical_id) or (slash and not _TYPE.fullmatch(kind)):
        raise Refused(f"is {shape(text)}; it must be an id, Type/id or a URL of this server")
    if kind and parameter.targets and kind not in parameter.targets:
        allowed = " or ".join(parameter.targets)
        raise Refused(f"points at another type; it must be a reference to {allowed}")
    # A bare id is the form seen answered by Practice Fusion; it is clear where one type is meant.
    return logical_id if len(parameter.targets) == 1 or not kind else f"{kind}/{logical_id}"


def _relative(text: str, base_url: str) -> str:
    if "://" not in text:
        return text
    if _origin(text) != _origin(base_url):
        raise Refused("is a URL on another server; only this connection's FHIR base is allowed")
    there, base = urlsplit(text), urlsplit(base_url).path.rstrip("/") + "/"
    if not there.path.startswith(base) or there.query or there.fragment:
        raise Refused("is a URL outside this connection's FHIR base")
    return there.path.removeprefix(base)


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return None
    return parts.scheme, parts.hostname, port


def _string(parameter: Parameter, value: Any, base_url: str) -> str:
    if not isinstance(value, str):
        raise Refused(f"is {shape(value)}; it must be text")
    if parameter.closed and value not in parameter.codes:
        raise Refused(f"takes one of {', '.join(parameter.codes)}")
    return escape(value.strip())


def _uri(parameter: Parameter, value: Any, base_url: str) -> str:
    if not isinstance(value, str) or re.search(r"\s", value.strip()):
        raise Refused(f"is {shape(value)}; it must be a URI without spaces")
    return escape(value.strip())


def _composite(parameter: Parameter, value: Any, base_url: str) -> str:
    names = [name for name, _ in parameter.components]
    if isinstance(value, str):
        parts: list[Any] = _split(value, "$")
    else:
        known = isinstance(value, Mapping) and not value.keys() - set(names)
        parts = [value.get(name) for name in names] if known else []
    if len(parts) != len(names) or not all(parts):
        raise Refused(f"is {shape(value)}; it must be {'$'.join(names)}")
    singles = [
        Parameter(name=name, input=name, type=kind, support=parameter.support, says="")
        for name, kind in parameter.components
    ]
    pairs = zip(singles, parts, strict=True)
    return "$".join(_ENCODERS[single.type](single, part, base_url) for single, part in pairs)


_ENCODERS: dict[str, Callable[[Parameter, Any, str], str]] = {
    "token": _token,
    "date": _date,
    "reference": _reference,
    "string": _string,
    "quantity": _quantity,
    "uri": _uri,
    "composite": _composite,
    "number": _page_size,
}
