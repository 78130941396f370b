"""What the command line's tests share: one practice, one way to run a command, a store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet

from practicefusion_connector.cli.app import app
from practicefusion_connector.cli.authorization import authorize
from practicefusion_connector.connection import Connection
from practicefusion_connector.registry import shipped
from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.testing.person import approve


@dataclass(frozen=True)
class Ran:
    """What a command wrote and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def failed_in_one_line(self, code: int, beginning: str) -> None:
        assert self.code == code, self
        assert self.out == ""
        assert self.err.startswith(beginning), self.err
        assert self.err.count("\n") == 1
        assert self.err.endswith("\n")
        assert "Traceback" not in self.err


class Commands:
    """Runs commands with an environment of its own."""

    def __init__(self) -> None:
        self.environment: dict[str, str | None] = {}

    def __call__(self, *arguments: str, stdin: str | None = None) -> Ran:
        ended = CliRunner().invoke(app, arguments, input=stdin, env=self.environment)
        return Ran(ended.exit_code, ended.stdout, ended.stderr)


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
def stored(commands: Commands, tmp_path: Path) -> Commands:
    """Commands with a store of connections to keep them in."""
    commands.environment |= {
        "PRACTICEFUSION_STORE": (tmp_path / "store").as_uri(),
        "PRACTICEFUSION_STORE_KEY": Fernet.generate_key().decode(),
    }
    return commands


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox(patients=4) as sandbox:
        yield sandbox


@pytest.fixture
def practice(running: Sandbox) -> Iterator[Sandbox]:
    """The practice, with its default behaviour again after the test."""
    yield running
    for name, value in vars(Behaviour()).items():
        setattr(running.behaviour, name, value)


@pytest.fixture(scope="session")
def access_token(running: Sandbox) -> str:
    connection = Connection.of(
        fhir_base_url=running.fhir_base_url,
        client_id=running.public_client_id,
        redirect_uri="http://127.0.0.1/callback",
    )
    grant = authorize(
        connection, shipped(), lambda url: approve(url, "provider", "provider-password")
    )
    return grant.tokens.access_token.get_secret_value()


@pytest.fixture
def with_token(commands: Commands, practice: Sandbox, access_token: str) -> list[str]:
    """Options that run an action against the practice, with a token from the environment."""
    commands.environment["TOKEN"] = access_token
    return ["--fhir-base-url", practice.fhir_base_url, "--token-env", "TOKEN"]
