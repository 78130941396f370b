"""The flat public surface: sorted, complete, and cheap to import."""

from __future__ import annotations

import subprocess
import sys

import pytest

import practicefusion_connector
from practicefusion_connector import smart, stores

HEAVY = ("fhir", "flask", "pydantic", "requests", "oauthlib", "tenacity", "sqlalchemy", "click")


@pytest.mark.parametrize("module", [practicefusion_connector, smart, stores])
def test_every_public_name_resolves_and_is_listed(module: object) -> None:
    names = module.__all__  # type: ignore[attr-defined]
    assert names == sorted(names)
    assert len(names) == len(set(names))
    for name in names:
        assert getattr(module, name) is not None
        assert name in dir(module)


def test_a_name_resolves_to_where_it_lives() -> None:
    from practicefusion_connector.connector import PracticeFusion

    assert practicefusion_connector.PracticeFusion is PracticeFusion


def test_a_name_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        practicefusion_connector.Nothing  # noqa: B018


def loaded_by(program: str) -> set[str]:
    """Return the top-level modules a fresh process has loaded after running `program`."""
    shown = f"{program}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", shown], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_importing_the_package_imports_none_of_its_libraries() -> None:
    loaded = loaded_by("import practicefusion_connector")
    assert "practicefusion_connector" in loaded
    assert not loaded & set(HEAVY)


def test_running_an_action_needs_neither_models_nor_sandbox() -> None:
    program = (
        "import sys\n"
        "from practicefusion_connector import Connection, HostTokens, PracticeFusion\n"
        "c = Connection.of(fhir_base_url='https://ehr.example/r4', client_id='a')\n"
        "PracticeFusion(c, HostTokens(str)).close()\n"
        "assert 'practicefusion_connector.sandbox' not in sys.modules\n"
        "assert 'practicefusion_connector.testing' not in sys.modules\n"
    )
    loaded = loaded_by(program)
    assert {"pydantic", "requests"} <= loaded
    assert not loaded & {"fhir", "flask", "authlib", "faker", "oauthlib", "sqlalchemy", "redis"}
