"""Write the generated files of `schemas/`: the catalog, the connection and the error.

    python scripts/generate_schemas.py             write what the action files say now
    python scripts/generate_schemas.py --release   also keep the catalog as this version's contract
    python scripts/generate_schemas.py --samples   first take the sample resources from the sandbox

A test fails where the files in the repository differ from what this script would write.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from practicefusion_connector.catalog import catalog, connection_schema, error_schema
from practicefusion_connector.catalog.changes import contract
from practicefusion_connector.registry import Registry
from practicefusion_connector.registry.definitions import input_name

ROOT = Path(__file__).parents[1]


def generated(registry: Registry) -> dict[str, Any]:
    """Return the content of each generated file by its name in `schemas/`."""
    return {
        "catalog.json": catalog(registry),
        "connection.schema.json": connection_schema(),
        "error.schema.json": error_schema(),
    }


def as_text(content: Any) -> str:
    """Return content as the files hold it."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def sandbox_samples(registry: Registry) -> dict[str, Any]:
    """Return the sandbox's record behind each get action's sample id, by file name."""
    from practicefusion_connector.sandbox.population import generate

    records = {(record["resourceType"], record["id"]): record for record in generate()}
    return {
        f"{input_name(action.resource)}.json": records[action.resource, action.sample["id"]]
        for action in registry
        if action.operation == "get"
    }


def write(path: Path, text: str) -> None:
    """Replace a file in one step, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def main(arguments: list[str]) -> None:
    """Write the files; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Write the generated files of schemas/.")
    parser.add_argument("--release", action="store_true", help="keep this version's contract")
    parser.add_argument("--samples", action="store_true", help="take samples from the sandbox")
    options = parser.parse_args(arguments)
    if options.samples:
        for name, sample in sandbox_samples(Registry.load()).items():
            write(ROOT / "actions" / "samples" / name, as_text(sample))
    files = generated(Registry.load())
    for name, content in files.items():
        write(ROOT / "schemas" / name, as_text(content))
    if options.release:
        whole = files["catalog.json"]
        name = f"catalog-{whole['connector']['version']}.json"
        write(ROOT / "schemas" / "released" / name, as_text(contract(whole)))


if __name__ == "__main__":
    main(sys.argv[1:])
