"""What a token reaches: types by scope, records by compartment."""

from __future__ import annotations

import pytest
import requests

from practicefusion_connector.sandbox import Sandbox
from tests.sandbox.apps import TIMEOUT, TYPES, App, error_of, system_token


@pytest.mark.parametrize("resource_type", TYPES)
def test_every_type_can_be_read_and_searched(
    app: App, all_types: str, shared: Sandbox, resource_type: str
) -> None:
    resource_id, resource = next(iter(shared.resources[resource_type].items()))

    read = app.get(f"{resource_type}/{resource_id}", all_types)
    search = app.get(resource_type, all_types, {"_count": "1"})

    assert read.headers["Content-Type"] == "application/fhir+json"
    assert read.json() == resource
    assert search.json()["total"] == len(shared.resources[resource_type])


@pytest.mark.parametrize("header", [None, "Bearer unknown", "Bearer ", "Basic dXNlcjpwYXNz"])
def test_without_a_token_nothing_is_read(app: App, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}

    answer = requests.get(f"{app.base}/Patient", headers=headers, timeout=TIMEOUT)

    assert error_of(answer) == (401, "login")
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="fhir"')


def test_a_type_outside_the_grant_is_forbidden(app: App, shared: Sandbox) -> None:
    token = app.connect("user/Patient.read")["access_token"]
    condition = next(iter(shared.resources["Condition"]))

    assert error_of(app.get("Condition", token)) == (403, "forbidden")
    assert error_of(app.get(f"Condition/{condition}", token)) == (403, "forbidden")
    assert error_of(app.get("ServiceRequest", token)) == (403, "forbidden")
    assert app.get("Patient", token).status_code == 200


def test_v2_scopes_tell_reading_from_searching(app: App, shared: Sandbox) -> None:
    token = app.connect("user/Patient.r user/Goal.s")["access_token"]
    patient, goal = (next(iter(shared.resources[name])) for name in ("Patient", "Goal"))

    assert app.get(f"Patient/{patient}", token).status_code == 200
    assert app.get("Patient", token).status_code == 403
    assert app.get(f"Goal/{goal}", token).status_code == 403
    assert app.get("Goal", token).status_code == 200


@pytest.mark.parametrize("context", ["patient", "user"])
def test_a_patient_sees_their_own_records_and_nobody_elses(shared: Sandbox, context: str) -> None:
    app = App(shared)
    scope = " ".join(f"{context}/{name}.read" for name in TYPES)
    token = app.connect(scope, "patient")["access_token"]
    me = next(user["patient"] for user in shared.users if user["username"] == "patient")

    for name in TYPES:
        found = app.get(name, token, {"_count": "200"}).json()
        ids = {entry["resource"]["id"] for entry in found["entry"]}
        assert found["total"] == len(ids)
        expected = _records_of(shared, name, str(me))
        assert ids == expected, name
        assert ids
        others = set(shared.resources[name]) - expected
        if others:
            assert app.get(f"{name}/{min(others)}", token).status_code == 403


def _records_of(sandbox: Sandbox, resource_type: str, patient: str) -> set[str]:
    """The oracle: what names the patient in its own text, found without the sandbox's code."""
    resources = sandbox.resources[resource_type]
    if resource_type in ("Practitioner", "Organization"):
        return set(resources)
    if resource_type == "Patient":
        return {patient}
    if resource_type != "Provenance":
        wanted = {"reference": f"Patient/{patient}"}
        return {
            key
            for key, resource in resources.items()
            if wanted in (resource.get("subject"), resource.get("patient"))
        }
    mine = {f"Patient/{patient}"} | {
        f"{name}/{key}"
        for name in TYPES
        if name != "Provenance"
        for key in _records_of(sandbox, name, patient)
        if name not in ("Practitioner", "Organization")
    }
    return {
        key
        for key, resource in resources.items()
        if mine & {target["reference"] for target in resource["target"]}
    }


def test_a_providers_patient_scopes_reach_the_chosen_patient_only(shared: Sandbox) -> None:
    app, patients = App(shared), list(shared.resources["Patient"])
    scope = "launch/patient patient/Patient.read patient/Condition.read"
    token = app.connect(scope, patient=patients[4])["access_token"]

    found = app.get("Condition", token, {"_count": "200"}).json()

    subjects = {entry["resource"]["subject"]["reference"] for entry in found["entry"]}
    assert subjects == {f"Patient/{patients[4]}"}
    assert app.get(f"Patient/{patients[0]}", token).status_code == 403
    other = app.get("Condition", token, {"patient": patients[0]}).json()
    assert (other["total"], other["entry"]) == (0, [])


def test_unknown_records_and_types_are_not_found(app: App, all_types: str) -> None:
    assert error_of(app.get("Patient/no-such-id", all_types)) == (404, "not-found")
    assert error_of(app.get("Nonsense", all_types)) == (404, "not-supported")
    assert error_of(app.get("Nonsense/1", all_types)) == (404, "not-supported")


def test_types_outside_the_17_are_readable_with_their_scope(app: App, shared: Sandbox) -> None:
    token = system_token(shared, "Location", "Binary")
    for name in ("Location", "Binary"):
        resource_id = next(iter(shared.resources[name]))
        assert app.get(f"{name}/{resource_id}", token).json()["id"] == resource_id
