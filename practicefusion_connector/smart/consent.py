"""The data categories a patient reads when allowing access, beside scopes and actions.

Which categories a resource holds is declared in `actions/*.toml`; these functions only turn the
table around. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from practicefusion_connector.connection import Level
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.registry import Action
from practicefusion_connector.smart.scopes import covers, scopes_for


def categories(granted_scopes: Iterable[str], registry: Iterable[Action]) -> dict[str, list[str]]:
    """Return, by data category, the keys of the actions that the grant lets run.

    A category that no granted action covers is left out, as is what is no data of a patient
    (practitioners, organizations, provenance).
    """
    granted = tuple(granted_scopes)
    found: dict[str, list[str]] = {}
    for action in registry:
        if covers(granted, action):
            for category in action.categories:
                found.setdefault(category, []).append(action.key)
    return found


def scopes_of(wanted: Iterable[str], registry: Iterable[Action], level: Level) -> tuple[str, ...]:
    """Return the scopes to ask for so that the actions of these categories run.

    A resource holds all its categories together: asking for one may cover others.

    Raises:
        InvalidInput: no action holds a category of this name.
    """
    actions = list(registry)
    names = set(wanted)
    known = {category for action in actions for category in action.categories}
    if unknown := sorted(names - known):
        raise InvalidInput(
            f"There is no data category {', '.join(unknown)}. There are: "
            f"{', '.join(sorted(known))}.",
            problems=[{"path": "categories", "message": "unknown category"}],
        )
    return scopes_for((action for action in actions if names & set(action.categories)), level)
