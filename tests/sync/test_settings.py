"""A sync's settings: a file, the variables of the earlier integration, what a command is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.stores import MemoryStore
from practicefusion_connector.sync.building import built
from practicefusion_connector.sync.config import SyncSettings, read_settings
from practicefusion_connector.sync.naming import state_name
from practicefusion_connector.transport import Policy
from tests.sync.data import write

FILE = """
[source]
connection = "clinic"
groups = ["a", "b"]
types = ["Patient"]

[target]
to = "duckdb:/data/{connection}.duckdb"

[schedule]
cron = "0 3 * * *"
"""


def test_variables_outrank_the_file_and_options_both(tmp_path: Path) -> None:
    file = tmp_path / "sync.toml"
    file.write_text(FILE)
    variables = {"PF_RESOURCE_TYPES": "Patient, Observation", "PF_SYNC_RUN_ON_STARTUP": "true"}
    given = {"source": {"connection": "other", "types": ()}}
    read = read_settings(file, variables, given)
    assert read.source.types == ("Patient", "Observation")
    assert read.source.connection == "other"
    assert read.schedule.run_on_startup
    assert read.plan().scopes == ("group:a", "group:b")
    assert read.of("north").target.to == "duckdb:/data/north.duckdb"
    assert read.of("north").sync.folder == Path("sync/north")


def test_naming_one_source_voids_the_others_of_lower_layers(tmp_path: Path) -> None:
    file = tmp_path / "sync.toml"
    file.write_text(
        '[source]\nfolder = "export"\n[target]\nto = "https://t.example"\ntoken = "t"\n'
    )
    variables = {"PF_FHIR_BASE_URL": "https://a.example/r4", "PF_SYNC_TARGET_CLIENT_ID": "app"}
    from_variables = read_settings(file, variables)
    assert from_variables.source.folder is None
    assert from_variables.source.fhir_base_url == "https://a.example/r4"
    assert from_variables.target.token is None
    named = read_settings(file, variables, {"source": {"connection": "clinic"}}).source
    assert (named.connection, named.fhir_base_url, named.folder) == ("clinic", None, None)
    one_of_many = from_variables.of("north").source
    assert (one_of_many.connection, one_of_many.fhir_base_url) == ("north", None)


def test_the_secret_of_the_highest_layer_is_the_one_that_signs_in(tmp_path: Path) -> None:
    file = tmp_path / "sync.toml"
    file.write_text('[source]\nprivate_key_file = "old.pem"\nkey_id = "old"\n')
    secret = read_settings(file, {"PF_CLIENT_SECRET": "new"}).source
    assert (secret.private_key, secret.private_key_file) == (None, None)
    assert secret.client_secret is not None
    key = read_settings(file, {"PF_PRIVATE_KEY": "new", "PF_KEY_ID": "new"}).source
    assert (key.private_key_file, key.key_id, key.client_secret) == (None, "new", None)
    file.write_text('[source]\nclient_secret = "old"\n')
    assert read_settings(file, {"PF_PRIVATE_KEY": "new"}).source.client_secret is None
    assert read_settings(file, {"PF_CLIENT_ID": "app"}).source.client_secret is not None


def test_connections_that_share_a_name_have_a_state_each() -> None:
    read = read_settings(None, {}, {"sync": {"name": "nightly"}})
    assert [read.of(each).sync.name for each in ("north", "south")] == [
        "nightly north",
        "nightly south",
    ]
    assert read_settings(None, {}).of("north").sync.name is None


def test_a_state_is_known_by_practice_and_target_and_by_no_password() -> None:
    one = state_name("practice", "https://a.example/r4", "postgresql://u:old@db/x")
    assert one == state_name("practice", "https://a.example/r4/", "postgresql://u:new@db/x/")
    assert one != state_name("practice", "https://b.example/r4", "postgresql://u:old@db/x")
    assert one != state_name("practice", "https://a.example/r4", "postgresql://u:old@db/y")
    assert "old" not in one
    kept = state_name("folder-1", None, "duckdb:some@where.duckdb")
    assert kept != state_name("folder-1", None, "duckdb:where.duckdb")


def test_every_variable_of_the_earlier_integration() -> None:
    read = read_settings(
        None,
        {
            "PF_SYNC_ENABLED": "false",
            "PF_SYNC_INTERVAL_MS": "60000",
            "PF_SYNC_RUN_ON_STARTUP": "1",
            "PF_FHIR_BASE_URL": "https://api.practicefusion.com/fhir/r4/v1/p",
            "PF_CLIENT_ID": "app",
            "PF_CLIENT_SECRET": "hush",
            "PF_PRIVATE_KEY": "-----BEGIN",
            "PF_KEY_ID": "k1",
            "PF_RESOURCE_TYPES": "Patient",
        },
    )
    assert (read.schedule.enabled, read.schedule.interval_ms) == (False, 60000)
    assert (read.source.client_id, read.source.key_id) == ("app", "k1")
    assert "hush" not in repr(read)
    assert "BEGIN" not in repr(read)
    assert read.plan().scopes == ("patient",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[source]\ntyp = 1\n", "source.typ"),
        ("to = 'x'\n", "to must be in a section"),
        ("[schedule]\ninterval_ms = 'secret-value'\n", "schedule.interval_ms"),
        ("[schedule]\ninterval_ms = 100000000000000\n", "schedule.interval_ms"),
        ("[source\n", "line 1"),
    ],
)
def test_what_is_wrong_is_named_and_not_repeated(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "sync.toml"
    file.write_text(text)
    with pytest.raises(InvalidConfig, match=told) as refused:
        read_settings(file, {})
    assert "secret-value" not in str(refused.value)


def test_the_defaults_are_a_whole_practice_once_a_day() -> None:
    read = SyncSettings()
    assert read.schedule.interval_ms == 86_400_000
    assert read.plan().types == ()


def test_a_type_that_is_none_is_told_with_the_way_out() -> None:
    with pytest.raises(InvalidConfig, match=r'source.types: "Goals" .* Did you mean "Goal"\?$'):
        read_settings(None, {"PF_RESOURCE_TYPES": "Patient, Goals"})


@pytest.mark.parametrize(
    "to", ["nonsense", "foo:bar", "x+y://u:canary@h/d", "duckdb:", "http://", "https://[::canary/x"]
)
def test_a_target_that_is_none_is_told_before_anything_is_opened(to: str, tmp_path: Path) -> None:
    def untouched() -> Any:
        raise AssertionError

    read = read_settings(None, {}, {"target": {"to": to}, "sync": {"folder": tmp_path / "s"}})
    folder = {"folder": write(tmp_path / "e", [{"resourceType": "Patient", "id": "a"}])}
    read = read.model_copy(update={"source": read.source.model_copy(update=folder)})
    with (
        pytest.raises(InvalidConfig, match=r"duckdb:FILE|no FHIR base URL") as caught,
        built(read, read.plan(), policy_for=Policy, open_store=untouched),
    ):
        pass
    assert "canary" not in str(caught.value)


def test_what_a_warehouse_s_loader_writes_is_its_owner_s_alone(tmp_path: Path) -> None:
    # As a service leaves it, whose health anybody may read.
    (tmp_path / "sync").mkdir(mode=0o755)
    given = {
        "source": {"folder": write(tmp_path / "e", [{"resourceType": "Patient", "id": "a"}])},
        "target": {"to": f"sqlite:///{tmp_path}/house.db"},
        "sync": {"folder": tmp_path / "sync"},
    }
    read = read_settings(None, {}, given)
    with built(read, read.plan(), policy_for=Policy, open_store=MemoryStore):
        pass
    (place,) = (tmp_path / "sync" / "warehouse").iterdir()
    assert place.stat().st_mode & 0o077 == 0
