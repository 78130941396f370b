"""A file is replaced whole or not at all."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from practicefusion_connector.files import replace_file


def test_a_new_file_is_its_owner_s_alone_unless_said_otherwise(tmp_path: Path) -> None:
    replace_file(tmp_path / "secret", "grün")
    replace_file(tmp_path / "open", b"x", mode=0o644)
    assert (tmp_path / "secret").read_bytes() == "grün".encode()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"secret": 0o600, "open": 0o644}


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_file(tmp_path / "kept", "old")

    def full(_descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        replace_file(tmp_path / "kept", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_text() == "old"


def test_writers_at_the_same_time_mix_nothing(tmp_path: Path) -> None:
    contents = [letter * 100_000 for letter in "abcdefgh"]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: replace_file(tmp_path / "shared", text), contents * 5))
    assert (tmp_path / "shared").read_text() in contents
    assert [path.name for path in tmp_path.iterdir()] == ["shared"]
