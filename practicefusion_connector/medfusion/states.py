"""What a patient is to the portal, and which state may follow which.

    (none) ──► PROVISIONED ──► REGISTERED ◄──► DEACTIVATED ──► DELETED
                invited          signed up       locked out      gone, may be invited anew

Pure data: the portal decides, this only tells what is surprising.
"""

from __future__ import annotations

from typing import Literal

State = Literal["PROVISIONED", "REGISTERED", "DEACTIVATED", "DELETED"]

TRANSITIONS: dict[State | None, frozenset[State]] = {
    None: frozenset({"PROVISIONED"}),
    "PROVISIONED": frozenset({"REGISTERED", "DEACTIVATED", "DELETED"}),
    "REGISTERED": frozenset({"DEACTIVATED", "DELETED"}),
    "DEACTIVATED": frozenset({"PROVISIONED", "REGISTERED", "DELETED"}),
    "DELETED": frozenset({"PROVISIONED"}),
}


def state_of(text: str | None) -> State | None:
    """Return the state a Status element names, `None` where it is none that is known."""
    found = (text or "").strip().upper()
    return next((state for state in TRANSITIONS if state == found), None)


def follows(before: State | None, after: State) -> bool:
    """Say whether `after` may be seen after `before`.

    Staying in a state is no transition, and who begins to follow late misses the first states.
    """
    return before is None or before == after or after in TRANSITIONS[before]
