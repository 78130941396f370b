"""The code in docs/connecting.md runs, from the practice's name to the end of the connection."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.smart import key_files
from practicefusion_connector.stores import MemoryStore
from tests.flows.people import allow, connection, launch_from_ehr

PAGE = Path(__file__).parents[2] / "docs" / "connecting.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_page_runs_from_top_to_bottom(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    key_files.create(Path("keys.json"), "ES384")
    sandbox.register_jwks(key_files.public_set(Path("keys.json")))
    ours = connection(sandbox, id="from-the-ehr")
    with closing(MemoryStore()) as store:
        names: dict[str, Any] = {
            "directory_url": f"{sandbox.origin}/ServiceBaseURLs.json",
            "cache_folder": tmp_path / "cache",
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "backend_client_id": sandbox.backend_client_id,
            "open_in_browser": allow,
            "launch_url": launch_from_ehr(sandbox, next(iter(sandbox.resources["Patient"]))),
            "find_connection": {sandbox.fhir_base_url: ours}.get,
            "store": store,
        }
        seen: list[dict[str, Any]] = []
        for block in BLOCKS:
            if "HostTokens" in block:
                names["token_of_the_host"] = names["tokens"].access_token.get_secret_value
            exec(block, names)
            seen.append({name: names.get(name) for name in ("patients", "found", "ended")})
    assert names["base_url"] == sandbox.fhir_base_url
    assert len(seen[2]["patients"]) == 3
    assert names["categories"].keys() >= {"vital signs", "name"}
    assert "launch" in names["tokens"].scope
    assert len(seen[4]["found"]) == 3
    assert names["found"].ok
    assert '"Revoke access"' in names["ended"].advice
    assert store.ids() == ["nightly"]


def test_the_page_names_only_what_there_is() -> None:
    from practicefusion_connector import doctor, smart

    text = PAGE.read_text()
    listed = re.search(r"`practicefusion_connector\.smart`:\n(.*?)\.\n", text, re.DOTALL)
    assert listed is not None
    for name in re.findall(r"`(\w+)`", listed[1]):
        assert name in smart.__all__
    assert callable(doctor.examine)
