"""Serving a practice until it is told to stop."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from practicefusion_connector.sandbox import Sandbox
from tests.cli.conftest import Commands

COMMAND = [sys.executable, "-m", "practicefusion_connector.cli", "sandbox"]


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_one_line_when_ready_and_quiet_when_stopped(sign: signal.Signals) -> None:
    with subprocess.Popen(
        [*COMMAND, "--json", "--seed", "7", "--patients", "3"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout
        told = json.loads(running.stdout.readline())
        answer = requests.get(told["smart_configuration"], timeout=10)
        running.send_signal(sign)
        out, err = running.communicate(timeout=10)
    assert answer.json()["token_endpoint"].startswith(told["fhir_base_url"])
    assert told["client_id"]
    assert told["client_secret"]
    assert told["public_client_id"]
    assert told["backend_client_id"]
    assert told["backend_client_secret"]
    assert told["resources"]["Patient"] == 3
    assert {user["role"] for user in told["users"]} == {"provider", "patient"}
    assert (running.returncode, out, err) == (0, "", "")


def test_people_are_told_what_to_try(tmp_path: Path) -> None:
    patient = {"resourceType": "Patient", "id": "p1", "name": [{"text": "Only One"}]}
    (tmp_path / "patient.ndjson").write_text(json.dumps(patient) + "\n{\n")
    with subprocess.Popen(
        [*COMMAND, "--data", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout
        shown = []
        for line in running.stdout:
            shown.append(line)
            if line.startswith("Ctrl-C"):
                break
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=10)
    text = "".join(shown)
    for expected in (
        "http://127.0.0.1:",
        "provider-password",
        "Only One",
        "practicefusion connect",
    ):
        assert expected in text
    assert err.startswith("warning: patient.ndjson: line 2: not valid JSON")


def test_a_taken_port(commands: Commands) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        commands("sandbox", "--port", str(port)).failed_in_one_line(
            2, f"invalid_config: Port {port} cannot be listened on"
        )


def test_an_unknown_fault_profile_is_named(commands: Commands) -> None:
    commands("sandbox", "--faults", "no-such").failed_in_one_line(
        2, "invalid_input: There is no fault profile of this name. There are: chaos, "
    )


@pytest.mark.practicefusion(patients=2, faults="chaos")
def test_the_fixture_takes_the_markers_options(practicefusion_sandbox: Sandbox) -> None:
    assert len(practicefusion_sandbox.resources["Patient"]) == 2
