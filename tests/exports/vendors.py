"""Running the checkers in `node/`, which hold the vendors' own packages."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

NODE = Path(__file__).parent / "node"
PACKAGES = NODE / "node_modules"


def check(checker: str, definition: str, cases: list[dict[str, Any]], folder: Path) -> Any:
    """Run a checker on an exported definition and some cases; return what it prints.

    Skips the test where Node or the packages are not installed.
    """
    node = shutil.which("node")
    if node is None or not PACKAGES.is_dir():
        pytest.skip("service missing: node packages (npm install in tests/exports/node)")
    ending = "mjs" if checker == "activepieces" else "json"
    exported, asked = folder / f"definition.{ending}", folder / "cases.json"
    exported.write_text(definition, "utf-8")
    asked.write_text(json.dumps(cases), "utf-8")
    # A module finds its packages in a folder beside it or above it.
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(PACKAGES)
    command = [node, str(NODE / f"{checker}.mjs"), str(exported), str(asked)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return json.loads(ran.stdout)


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}
