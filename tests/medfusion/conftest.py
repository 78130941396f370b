"""What the portal's tests share: a sandbox, a stored connection, patients to invite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from practicefusion_connector.medfusion import Ledger, Medfusion, MedfusionConnection, connect
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sandbox.medfusion.portal import Email, Portal
from practicefusion_connector.stores import MemoryStore
from practicefusion_connector.testing.person import read_forms
from practicefusion_connector.transport import Policy
from tests.medfusion.commands import Command

QUICK = Policy(attempts=3, backoff=0.01, deadline=10, read_timeout=5)
TIMEOUT = 10
BORN = "1980-02-29"


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox(patients=2) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    """The practice with an empty portal that processes at once."""
    forget(running.portal)
    running.requests.clear()
    yield running
    forget(running.portal)


def forget(portal: Portal) -> None:
    portal.clear()
    portal.behaviour.processing_seconds = 0


@pytest.fixture
def portal(sandbox: Sandbox) -> Portal:
    return sandbox.portal


def settings_of(sandbox: Sandbox, **changes: Any) -> dict[str, Any]:
    portal = sandbox.portal
    return {
        "server": sandbox.origin,
        "practice_id": portal.practice_id,
        "application_token": portal.application_token,
        "username": portal.username,
        "password": portal.password,
    } | changes


def patient(number: int = 1, **changes: Any) -> dict[str, Any]:
    """One patient as a flat object."""
    return {
        "practice_patient_id": f"P{number}",
        "first_name": "Alma",
        "last_name": "Castro",
        "date_of_birth": BORN,
        "gender": "female",
        "email": f"patient{number}@mail.example",
        "line1": "1 Old Mill Road",
        "city": "Springfield",
    } | changes


@dataclass(frozen=True)
class Connected:
    """A stored connection to the sandbox's portal, opened anew as often as wanted."""

    sandbox: Sandbox
    store: MemoryStore
    folder: Path

    @property
    def ledger_file(self) -> Path:
        return self.folder / "invitations.jsonl"

    def open(self, **changes: Any) -> Medfusion:
        """Open it as a process would that has just begun."""
        return Medfusion.from_store(
            self.store,
            "medfusion",
            ledger=Ledger(self.ledger_file),
            **{"policy": QUICK, **changes},
        )


@pytest.fixture
def connected(sandbox: Sandbox, tmp_path: Path) -> Connected:
    store = MemoryStore()
    connect(store, MedfusionConnection.of(**settings_of(sandbox)), policy=QUICK)
    return Connected(sandbox, store, tmp_path)


@pytest.fixture
def opened(connected: Connected) -> Iterator[Medfusion]:
    with connected.open() as portal:
        yield portal


@pytest.fixture
def command(tmp_path: Path, sandbox: Sandbox) -> Command:
    return Command(tmp_path, sandbox)


def register(sandbox: Sandbox, email: Email, **filled: str) -> requests.Response:
    """Fill in the registration page of an invitation and send it."""
    url = f"{sandbox.origin}/portal/register/{email.code}"
    with requests.Session() as browser:
        browser.trust_env = False
        form = read_forms(browser.get(url, timeout=TIMEOUT).text)[0]
        form.fields |= {"birth_date": BORN} | filled
        return browser.post(url, data=form.fields, timeout=TIMEOUT)
