"""Other frameworks' MCP clients, each in an environment of its own that is kept in `.cache/`.

They take minutes to install and versions of the SDK that this environment cannot hold.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from practicefusion_connector.registry import shipped

CLIENTS = Path(__file__).parent / "clients"
CACHE = Path(__file__).parents[2] / ".cache" / "mcp-clients"
KEYS = [action.key for action in shipped()]

pytestmark = pytest.mark.soak


def python_with(name: str, requirement: str) -> Path:
    """Return the interpreter of an environment with a package, made where there is none yet."""
    folder = CACHE / name
    interpreter = folder / "bin" / "python"
    complete = folder / "complete"
    if not complete.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        (CACHE / ".gitignore").write_text("*\n")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(interpreter), "-m", "pip", "install", "--quiet", requirement]
        if subprocess.run(install, check=False, capture_output=True).returncode != 0:
            pytest.skip(f"service missing: {requirement} cannot be installed")
        complete.touch()
    return interpreter


def seen_by(script: str, interpreter: Path, url: str) -> Any:
    ended = subprocess.run(
        [str(interpreter), str(CLIENTS / script), url],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_langchain_s_adapters(url: str) -> None:
    interpreter = python_with("langchain", "langchain-mcp-adapters>=0.3")
    seen = seen_by("langchain_adapters.py", interpreter, url)

    assert seen["tools"] == KEYS
    assert seen["meta"]["practicefusion/sensitivity"] == "phi"
    content = json.loads(seen["content"][0]["text"])
    assert content["count"] == 1
    assert seen["artifact"]["structured_content"] == content
    status, told = seen["refused"]
    assert status == "error"
    assert "familly" in json.dumps(told)


def test_pydantic_ai_s_test_model(url: str) -> None:
    interpreter = python_with("pydantic-ai", "pydantic-ai-slim[mcp]>=2")
    seen = seen_by("pydantic_ai_model.py", interpreter, url)

    assert seen["tools"] == KEYS
    assert seen["answers"]["search_patients"]["count"] == 20
    assert seen["answers"]["search_practitioners"]["rows"]
