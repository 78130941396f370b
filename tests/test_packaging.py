"""The package as users get it: a wheel in a fresh environment, and an editable install.

The environments borrow the libraries of the one that runs the tests, so that nothing is downloaded;
the project itself they must not borrow, and each test checks that they do not.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import venv
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
# Where the build backend is missing, it is downloaded into an environment of its own.
BACKEND_AT_HAND = all(map(importlib.util.find_spec, ("hatchling", "editables")))
SHIPPED = ("practicefusion_connector", "actions", "schemas")
PROGRAM = """
import json, sys
import practicefusion_connector
from practicefusion_connector import Connection, HostTokens, PracticeFusion
from practicefusion_connector.resources import folder

connection = Connection.of(fhir_base_url=sys.argv[1], client_id="app")
with PracticeFusion(connection, HostTokens(lambda: "token")) as pf:
    print(json.dumps({
        "module": practicefusion_connector.__file__,
        "actions": str(folder("actions")),
        "schemas": sorted(file.name for file in folder("schemas").iterdir()),
        "keys": [action.key for action in pf.registry.core()],
        "title": pf.registry.action("get_patient").title,
        "found": pf.run("get_patient", {"id": "1"}).resources,
    }))
"""


class _Practice(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"resourceType": "Patient", "id": self.path.rsplit("/", 1)[1]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing on stderr."""


@pytest.fixture(scope="module")
def practice() -> Iterator[str]:
    """The base URL of a practice with any patient."""
    with HTTPServer(("127.0.0.1", 0), _Practice) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/fhir"
        server.shutdown()
        thread.join(10)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the build needs: neither the build nor an edit touches the checkout."""
    copy = tmp_path_factory.mktemp("project")
    for name in SHIPPED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ROOT.iterdir():
        if file.is_file():
            shutil.copy(file, copy / file.name)
    return copy


@pytest.fixture(scope="module")
def wheel(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as `python -m build` makes it."""
    out = tmp_path_factory.mktemp("dist")
    isolation = ["--no-isolation"] if BACKEND_AT_HAND else []
    done(sys.executable, "-m", "build", "--wheel", *isolation, "--outdir", out, project)
    (built,) = out.glob("*.whl")
    return built


def done(*command: object, cwd: Path | None = None) -> str:
    """Run a command and return what it printed; its error output where it fails."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PIP_"))}
    ended = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd=cwd, env=environment
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return ended.stdout


class Environment:
    """A fresh virtual environment that borrows libraries, and what was installed into it."""

    def __init__(self, place: Path, *install: object) -> None:
        venv.create(place, with_pip=False, symlinks=os.name != "nt")
        folder = "Scripts" if os.name == "nt" else "bin"
        self.place, self.scripts = place, place / folder
        self.python = self.scripts / "python"
        site = done(
            self.python, "-Ic", "import sysconfig; print(sysconfig.get_path('purelib'))"
        ).strip()
        # A path in a .pth file lends the modules there but runs none of the .pth files there, and
        # so lends no editable install, this project's own least of all.
        borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        Path(site, "borrowed.pth").write_text("\n".join(sorted(borrowed)))
        pip = (sys.executable, "-m", "pip", "--python", self.python)
        options = ("--no-deps", "--ignore-installed", "--disable-pip-version-check", "-q")
        done(*pip, "install", *options, *install)

    def run(self, base_url: str, cwd: Path) -> dict[str, Any]:
        """Run an action from another folder and return what was seen on the way."""
        seen: dict[str, Any] = json.loads(
            done(self.python, "-Ic", PROGRAM, base_url, cwd=cwd).splitlines()[-1]
        )
        return seen


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel in it."""
    return Environment(tmp_path_factory.mktemp("wheel-env"), "--no-index", wheel)


def test_the_wheel_holds_every_data_file_once_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert len(names) == len(set(names))
    for folder in ("actions", "schemas"):
        data = {
            f"practicefusion_connector/{path.relative_to(ROOT).as_posix()}"
            for path in (ROOT / folder).rglob("*.*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert data <= set(names)
    assert "practicefusion_connector/py.typed" in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"practicefusion_connector"}
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_an_action_runs_from_the_wheel(
    installed: Environment, practice: str, tmp_path: Path
) -> None:
    seen = installed.run(practice, tmp_path)
    for place in ("module", "actions"):
        assert Path(seen[place]).is_relative_to(installed.place)
    assert Path(seen["actions"]).parent.name == "practicefusion_connector"
    assert "error.schema.json" in seen["schemas"]
    assert len(seen["keys"]) == 33
    assert seen["found"] == [{"resourceType": "Patient", "id": "1"}]


def test_the_command_runs_from_the_wheel(installed: Environment, tmp_path: Path) -> None:
    told = done(installed.scripts / "practicefusion", "actions", "list", "--json", cwd=tmp_path)
    assert "search_observations" in told
    assert json.loads(told)


def test_an_edited_action_file_is_seen_at_once_in_an_editable_install(
    project: Path, practice: str, tmp_path: Path
) -> None:
    isolation = ["--no-build-isolation"] if BACKEND_AT_HAND else []
    editable = Environment(tmp_path / "env", *isolation, "-e", project)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    before = editable.run(practice, elsewhere)
    assert Path(before["module"]).is_relative_to(project)
    assert Path(before["actions"]).resolve() == (project / "actions").resolve()
    assert len(before["keys"]) == 33
    assert before["found"] == [{"resourceType": "Patient", "id": "1"}]
    file = project / "actions" / "patient.toml"
    kept = file.read_text("utf-8")
    file.write_text(kept.replace(before["title"], "Get a Person by ID"), "utf-8")
    try:
        assert editable.run(practice, elsewhere)["title"] == "Get a Person by ID"
    finally:
        file.write_text(kept, "utf-8")
