"""Refresh, expiry, introspection, revocation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from practicefusion_connector.sandbox import Sandbox
from tests.sandbox.apps import TIMEOUT, App, error_of

SCOPE = "offline_access user/Patient.read"


def _status(app: App, token: dict[str, Any]) -> int:
    return app.get("Patient", token["access_token"]).status_code


def test_a_refresh_keeps_the_refresh_token_and_ends_the_previous_access_token(app: App) -> None:
    first = app.connect(SCOPE)

    second = app.refresh(first["refresh_token"]).json()

    assert "refresh_token" not in second
    assert second["scope"] == SCOPE
    assert second["expires_in"] == 300
    assert (_status(app, first), _status(app, second)) == (401, 200)
    third = app.refresh(first["refresh_token"]).json()
    assert (_status(app, second), _status(app, third)) == (401, 200)


def test_the_previous_access_token_may_live_on(own: Sandbox) -> None:
    own.behaviour.refresh_kills_previous_access = False
    app = App(own)
    first = app.connect(SCOPE)
    second = app.refresh(first["refresh_token"]).json()
    assert (_status(app, first), _status(app, second)) == (200, 200)


def test_of_refreshes_at_once_one_access_token_stays(app: App) -> None:
    refresh_token = app.connect(SCOPE)["refresh_token"]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(app.refresh, [refresh_token] * 4))

    tokens = [answer.json() for answer in answers]
    assert sorted(_status(app, token) for token in tokens) == [200, 401, 401, 401]


def test_a_refresh_leaves_other_grants_alone(app: App) -> None:
    mine, other = app.connect(SCOPE), app.connect(SCOPE)
    app.refresh(mine["refresh_token"])
    assert _status(app, other) == 200


def test_no_refresh_token_without_offline_access(own: Sandbox) -> None:
    assert "refresh_token" not in App(own).connect("user/Patient.read")
    own.behaviour.refresh_needs_offline_access = False
    assert "refresh_token" in App(own).connect("user/Patient.read")


def test_rotation_replaces_the_refresh_token_and_replay_ends_the_grant(own: Sandbox) -> None:
    own.behaviour.refresh_rotates = True
    app = App(own)
    first = app.connect(SCOPE)
    second = app.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]

    replay = app.refresh(first["refresh_token"])

    assert error_of(replay) == (400, "invalid_grant")
    assert _status(app, second) == 401
    assert error_of(app.refresh(second["refresh_token"])) == (400, "invalid_grant")


def test_a_refresh_may_ask_for_fewer_scopes_and_never_for_more(app: App) -> None:
    scope = "offline_access user/Patient.read user/Goal.read"
    refresh_token = app.connect(scope)["refresh_token"]

    fewer = app.refresh(refresh_token, scope="user/Goal.read").json()

    assert fewer["scope"] == "user/Goal.read"
    assert _status(app, fewer) == 403
    more = app.refresh(refresh_token, scope=scope + " user/Device.read")
    assert error_of(more) == (400, "invalid_scope")


def test_a_refresh_token_serves_its_own_app_only(shared: Sandbox) -> None:
    token = App(shared).connect(SCOPE)
    thief = App(shared, shared.public_client_id)
    assert error_of(thief.refresh(token["refresh_token"])) == (400, "invalid_grant")


@pytest.mark.parametrize("refresh_token", ["unknown", ""])
def test_a_dead_refresh_token_is_an_invalid_grant(app: App, refresh_token: str) -> None:
    assert error_of(app.refresh(refresh_token)) == (400, "invalid_grant")


def test_tests_can_expire_revoke_and_count(own: Sandbox) -> None:
    app = App(own)
    token = app.connect(SCOPE)
    assert own.tokens.count_active_grants() == 1

    own.tokens.expire_access()
    assert _status(app, token) == 401
    renewed = app.refresh(token["refresh_token"]).json()
    assert _status(app, renewed) == 200
    assert own.tokens.count_refreshes() == 1
    assert own.tokens.count_access() == 2

    own.tokens.revoke_grants()
    assert _status(app, renewed) == 401
    assert error_of(app.refresh(token["refresh_token"])) == (400, "invalid_grant")
    assert own.tokens.count_active_grants() == 0


def test_the_lifetime_is_a_knob(own: Sandbox) -> None:
    own.behaviour.access_token_seconds = 0
    app = App(own)
    token = app.exchange(app.authorize(SCOPE)["code"]).json()
    assert _status(app, token) == 401


def _post(app: App, endpoint: str, **form: str) -> requests.Response:
    data = {"client_id": app.client_id, "client_secret": str(app.client_secret), **form}
    return requests.post(f"{app.base}/{endpoint}", data=data, timeout=TIMEOUT)


def test_introspection_tells_about_an_apps_own_tokens(shared: Sandbox) -> None:
    app = App(shared)
    token = app.connect("openid fhirUser user/Patient.read")

    found = _post(app, "introspect", token=token["access_token"]).json()

    assert found["active"] is True
    assert found["scope"] == token["scope"]
    assert found["client_id"] == app.client_id
    assert found["exp"] - found["iat"] == 300
    assert found["fhirUser"].startswith(f"{app.base}/Practitioner/")
    assert _post(app, "introspect", token="unknown").json() == {"active": False}
    other = App(shared, shared.backend_client_id, shared.backend_client_secret)
    assert _post(other, "introspect", token=token["access_token"]).json() == {"active": False}
    wrong = _post(app, "introspect", token=token["access_token"], client_secret="wrong")
    assert error_of(wrong) == (401, "invalid_client")


def test_revoking_a_refresh_token_ends_the_grant(app: App) -> None:
    token = app.connect(SCOPE)

    assert _post(app, "revoke", token=token["refresh_token"]).status_code == 200

    assert _status(app, token) == 401
    assert error_of(app.refresh(token["refresh_token"])) == (400, "invalid_grant")
    assert _post(app, "introspect", token=token["access_token"]).json() == {"active": False}


def test_revoking_an_access_token_leaves_the_grant(app: App) -> None:
    token = app.connect(SCOPE)

    _post(app, "revoke", token=token["access_token"])

    assert _status(app, token) == 401
    assert app.refresh(token["refresh_token"]).status_code == 200
