"""A launch from the EHR: the practice names itself, and only a known one is believed."""

from __future__ import annotations

import pytest

from practicefusion_connector import Connection
from practicefusion_connector.errors import Forbidden, InvalidConfig, InvalidInput
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.smart import ehr_launch, launch
from practicefusion_connector.smart.directory import Directory, Practice
from practicefusion_connector.smart.ehr_launch import VendorHosts
from practicefusion_connector.smart.known_servers import KnownServers
from practicefusion_connector.transport import Run, Transport
from tests.flows.leaks import Leaks
from tests.flows.people import allow, connection, launch_from_ehr

SCOPES = ("openid", "fhirUser", "launch/patient", "user/Patient.read")


def test_the_ehr_opens_the_app_upon_a_patient(
    sandbox: Sandbox, wire: Transport, servers: KnownServers, leaks: Leaks
) -> None:
    patient = list(sandbox.resources["Patient"])[1]
    iss, opaque = ehr_launch.read_launch_url(launch_from_ehr(sandbox, patient))
    leaks.plant("launch", opaque)
    ours = connection(sandbox)
    begun = ehr_launch.begin(wire, ours, iss, opaque, SCOPES, Run(30), servers=servers)
    leaks.plant_all_in(begun.pending)
    assert begun.pending.scopes == ("launch", "openid", "fhirUser", "user/Patient.read")
    callback = allow(begun.pending.url.get_secret_value())
    tokens = launch.complete(
        wire, begun.connection, begun.endpoints, begun.pending, callback, Run(30), servers=servers
    )
    leaks.plant_tokens(sandbox)
    assert "launch" in tokens.scope
    assert tokens.context["patient"] == patient
    assert tokens.context["need_patient_banner"] is False
    assert tokens.context["smart_style_url"] == f"{sandbox.origin}/smart-style.json"
    assert tokens.context["fhirUser"].startswith("Practitioner/")
    encounters = sandbox.resources.get("Encounter", {}).values()
    if any(each["subject"]["reference"] == f"Patient/{patient}" for each in encounters):
        assert tokens.context["encounter"] in sandbox.resources["Encounter"]
    leaks.check(begun, tokens)


def test_a_practice_that_is_not_known_is_asked_nothing(
    sandbox: Sandbox, wire: Transport, servers: KnownServers, leaks: Leaks
) -> None:
    leaks.plant("launch", "opaque-launch-canary")
    with Sandbox(patients=1) as attacker:
        lookups: list[str] = []

        def lookup(base_url: str) -> Connection:
            lookups.append(base_url)
            return connection(attacker)

        for ours, practices in (
            (connection(sandbox), None),
            (lookup, None),
            (lookup, {sandbox.fhir_base_url}),
            (lookup, Directory((Practice("Ours", provider_url=sandbox.fhir_base_url),))),
        ):
            with pytest.raises(Forbidden, match="nothing was sent there") as refused:
                ehr_launch.begin(
                    wire,
                    ours,
                    attacker.fhir_base_url,
                    "opaque-launch-canary",
                    SCOPES,
                    Run(30),
                    practices=practices,
                    servers=servers,
                )
            leaks.check(refused.value)
        assert list(attacker.requests) == []
    assert lookups == []


def test_a_lookup_serves_many_practices(
    sandbox: Sandbox, wire: Transport, servers: KnownServers
) -> None:
    connections = {sandbox.fhir_base_url: connection(sandbox, id="cedar-hollow")}
    begun = ehr_launch.begin(
        wire,
        connections.get,
        f"{sandbox.fhir_base_url}/",
        "opaque",
        SCOPES,
        Run(30),
        practices=connections,
        servers=servers,
    )
    assert begun.connection.id == "cedar-hollow"
    assert "launch=opaque" in begun.pending.url.get_secret_value()


def test_a_lookup_that_gives_another_practice_is_refused(
    sandbox: Sandbox, wire: Transport, servers: KnownServers
) -> None:
    other = connection(sandbox, fhir_base_url="https://other.example/fhir")
    with pytest.raises(InvalidConfig, match="belongs to another practice"):
        ehr_launch.begin(
            wire,
            lambda _: other,
            sandbox.fhir_base_url,
            "opaque",
            SCOPES,
            Run(30),
            practices=[sandbox.fhir_base_url],
            servers=servers,
        )
    with pytest.raises(Forbidden):
        ehr_launch.begin(
            wire,
            lambda _: None,
            sandbox.fhir_base_url,
            "opaque",
            SCOPES,
            Run(30),
            practices=[sandbox.fhir_base_url],
            servers=servers,
        )


@pytest.mark.parametrize(
    ("base_url", "known"),
    [
        ("https://api.practicefusion.com/fhir/r4/v1/118b460b", True),
        ("https://api.patientfusion.com/fhir/r4/v1/118b460b", True),
        ("https://qa-api.practicefusion.com/fhir/r4/v1/118b460b", True),
        ("http://api.practicefusion.com/fhir/r4/v1/118b460b", False),
        ("https://api.practicefusion.com.evil.example/fhir", False),
        ("https://apipracticefusion.com/fhir", False),
        ("https://evil.example/api.practicefusion.com", False),
        ("https://evil.example#.practicefusion.com", False),
        ("https://evil.example\\.practicefusion.com/fhir", False),
        ("https://[broken", False),
        (None, False),
    ],
)
def test_the_vendors_own_hosts_are_known(base_url: object, known: bool) -> None:
    assert (base_url in VendorHosts()) is known


@pytest.mark.parametrize(
    "iss",
    [
        "",
        "practice",
        "ftp://api.practicefusion.com/fhir",
        "http://api.practicefusion.com/fhir",
        "https://api.practicefusion.com@evil.example/fhir",
        "https://:password@api.practicefusion.com/fhir",
        "https://evil.example\\.practicefusion.com/fhir",
        "https://api.practicefusion.com/fhir?next=https://evil.example",
    ],
)
def test_what_is_no_base_url_is_refused(
    sandbox: Sandbox, wire: Transport, servers: KnownServers, iss: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        ehr_launch.begin(
            wire, lambda _: connection(sandbox), iss, "x", SCOPES, Run(30), servers=servers
        )
    assert [problem["path"] for problem in refused.value.problems] == ["iss"]


def test_an_empty_launch_is_refused(
    sandbox: Sandbox, wire: Transport, servers: KnownServers
) -> None:
    ours = connection(sandbox)
    with pytest.raises(InvalidInput, match="no launch value"):
        ehr_launch.begin(wire, ours, sandbox.fhir_base_url, "", SCOPES, Run(30), servers=servers)
    assert list(sandbox.requests) == []


@pytest.mark.parametrize(
    ("query", "missing"),
    [
        ("", ["iss", "launch"]),
        ("?iss=https://ehr.example", ["launch"]),
        ("?launch=x&iss=https://a.example&iss=https://b.example", ["iss"]),
    ],
)
def test_a_launch_url_that_is_none_is_refused(query: str, missing: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        ehr_launch.read_launch_url(f"https://app.example/launch{query}")
    assert [problem["path"] for problem in refused.value.problems] == missing
