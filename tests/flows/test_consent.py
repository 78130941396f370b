"""The data categories a patient sees, beside scopes and actions, there and back."""

from __future__ import annotations

from contextlib import closing

import pytest

from practicefusion_connector import Connection, HostTokens, PracticeFusion
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.registry import shipped
from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.smart import categories, scopes_of
from practicefusion_connector.smart.known_servers import KnownServers
from practicefusion_connector.smart.scopes import scopes_for
from practicefusion_connector.stores import ConnectionRecord, MemoryStore
from practicefusion_connector.transport import Transport
from tests.flows.people import connect, connection

# What Practice Fusion's authorization page lists to a patient.
LISTED = {
    *("name", "date of birth", "sex", "race", "ethnicity", "language", "care team", "allergies"),
    *("assessment and plan", "encounters", "functional status", "goals", "health concerns"),
    *("immunizations", "lab results", "medical equipment", "medications", "mental status"),
    *("problems", "procedures", "reasons for referral", "smoking status", "vital signs"),
}


def test_a_full_grant_covers_every_category_there_is() -> None:
    full = scopes_for(shipped(), "patient")
    assert set(categories(full, shipped())) == LISTED


@pytest.mark.parametrize("scope", ["patient/AllergyIntolerance.read", "user/AllergyIntolerance.rs"])
def test_a_scope_covers_the_categories_of_its_resource(scope: str) -> None:
    assert categories([scope], shipped()) == {
        "allergies": ["get_allergy_intolerance", "search_allergy_intolerances"]
    }


def test_half_a_scope_covers_half_the_actions() -> None:
    assert categories(["patient/Goal.r"], shipped()) == {"goals": ["get_goal"]}


def test_scopes_without_data_cover_nothing() -> None:
    assert categories(["openid", "launch/patient", "user/Practitioner.read"], shipped()) == {}


def test_the_way_back_asks_for_what_the_categories_need() -> None:
    asked = scopes_of(["allergies", "vital signs"], shipped(), "patient")
    assert [scope for scope in asked if "/" in scope and not scope.startswith("launch")] == [
        "patient/AllergyIntolerance.read",
        "patient/Observation.read",
    ]
    covered = categories(asked, shipped())
    assert {"allergies", "vital signs", "lab results"} <= set(covered)
    assert "goals" not in covered


def test_an_unknown_category_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match=r"no data category allergy.*allergies"):
        scopes_of(["allergy"], shipped(), "patient")


def test_a_connector_knows_its_own(
    sandbox: Sandbox, behaviour: Behaviour, wire: Transport, servers: KnownServers
) -> None:
    behaviour.granted_scopes_filter = lambda scope: not scope.startswith("user/Obs")
    ours = connection(sandbox)
    with closing(MemoryStore()) as store:
        record = ConnectionRecord(connection=ours, tokens=connect(wire, servers, ours))
        store.save(record, expected=None)
        with PracticeFusion.from_store(store, ours.id) as pf:
            covered = pf.categories()
    assert "vital signs" not in covered
    assert covered["goals"] == ["get_goal", "search_goals"]


def test_a_host_with_tokens_of_its_own_passes_the_scopes() -> None:
    ours = Connection.of(fhir_base_url="https://ehr.example/fhir", client_id="app")
    with PracticeFusion(ours, HostTokens(lambda: "token")) as pf:
        assert pf.categories() == {}
        assert pf.categories(["user/Goal.read"]) == {"goals": ["get_goal", "search_goals"]}
