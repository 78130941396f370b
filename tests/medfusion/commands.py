"""`practicefusion medfusion …` as the tests run it: each command as a process of its own would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result
from cryptography.fernet import Fernet

from practicefusion_connector.cli.app import Root
from practicefusion_connector.sandbox import Sandbox

HEAD = "practice_patient_id,first_name,last_name,date_of_birth,gender,email,line1,city,state"


class Command:
    """Runs commands with a store and an environment of their own."""

    home = "practicefusion_connector.cli.medfusion"

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        portal = sandbox.portal
        self.folder = folder
        self.environment = {
            "PRACTICEFUSION_STORE": (folder / "store").as_uri(),
            "PRACTICEFUSION_STORE_KEY": Fernet.generate_key().decode(),
            "TOKEN": portal.application_token,
            "PASSWORD": portal.password,
        }
        home = (f"{self.home}:medfusion", "")
        self.app = Root(name="practicefusion", homes={"medfusion": home})

    def __call__(self, *arguments: str, code: int = 0) -> Result:
        given = ["medfusion", *arguments]
        ended = CliRunner().invoke(self.app, given, env=self.environment)
        assert ended.exit_code == code, ended.output
        return ended

    def connect(self, sandbox: Sandbox, **changes: str) -> Result:
        given = {
            "--server": sandbox.origin,
            "--practice-id": sandbox.portal.practice_id,
            "--username": sandbox.portal.username,
            "--application-token-env": "TOKEN",
            "--password-env": "PASSWORD",
        } | changes
        return self("connect", *(part for pair in given.items() for part in pair))

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Run a command in a process that can be stopped."""
        code = f"from {self.home} import medfusion; medfusion({list(arguments)!r})"
        return subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            env={**os.environ, **self.environment},
        )

    def invite(self, file: Path, *more: str, code: int = 0) -> Result:
        ledger = str(self.folder / "ledger.jsonl")
        given = ("--csv", str(file), "--ledger", ledger, "--interval", "0.1", *more)
        return self("invite", *given, code=code)
