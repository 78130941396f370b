"""What the environment says, read in one place."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from practicefusion_connector import settings
from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import InvalidConfig, InvalidInput
from practicefusion_connector.stores import ConnectionRecord

VARIABLES = (
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "SSL_CERT_FILE", "PRACTICEFUSION_STORE", "PRACTICEFUSION_STORE_KEY", "XDG_DATA_HOME",
)  # fmt: skip
PRACTICE = "https://api.example.org/fhir"


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_proxies_but_not_to_those_excepted_or_to_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert settings.proxies(PRACTICE) == ()
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.org:3128")
    monkeypatch.setenv("NO_PROXY", "internal.example.org,.local")
    assert settings.proxies(PRACTICE) == (("https", "http://proxy.example.org:3128"),)
    for excepted in (
        "https://internal.example.org/fhir",
        "https://ehr.local",
        "http://127.0.0.1:1",
    ):
        assert settings.proxies(excepted) == ()


def test_certificate_authorities(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert settings.policy(PRACTICE).ca_bundle is None
    bundle = tmp_path / "ca.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    with pytest.raises(InvalidConfig, match="SSL_CERT_FILE names a file that does not exist"):
        settings.policy(PRACTICE)
    bundle.touch()
    policy = settings.policy(PRACTICE, deadline=7.0)
    assert (policy.ca_bundle, policy.deadline) == (str(bundle), 7.0)


def test_a_secret_stays_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "canary")
    found = settings.secret("SECRET")
    assert found.get_secret_value() == "canary"
    assert "canary" not in repr(found)
    monkeypatch.setenv("SECRET", " ")
    with pytest.raises(InvalidInput, match="SECRET is not set"):
        settings.secret("SECRET")


def test_the_store_is_this_users_own_files_where_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("PRACTICEFUSION_STORE_KEY", Fernet.generate_key().decode())
    record = ConnectionRecord(connection=Connection.of(fhir_base_url=PRACTICE, client_id="app"))
    with closing(settings.store()) as store:
        store.save(record, expected=None)
    with closing(settings.store()) as store:
        assert store.ids() == ["default"]
    assert list(tmp_path.rglob("*.sealed"))


def test_the_store_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRACTICEFUSION_STORE", "memory:")
    with closing(settings.store()) as store:
        assert store.ids() == []
    monkeypatch.setenv("PRACTICEFUSION_STORE", "ftp://example.org")
    monkeypatch.setenv("PRACTICEFUSION_STORE_KEY", Fernet.generate_key().decode())
    with pytest.raises(InvalidConfig, match="names no store"):
        settings.store()
