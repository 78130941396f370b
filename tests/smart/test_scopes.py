"""Which scopes are asked for, which let an action run, and which were not granted."""

from __future__ import annotations

import pytest

from practicefusion_connector.registry import shipped
from practicefusion_connector.smart.scopes import covers, not_granted, scopes_for, spellings

ACTIONS = {action.key: action for action in shipped()}
GET, SEARCH = ACTIONS["get_patient"], ACTIONS["search_patients"]
OTHER = ACTIONS["search_observations"]


def test_a_provider_s_scopes_are_v1_with_identity_and_refresh() -> None:
    assert scopes_for([GET, SEARCH, OTHER], "user") == (
        *("openid", "fhirUser", "offline_access"),
        *("user/Patient.read", "user/Observation.read"),
    )


def test_a_patient_is_asked_which_patient() -> None:
    assert scopes_for([GET], "patient") == (
        *("openid", "fhirUser", "offline_access", "launch/patient"),
        "patient/Patient.read",
    )


def test_a_system_s_scopes_are_v2_and_nothing_of_a_person() -> None:
    assert scopes_for([GET, SEARCH, OTHER], "system") == (
        "system/Patient.rs",
        "system/Observation.rs",
    )


def test_no_set_of_actions_asks_for_launch_or_a_wildcard() -> None:
    for level in ("user", "patient", "system"):
        asked = scopes_for(ACTIONS.values(), level)
        assert len(asked) == len(set(asked))
        assert len([scope for scope in asked if "." in scope]) == 17
        assert "launch" not in asked
        assert not [scope for scope in asked if "*" in scope]


@pytest.mark.parametrize(
    ("scope", "reads", "searches"),
    [
        ("user/Patient.read", True, True),
        ("patient/Patient.read", True, True),
        ("system/Patient.rs", True, True),
        ("user/Patient.r", True, False),
        ("user/Patient.s", False, True),
        ("user/Patient.cruds", True, True),
        ("user/Patient.*", True, True),
        ("user/*.read", True, True),
        ("system/*.rs", True, True),
        ("system/Patient.rs?_id=7", True, True),
        ("user/Patient.write", False, False),
        ("user/Patient.cud", False, False),
        ("user/Patient.", False, False),
        ("user/Patient.sr", False, False),
        ("user/Patients.read", False, False),
        ("user/patient.read", False, False),
        ("User/Patient.read", False, False),
        ("user/Observation.read", False, False),
        ("Patient.read", False, False),
        ("openid", False, False),
        ("", False, False),
    ],
)
def test_what_a_scope_lets_run(scope: str, reads: bool, searches: bool) -> None:
    assert covers([scope], GET) == reads
    assert covers(["openid", scope], SEARCH) == searches


def test_any_one_scope_is_enough_and_none_is_not() -> None:
    assert covers(["user/Goal.read", "user/Patient.read"], GET)
    assert not covers([], GET)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_every_spelling_of_an_action_s_scope_covers_it(action: object) -> None:
    from practicefusion_connector.registry import Action

    assert isinstance(action, Action)
    assert len(spellings(action)) == 9
    assert all(covers([scope], action) for scope in spellings(action))


@pytest.mark.parametrize(
    ("asked", "granted", "missing"),
    [
        (["user/Patient.read"], ["user/Patient.read"], []),
        (["user/Patient.read"], ["user/Patient.rs"], []),
        (["user/Patient.rs"], ["user/Patient.read"], []),
        (["user/Patient.rs"], ["user/Patient.r", "user/Patient.s"], []),
        (["user/Patient.read"], ["user/Patient.r"], ["user/Patient.read"]),
        (["user/Patient.read"], ["user/*.*"], []),
        (["user/*.read"], ["user/Patient.read"], ["user/*.read"]),
        (["user/Patient.read"], ["patient/Patient.read"], ["user/Patient.read"]),
        (["user/Patient.write"], ["user/Patient.read"], ["user/Patient.write"]),
        (["user/Patient."], [], ["user/Patient."]),
        (["openid", "offline_access"], ["openid"], ["offline_access"]),
        (["fhirUser"], ["profile"], ["fhirUser"]),
        ([], ["openid"], []),
    ],
)
def test_what_was_asked_for_and_not_granted(
    asked: list[str], granted: list[str], missing: list[str]
) -> None:
    assert not_granted(asked, granted) == tuple(missing)
    assert not_granted(asked, iter(granted)) == tuple(missing)
