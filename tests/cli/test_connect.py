"""Connecting, end to end: a person signs in on the practice's own pages."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import click
import pytest
import requests

from practicefusion_connector.cli.connect import _client_secret
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.stores import Sealer, open_store
from practicefusion_connector.testing.person import approve
from tests.cli.conftest import Commands

SECRET = "canary-wrong-secret"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def come_back(url: str, username: str = "provider", allow: bool = True) -> requests.Response:
    """Do what a person and a browser do: sign in, decide, follow the redirect to the app."""
    callback = approve(url, username, f"{username}-password", allow=allow)
    return requests.get(callback, timeout=10)


class Browser:
    """Stands in for the desktop's browser; acts in a thread of its own, as that would."""

    def __init__(self, act: Callable[[str], requests.Response]) -> None:
        self.act = act
        self.page: requests.Response | None = None
        self._thread: threading.Thread | None = None

    def open(self, url: str) -> bool:
        self._thread = threading.Thread(target=self._go, args=(url,))
        self._thread.start()
        return True

    def _go(self, url: str) -> None:
        self.page = self.act(url)

    def close(self) -> None:
        if self._thread:
            self._thread.join()


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    stand_in = Browser(come_back)
    monkeypatch.setattr(webbrowser, "open", stand_in.open)
    yield stand_in
    stand_in.close()


@pytest.fixture
def options(stored: Commands, practice: Sandbox) -> list[str]:
    stored.environment["SECRET"] = practice.client_secret
    return [
        "--fhir-base-url", practice.fhir_base_url, "--client-id", practice.client_id,
        "--client-secret-env", "SECRET", "--redirect-uri", "http://127.0.0.1:0/callback",
    ]  # fmt: skip


def kept_secrets(stored: Commands) -> list[str]:
    """Every secret and token in the store."""
    url, key = (stored.environment[f"PRACTICEFUSION_STORE{part}"] or "" for part in ("", "_KEY"))
    with closing(open_store(url, Sealer(key))) as store:
        found = store.load("default")
    assert found
    assert found.record.tokens
    tokens, secret = found.record.tokens, found.record.connection.client_secret
    hidden = (secret, tokens.access_token, tokens.refresh_token, tokens.id_token)
    return [each.get_secret_value() for each in hidden if each]


def test_through_the_browser_to_a_running_action(
    stored: Commands, options: list[str], browser: Browser, practice: Sandbox
) -> None:
    connected = stored("connect", *options, "--name", "clinic")
    assert connected.code == 0, connected
    assert f"Connected to {practice.fhir_base_url}." in connected.out
    assert "Granted: 20 of 20 scopes." in connected.out
    assert 'Kept as "clinic".' in connected.out
    browser.close()
    assert browser.page is not None
    assert browser.page.status_code == 200
    assert "You can close this window" in browser.page.text
    assert browser.page.headers["Referrer-Policy"] == "no-referrer"
    ran = stored("actions", "run", "search_patients", "--connection", "clinic", "--json")
    assert ran.json["total"] == len(practice.resources["Patient"])
    assert practice.client_secret not in connected.out + connected.err


def test_the_stored_connection_is_listed_and_removed(
    stored: Commands, options: list[str], browser: Browser, practice: Sandbox
) -> None:
    assert "There are none." in stored("connections", "list").out
    stored("connect", *options, "--name", "clinic")
    (listed,) = stored("connections", "list", "--json").json
    assert listed["name"] == "clinic"
    assert listed["status"] == "active"
    assert "user/Patient.read" in listed["scopes"]
    shown = stored("connections", "list")
    assert "clinic" in shown.out
    assert practice.client_secret not in shown.out + json.dumps(listed)
    assert stored("connections", "remove", "clinic").out.startswith('Removed "clinic".')
    stored("connections", "remove", "clinic").failed_in_one_line(
        2, "invalid_input: There is no connection of this name. Stored: none."
    )


def test_connecting_again_replaces_the_connection(
    stored: Commands, options: list[str], browser: Browser
) -> None:
    assert stored("connect", *options).code == 0
    browser.close()
    assert stored("connect", *options, "--scopes", "openid user/Patient.read").code == 0
    (listed,) = stored("connections", "list", "--json").json
    assert set(listed["scopes"]) == {"openid", "user/Patient.read"}


def test_nothing_on_disk_or_on_the_terminal_shows_a_secret(
    stored: Commands, options: list[str], browser: Browser, tmp_path: Path
) -> None:
    ended = stored("connect", *options, "--json")
    assert ended.code == 0
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert files
    kept = "".join(path.read_text("latin-1") for path in files)
    secrets = kept_secrets(stored)
    assert len(secrets) == 4
    for secret in secrets:
        assert secret not in ended.out + ended.err + kept


def test_a_dropped_scope_is_reported_with_what_it_costs(
    stored: Commands, options: list[str], browser: Browser, practice: Sandbox
) -> None:
    practice.behaviour.granted_scopes_filter = lambda scope: "Goal" not in scope
    ended = stored("connect", *options)
    assert ended.code == 0
    assert "Granted: 19 of 20 scopes." in ended.out
    assert "Not granted: user/Goal.read" in ended.out
    assert "These actions will not work: get_goal, search_goals" in ended.out
    browser.close()
    told = stored("connect", *options, "--json", "--no-store").json
    assert told["scopes_not_granted"] == ["user/Goal.read"]
    assert told["actions_not_covered"] == ["get_goal", "search_goals"]
    assert told["connection"] is None


def test_a_patient_connects_without_a_secret(
    stored: Commands, browser: Browser, practice: Sandbox
) -> None:
    browser.act = lambda url: come_back(url, "patient")
    ended = stored(
        "connect", "--public", "--level", "patient", "--client-id", practice.public_client_id,
        "--fhir-base-url", practice.fhir_base_url, "--redirect-uri", "http://127.0.0.1:0/callback",
        "--json",
    )  # fmt: skip
    assert ended.code == 0, ended
    patient = next(user["patient"] for user in practice.users if user["username"] == "patient")
    assert ended.json["patient"] == patient
    assert "patient/Patient.read" in ended.json["scopes_granted"]


def test_denied_is_exit_code_3_and_nothing_is_kept(
    stored: Commands, options: list[str], browser: Browser
) -> None:
    browser.act = lambda url: come_back(url, allow=False)
    ended = stored("connect", *options)
    assert ended.code == 3
    assert ended.err.splitlines()[-1].startswith("forbidden: The person did not allow access.")
    assert stored("connections", "list", "--json").json == []


def test_a_forged_callback_is_refused(
    stored: Commands, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    forged = Browser(
        lambda _: requests.get(
            f"http://127.0.0.1:{port}/callback?code=canary-code&state=forged", timeout=10
        )
    )
    monkeypatch.setattr(webbrowser, "open", forged.open)
    at = ["--redirect-uri", f"http://127.0.0.1:{port}/callback"]
    ended = stored("connect", *options, *at)
    forged.close()
    assert ended.code == 2
    last = ended.err.splitlines()[-1]
    assert last.startswith("invalid_input: The callback's state is not the one sent out")
    assert "canary-code" not in ended.err


def test_nobody_comes_back(
    stored: Commands, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    ended = stored("connect", *options, "--timeout", "0.05")
    assert ended.code == 3
    assert "Nobody came back from the sign-in within 0.05 s" in ended.err.splitlines()[-1]


def test_a_wrong_secret_is_told_without_it(
    stored: Commands, options: list[str], browser: Browser
) -> None:
    stored.environment["SECRET"] = SECRET
    ended = stored("connect", *options)
    assert ended.code == 2
    assert ended.err.splitlines()[-1].startswith("invalid_config: The token endpoint refuses")
    assert SECRET not in ended.err + ended.out


def test_a_pasted_redirect(stored: Commands, options: list[str]) -> None:
    environment = {name: value for name, value in stored.environment.items() if value}
    with subprocess.Popen(
        [sys.executable, "-m", "practicefusion_connector.cli", "connect", *options, "--no-browser"],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdin
        assert running.stderr
        url = next(line for line in running.stderr if line.startswith("http"))
        pasted = approve(url.strip(), "provider", "provider-password")
        out, err = running.communicate(pasted + "\n", timeout=30)
    assert running.returncode == 0, err
    assert "Granted: 20 of 20 scopes." in out
    assert stored("connections", "list", "--json").json[0]["status"] == "active"


def test_a_redirect_to_another_machine_has_to_be_pasted(
    stored: Commands, options: list[str]
) -> None:
    at = ["--redirect-uri", "https://app.example.org/callback"]
    ended = stored("connect", *options, *at, stdin="")
    assert "Paste that page's whole address here:" in ended.err


def test_nothing_pasted(stored: Commands, options: list[str]) -> None:
    ended = stored("connect", *options, "--no-browser", stdin="")
    assert ended.code == 2
    assert ended.err.splitlines()[-1].startswith("invalid_input: No address was pasted")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (["--name", "not a name"], "invalid_config: The connection is not usable: id: "),
        (["--client-secret-env", "NOT_SET"], "invalid_input: The environment variable NOT_SET"),
        (["--scopes", "launch"], 'invalid_config: A standalone launch cannot ask for the scope "l'),
        (["--level", "practice"], "invalid_input: Invalid value for '--level'"),
    ],
)
def test_wrong_settings(
    stored: Commands, options: list[str], changed: list[str], said: str
) -> None:
    stored("connect", *options, *changed).failed_in_one_line(2, said)


def test_a_taken_port(stored: Commands, options: list[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        at = ["--redirect-uri", f"http://127.0.0.1:{port}/callback"]
        stored("connect", *options, *at).failed_in_one_line(
            2, f"invalid_config: Port {port} of the redirect URI cannot be listened on"
        )


def test_a_store_without_a_key_is_told_before_anybody_signs_in(
    commands: Commands, practice: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda url: pytest.fail("nobody must be asked"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    commands.environment |= {
        "PRACTICEFUSION_STORE": tmp_path.as_uri(),
        "PRACTICEFUSION_STORE_KEY": None,
    }
    commands(
        "connect", "--public", "--client-id", "app", "--fhir-base-url", practice.fhir_base_url
    ).failed_in_one_line(2, "invalid_config: The token store has no key")


def test_a_secret_is_asked_for_only_on_a_terminal(stored: Commands, practice: Sandbox) -> None:
    stored(
        "connect", "--client-id", "app", "--fhir-base-url", practice.fhir_base_url, stdin="x\n"
    ).failed_in_one_line(2, "invalid_input: Give --client-secret-env VAR, or --public")


def test_a_typed_secret_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[bool] = []

    def typed(*_: object, hide_input: bool, **__: object) -> str:
        shown.append(not hide_input)
        return SECRET

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "prompt", typed)
    secret = _client_secret(None, public=False)
    assert secret
    assert secret.get_secret_value() == SECRET
    assert SECRET not in repr(secret)
    assert shown == [False]


def test_the_installed_command_with_a_browser_of_the_system(
    stored: Commands, options: list[str], tmp_path: Path
) -> None:
    """The real command in a process of its own opens $BROWSER, which signs in and comes back."""
    script = tmp_path / "browser.py"
    script.write_text(
        "import sys, requests\n"
        "from practicefusion_connector.testing.person import approve\n"
        "requests.get(approve(sys.argv[1], 'provider', 'provider-password'), timeout=10)\n"
    )
    environment = {name: value for name, value in stored.environment.items() if value}
    ended = subprocess.run(
        [sys.executable, "-m", "practicefusion_connector.cli", "connect", *options],
        env={**os.environ, **environment, "BROWSER": f"{sys.executable} {script} %s &"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Granted: 20 of 20 scopes." in ended.stdout
    assert stored("actions", "run", "search_patients", "--json").json["count"] > 0


def test_a_practice_is_found_by_its_name(stored: Commands, practice: Sandbox) -> None:
    port = free_port()
    browser = Browser(come_back)
    directory = f"{practice.origin}/ServiceBaseURLs.json"
    with pytest.MonkeyPatch.context() as patched, closing(browser):
        patched.setattr(webbrowser, "open", browser.open)
        ran = stored(
            *("connect", "--practice", "cedar hollow", "--directory", directory, "--json"),
            *("--client-id", practice.public_client_id, "--public"),
            *("--redirect-uri", f"http://127.0.0.1:{port}/callback"),
        )
    assert ran.json["fhir_base_url"] == practice.fhir_base_url
    assert ran.json["actions_not_covered"] == []


@pytest.mark.parametrize(("name", "said"), [("family", "practices fit"), ("zzz", "No practice")])
def test_a_name_must_mean_one_practice(
    stored: Commands, practice: Sandbox, name: str, said: str
) -> None:
    directory = f"{practice.origin}/ServiceBaseURLs.json"
    ran = stored(
        *("connect", "--practice", name, "--directory", directory),
        *("--client-id", practice.public_client_id, "--public"),
    )
    assert ran.code == 2
    assert said in ran.err
    assert "practicefusion practices search" in ran.err


def test_neither_url_nor_practice_is_wrong_usage(stored: Commands) -> None:
    ran = stored("connect", "--client-id", "x", "--public")
    assert ran.code == 2
    assert "--fhir-base-url URL or --practice NAME" in ran.err


def test_a_system_signs_in_by_its_key(stored: Commands, practice: Sandbox, tmp_path: Path) -> None:
    key = tmp_path / "keys.json"
    assert stored("keys", "new", str(key)).code == 0
    practice.register_jwks(stored("keys", "jwks", str(key)).json)

    ran = stored(
        *("connect", "--fhir-base-url", practice.fhir_base_url, "--level", "system", "--json"),
        *("--client-id", practice.backend_client_id, "--key-file", str(key), "--name", "nightly"),
    )

    assert ran.json["scopes_not_granted"] == []
    listed = stored("actions", "run", "search_patients", "--connection", "nightly", "--json")
    assert listed.json["total"] == len(practice.resources["Patient"])
    assert '"d"' not in ran.out + ran.err
