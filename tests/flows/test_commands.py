"""The commands about keys, practices, health and the end of a connection."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet

from practicefusion_connector import settings
from practicefusion_connector.cli.disconnect import disconnect
from practicefusion_connector.cli.doctor import doctor
from practicefusion_connector.cli.keys import keys
from practicefusion_connector.cli.practices import practices
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.smart.known_servers import KnownServers, shared
from practicefusion_connector.stores import ConnectionRecord
from practicefusion_connector.transport import Transport
from tests.flows.leaks import Leaks
from tests.flows.people import connect, connection


def run(command: click.Command, *arguments: str) -> Result:
    result = CliRunner().invoke(command, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    shared.cache_clear()
    monkeypatch.setenv("PRACTICEFUSION_STORE", (tmp_path / "connections").as_uri())
    monkeypatch.setenv("PRACTICEFUSION_STORE_KEY", Fernet.generate_key().decode())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield tmp_path
    shared.cache_clear()


@pytest.fixture
def stored(own_store: Path, sandbox: Sandbox, wire: Transport, servers: KnownServers) -> None:
    ours = connection(sandbox)
    with closing(settings.store()) as store:
        record = ConnectionRecord(connection=ours, tokens=connect(wire, servers, ours))
        store.save(record, expected=None)


def test_keys_are_made_published_and_rotated(tmp_path: Path, leaks: Leaks) -> None:
    file = tmp_path / "keys.json"
    made = run(keys, "new", str(file), "--algorithm", "ES384")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (first,) = json.loads(file.read_text())["keys"]
    leaks.plant("private exponent", first["d"])
    assert first["kid"] in made.output
    assert "register that URL" in made.output
    published = json.loads(run(keys, "jwks", str(file)).output)
    assert [sorted(key) for key in published["keys"]] == [
        ["alg", "crv", "kid", "kty", "use", "x", "y"]
    ]
    added = run(keys, "rotate", str(file))
    assert "goes on signing" in added.output
    both = json.loads(run(keys, "jwks", str(file)).output)["keys"]
    assert both[0]["kid"] == first["kid"]
    finished = json.loads(run(keys, "rotate", str(file), "--finish", "--json").output)
    assert finished == {"dropped": [first["kid"]], "key_ids": [both[1]["kid"]]}
    leaks.check(made.output, added.output, published)


def test_keys_speak_json(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    made = json.loads(run(keys, "new", str(file), "--json").output)
    added = json.loads(run(keys, "rotate", str(file), "--json").output)
    assert made["algorithm"] == "RS384"
    assert added["key_ids"] == [made["key_id"], added["added"]]
    assert "Next" in run(keys, "rotate", str(file), "--finish").output


def test_practices_are_searched(sandbox: Sandbox, own_store: Path) -> None:
    directory = f"{sandbox.origin}/ServiceBaseURLs.json"
    shown = run(practices, "search", "cedar hollow", "--directory", directory)
    assert "Cedar Hollow Family Practice" in shown.output
    found = run(practices, "search", "pediatric", "--directory", directory, "--json")
    listed: dict[str, Any] = json.loads(found.output)
    assert listed["count"] == len(listed["practices"]) > 3
    assert all(each["provider_url"].startswith("https://") for each in listed["practices"])
    assert listed["note"] == ""
    fewer = run(practices, "search", "pediatric", "--directory", directory, "--limit", "2")
    assert f"{listed['count'] - 2} more" in fewer.output
    nothing = run(practices, "search", "no such practice", "--directory", directory)
    assert nothing.exit_code == 1
    assert "None of" in nothing.output
    asked = [r.status for r in sandbox.requests if r.path == "/ServiceBaseURLs.json"]
    assert asked == [200]


def test_practices_are_searched_offline_in_a_file(tmp_path: Path, own_store: Path) -> None:
    file = tmp_path / "directory.json"
    endpoint = {"resourceType": "Endpoint", "id": "1", "address": "https://ehr.example/fhir"}
    practice = {"resourceType": "Organization", "name": "Oak", "active": False}
    entries = [
        {"resource": endpoint},
        {"resource": practice | {"endpoint": [{"reference": "Endpoint/1"}]}},
        {"resource": practice},
    ]
    file.write_text(json.dumps({"resourceType": "Bundle", "entry": entries}))
    found = run(practices, "search", "oak", "--directory", str(file))
    assert "Oak (inactive)" in found.output
    assert "Unusable parts of the directory: 1." in found.output


@pytest.mark.usefixtures("stored")
def test_the_doctor_examines_a_stored_connection(
    sandbox: Sandbox, behaviour: Behaviour, leaks: Leaks
) -> None:
    good = run(doctor)
    assert good.exit_code == 0
    assert "33 of 33 actions" in good.output
    told = json.loads(run(doctor, "--json").output)
    assert told["ok"] is True
    assert len(told["actions"]) == 33
    sandbox.tokens.revoke_grants()
    bad = run(doctor)
    assert bad.exit_code == 1
    assert "failed" in bad.output
    leaks.plant_tokens(sandbox)
    leaks.check(good.output, bad.output, told)


def test_the_doctor_examines_a_base_url(sandbox: Sandbox, own_store: Path) -> None:
    assert run(doctor, "--base-url", sandbox.fhir_base_url).exit_code == 0
    nowhere = run(doctor, "--base-url", f"{sandbox.origin}/nowhere")
    assert nowhere.exit_code == 1


@pytest.mark.usefixtures("stored")
def test_the_doctor_lists_actions_and_parameters_that_are_lacking(
    sandbox: Sandbox, behaviour: Behaviour
) -> None:
    with closing(settings.store()) as store:
        kept = store.load("default")
        assert kept is not None
        assert kept.record.tokens is not None
        fewer = kept.record.tokens.model_copy(update={"scope": ("user/Goal.read",)})
        record = kept.record.model_copy(update={"tokens": fewer})
        store.save(record, expected=kept.version)
    shown = run(doctor)
    assert shown.exit_code == 0
    assert "2 of 33 actions" in shown.output
    assert "user/Patient.read" in shown.output


@pytest.mark.usefixtures("stored")
def test_disconnecting_says_what_is_left_to_do(sandbox: Sandbox) -> None:
    ended = run(disconnect)
    assert "Disconnected default" in ended.output
    assert '"Revoke access"' in ended.output
    with closing(settings.store()) as store:
        assert store.ids() == []
    with pytest.raises(InvalidInput, match="no connection"):
        run(disconnect)


@pytest.mark.usefixtures("stored")
def test_disconnecting_where_the_server_ends_the_grant(
    sandbox: Sandbox, behaviour: Behaviour, leaks: Leaks
) -> None:
    behaviour.advertise_revocation = True
    leaks.plant_tokens(sandbox)
    ended = run(disconnect, "--json")
    assert json.loads(ended.output) == {
        "connection": "default",
        "removed": True,
        "revoked": True,
        "advice": "",
        "problem": None,
    }
    assert sandbox.tokens.count_active_grants() == 0
    leaks.check(ended.output)


def test_the_doctor_of_nobody_is_explained(own_store: Path) -> None:
    with pytest.raises(InvalidInput, match="no connection"):
        run(doctor)
