"""The command line: tables for people, JSON for pipes, one clear line for what went wrong.

It translates and decides nothing: each command calls the same functions a host calls.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

_NEEDED = ("click", "rich", "platformdirs")


def main() -> None:
    """Run the `practicefusion` command; without its libraries, say what to install."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"The practicefusion command needs libraries that are not installed "
            f"({', '.join(missing)}): pip install 'practicefusion-connector[all]'\n"
        )
        raise SystemExit(1)
    from practicefusion_connector.cli.app import app

    app()
