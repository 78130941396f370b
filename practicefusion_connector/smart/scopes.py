"""Scopes: which to ask for, and what a grant covers (SMART App Launch 2.0 §3.0, and v1's syntax).

Pure. Practice Fusion grants v1 scopes to people (`user/Patient.read`) and v2 scopes to systems
(`system/Patient.rs`), and it drops scopes silently: what counts is the scope of the token answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from practicefusion_connector.connection import Level
from practicefusion_connector.registry import Action

_RESOURCE_SCOPE = re.compile(
    r"(user|patient|system)/([A-Za-z]+|\*)\.(read|write|\*|(?=.)c?r?u?d?s?)"
)
_V1 = {"read": "rs", "write": "cud", "*": "cruds"}
_NEEDED = {"get": "r", "search": "s"}


def scopes_for(actions: Iterable[Action], level: Level) -> tuple[str, ...]:
    """Return the scopes that let `actions` run, one per resource, never a wildcard.

    A person's connection also asks for who that is and to stay connected; a patient's standalone
    launch asks which patient (`launch/patient`). A standalone launch never asks for `launch`.
    """
    if level == "system":
        return tuple(dict.fromkeys(f"system/{action.scopes.v2}" for action in actions))
    context = ["launch/patient"] if level == "patient" else []
    asked = [f"{level}/{action.scopes.v1}" for action in actions]
    return tuple(dict.fromkeys(["openid", "fhirUser", "offline_access", *context, *asked]))


def spellings(action: Action) -> tuple[str, ...]:
    """Return every scope that would let `action` run, in v1's and v2's spelling, on each level."""
    letter = _NEEDED[action.operation]
    return tuple(
        f"{level}/{action.resource}.{permission}"
        for level in ("patient", "user", "system")
        for permission in ("read", "rs", letter)
    )


def covers(granted: Iterable[str], action: Action) -> bool:
    """Say whether any granted scope lets `action` run; v1's `read` is v2's `rs`."""
    return any(_permits(scope, action.resource, _NEEDED[action.operation]) for scope in granted)


def not_granted(asked: Iterable[str], granted: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes asked for that the grant does not cover in either spelling."""
    have = tuple(granted)
    return tuple(scope for scope in asked if scope not in have and not _equivalent(scope, have))


def _equivalent(scope: str, granted: tuple[str, ...]) -> bool:
    if not (found := _RESOURCE_SCOPE.fullmatch(scope)):
        return False
    letters = _V1.get(found[3], found[3])
    on_level = [other for other in granted if other.startswith(found[1] + "/")]
    return all(any(_permits(other, found[2], letter) for other in on_level) for letter in letters)


def _permits(scope: str, resource: str, letter: str) -> bool:
    # A v2 scope may carry a query that narrows it (`system/Observation.rs?category=…`).
    found = _RESOURCE_SCOPE.fullmatch(scope.partition("?")[0])
    if found is None or found[2] not in ("*", resource):
        return False
    return letter in _V1.get(found[3], found[3])
