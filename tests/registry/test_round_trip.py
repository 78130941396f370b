"""Every parameter of every search, any value: it arrives as it was meant, or is refused unrepeated.

What is sent is decoded with a reader of FHIR's escaping written here, from R4 search §3.1.1.5.7; it
knows nothing of how the package encodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.registry import Action, Parameter, Request, check, shipped
from tests.leaks import everything_said

BASE = "https://ehr.example/fhir/r4"
SEARCHES = [action for action in shipped() if action.operation == "search"]
CANARY = "Zq7xCanaryzK9"


def accepted_or_said(action: Action, inputs: dict[str, Any]) -> Request | str:
    try:
        return check(action, inputs, BASE)
    except InvalidInput as error:
        return everything_said(error)


NASTY: list[Any] = [
    *(
        CANARY,
        f"{CANARY},{CANARY}",
        f"s|{CANARY}",
        f"{CANARY}\\",
        f"Patient/{CANARY}",
        f"ge{CANARY}",
    ),
    *(f"https://{CANARY}.example/Patient/1", f"https://[{CANARY}", f"{BASE}/Patient/{CANARY} x"),
    *(f"1|{CANARY}|{CANARY}", f"5||{CANARY}", f"7${CANARY}", f"-{CANARY}", f"{CANARY}é̂李"),
    *([CANARY, [CANARY]], {"ge": CANARY}, {CANARY: CANARY}, {"code": {CANARY: 1}}, [{"x": CANARY}]),
    *({"system": CANARY, "code": CANARY}, {"value": CANARY}, f"{CANARY}\n", f"{CANARY}\ud800"),
    *(0, -1, 10**30, 1e300, True, f"http://{CANARY}:99999/x", f"{CANARY}@x.example"),
]


@pytest.mark.parametrize("action", SEARCHES, ids=lambda action: action.key)
def test_no_refusal_repeats_a_value(action: Action) -> None:
    for parameter in action.parameters:
        for value in NASTY:
            outcome = accepted_or_said(action, {parameter.input: value})
            if isinstance(outcome, str):
                assert CANARY not in outcome
                assert f'"path": "{parameter.input}"' in outcome


def split(text: str, separator: str) -> list[str]:
    """Split where the separator has no backslash before it; keep the backslashes."""
    parts, escaped = [""], False
    for sign in text:
        if sign == separator and not escaped:
            parts.append("")
        else:
            parts[-1] += sign
        escaped = sign == "\\" and not escaped
    return parts


def plain(text: str) -> str:
    """Take FHIR's escapes away; a backslash before anything else is itself."""
    for sign in "|$,":
        text = "".join(_between(text, sign))
    return text.replace("\\\\", "\\")


def _between(text: str, sign: str) -> list[str]:
    """Return the text with `\\sign` read as `sign`, where that backslash is not itself escaped."""
    found, at = [], 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            pair = text[at : at + 2]
            found.append(sign if pair[1] == sign else pair)
            at += 2 if pair[1] in "\\,|$" else 1
            if pair[1] not in "\\,|$":
                found[-1] = "\\"
        else:
            found.append(text[at])
            at += 1
    return found


Meaning = tuple[str, ...]


def meant(parameter: Parameter, value: Any) -> list[list[Meaning]]:
    """Return what an input asks for: repetitions of alternatives of parts."""
    if parameter.comparators:
        return [_alternatives(parameter, bound) for bound in _bounds(parameter, value)]
    return [_alternatives(parameter, value)]


def _bounds(parameter: Parameter, value: Any) -> list[Any]:
    if isinstance(value, list):
        return [bound for item in value for bound in _bounds(parameter, item)]
    if isinstance(value, Mapping) and "value" not in value:
        return [(name, bound) for name, bound in value.items()]
    return [value]


def _alternatives(parameter: Parameter, value: Any) -> list[Meaning]:
    if isinstance(value, list):
        return [_parts(parameter, item) for item in value]
    splits = isinstance(value, str) and parameter.type not in ("string", "uri")
    return [_parts(parameter, item) for item in (split(value, ",") if splits else [value])]


def _parts(parameter: Parameter, value: Any) -> Meaning:
    kind = parameter.type
    if isinstance(value, bool):
        return (str(value).lower(),)
    if isinstance(value, Mapping):
        names = ("value", "system", "code") if kind == "quantity" else ("system", "code")
        return tuple(str(value.get(name, "")).strip() for name in names)
    if isinstance(value, tuple):
        return (value[0] + _parts(parameter, value[1])[0], *_parts(parameter, value[1])[1:])
    text = str(value).strip()
    if kind in ("string", "uri"):
        return (text,)
    if kind == "reference":
        return (text.rpartition("/")[2],)
    if kind == "number":
        return (str(int(text)),)
    return tuple(plain(part) for part in split(text, "|"))


def received(parameter: Parameter, texts: list[str]) -> list[list[Meaning]]:
    """Return what a FHIR server reads out of the query values."""
    parted = parameter.type in ("token", "quantity")
    return [
        [
            tuple(plain(part) for part in (split(item, "|") if parted else [item]))
            for item in split(text, ",")
        ]
        for text in texts
    ]


def tidy(meaning: list[list[Meaning]], kind: str) -> list[list[Meaning]]:
    """Take away what does not matter: empty parts at the right, a type before an id."""

    def one(parts: Meaning) -> Meaning:
        kept = [part.rpartition("/")[2] for part in parts] if kind == "reference" else list(parts)
        if kind == "token" and len(kept) > 2:
            kept = [kept[0], "|".join(kept[1:])]
        if kind == "token" and len(kept) == 2 and kept[0] == "":
            kept = kept[1:]
        while kept and kept[-1] == "":
            kept.pop()
        return tuple(kept)

    return [[one(parts) for parts in alternatives] for alternatives in meaning]


EACH = [
    (action, parameter)
    for action in SEARCHES
    for parameter in action.parameters
    if parameter.form is None and parameter.type != "composite"
]
TOKEN = next(each for each in EACH if each[1].type == "token" and not each[1].closed)
TEXT = st.one_of(
    st.text(max_size=12).map(lambda text: CANARY + text),
    st.text(alphabet="aZ1|,$\\ -:/.é", min_size=1, max_size=14),
    st.from_regex(r"(ge|lt)?[12][0-9]{3}(-[01][0-9](-[0-3][0-9])?)?", fullmatch=True),
    st.from_regex(r"(ge)?[0-9]{1,3}(\.[0-9])?(\|[a-z,$]{0,3}\|[a-z\\]{1,3})?", fullmatch=True),
    st.sampled_from(["final", "female", "Patient/1", f"{BASE}/Patient/a-1", "s|c", "7"]),
)
NAMES = st.sampled_from(["system", "code", "value", "ge", "lt", "x", CANARY])
JSON = st.recursive(
    st.one_of(TEXT, TEXT, st.none(), st.booleans(), st.integers(), st.floats()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=4,
)


def emptied(value: Any) -> Any:
    """Return the value without what counts as left out."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, list):
        return [kept for item in value if (kept := emptied(item)) is not None] or None
    if isinstance(value, dict):
        return {k: kept for k, v in value.items() if (kept := emptied(v)) is not None} or None
    return value


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(each=st.sampled_from(EACH), value=JSON)
@example(each=TOKEN, value={"system": f"{CANARY} "})
@example(each=TOKEN, value={"system": " ", "code": f"{CANARY} "})
def test_any_value_arrives_as_it_was_meant_or_is_refused_unrepeated(
    each: tuple[Action, Parameter], value: Any
) -> None:
    action, parameter = each
    request = accepted_or_said(action, {parameter.input: value})
    if isinstance(request, str):
        assert CANARY not in request
        return
    # The query survives the URL, and says what was meant.
    assert tuple(parse_qsl(urlencode(request.query))) == request.query
    kept = emptied(value)
    texts = [text for _, text in request.query]
    wanted = [] if kept is None else meant(parameter, kept)
    assert tidy(received(parameter, texts), parameter.type) == tidy(wanted, parameter.type)
