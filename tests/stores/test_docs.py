"""The code in docs/stores.md runs, and the store it shows passes the conformance suite."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from practicefusion_connector.stores import ConnectionStore
from practicefusion_connector.testing.store_conformance import (
    Canaries,
    StoreConformance,
    make_record,
)

PAGE = Path(__file__).parents[2] / "docs" / "stores.md"
OPEN, RESEAL, DICT_STORE, SUITE = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def run(*blocks: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "docs"}
    for block in blocks:
        exec(block, names)
    return names


class TestDictStore(StoreConformance):
    def make_store(self) -> ConnectionStore:
        store: ConnectionStore = run(DICT_STORE)["DictStore"]()
        return store


def test_the_suite_is_used_as_shown() -> None:
    names = run(DICT_STORE, SUITE)
    shown = names["TestDictStore"]
    assert issubclass(shown, StoreConformance)
    assert isinstance(shown().make_store(), names["DictStore"])


def test_opening_and_sealing_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRACTICEFUSION_STORE_KEY", old)
    first = run(OPEN)["store"]
    first.save(make_record(Canaries(), "north"), expected=None)
    first.close()

    monkeypatch.setenv("PRACTICEFUSION_STORE_KEY", f"{new},{old}")
    run(OPEN, RESEAL)["store"].close()

    monkeypatch.setenv("PRACTICEFUSION_STORE_KEY", new)
    last = run(OPEN)["store"]
    assert last.load("north").record.connection.id == "north"
    last.close()
