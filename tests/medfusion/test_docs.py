"""docs/medfusion.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path

from practicefusion_connector.medfusion import __all__ as public
from practicefusion_connector.medfusion.actions import actions
from practicefusion_connector.medfusion.columns import columns
from practicefusion_connector.medfusion.connection import MedfusionConnection
from practicefusion_connector.medfusion.states import TRANSITIONS

PAGE = (Path(__file__).parents[2] / "docs" / "medfusion.md").read_text("utf-8")


def test_every_column_action_and_setting_is_there() -> None:
    for name in columns():
        assert f"`{name}`" in PAGE
    assert set(re.findall(r"\| `(medfusion_\w+)` \|", PAGE)) == set(actions())
    for name in ("version", "patient_noun", "since_unit"):
        default = MedfusionConnection.model_fields[name].default
        assert f"| `{name}` | `{default}` |" in PAGE


def test_the_states_may_become_what_it_says() -> None:
    rows = re.findall(r"^\| ([A-Z]+) \| [^|]+ \| ([A-Z, ]+) \|$", PAGE, re.M)
    assert {state: set(after.split(", ")) for state, after in rows} == {
        state: set(after) for state, after in TRANSITIONS.items() if state
    }


def test_the_public_names_can_be_imported() -> None:
    module = __import__("practicefusion_connector.medfusion", fromlist=public)
    assert sorted(public) == public
    for name in public:
        assert getattr(module, name)
