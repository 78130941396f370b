"""Write `practicefusion_connector/signatures.pyi`: every action's method, for editors and checkers.

    python scripts/generate_client.py

The words come from the action files, by way of `practicefusion_connector.methods`. A test fails
where the file in the repository differs from what this script would write.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import indent

from practicefusion_connector.methods import ASYNC_OPTIONS, OPTIONS, arguments, documentation
from practicefusion_connector.registry import Action, Registry, shipped

TARGET = Path(__file__).parents[1] / "practicefusion_connector" / "signatures.pyi"
HEADER = '''"""Every shipped action as a method with its signature, for editors and type checkers.

Written by scripts/generate_client.py from the action files; `methods` makes the methods at run
time. `Actions` and `PagedActions` are what `PracticeFusion` has, the others its asyncio twin's.
"""

# fmt: off
# ruff: noqa: A002, E501

from collections.abc import AsyncIterator, Callable, Iterator
from threading import Event
from typing import Any, Literal

from practicefusion_connector.methods import Code, Composite, Date, Quantity, Text
from practicefusion_connector.registry import Registry
from practicefusion_connector.result import Result
'''
CONSTRUCTOR = """\
    def __init__(self, registry: Registry, pages: Callable[..., Any]) -> None: ...
"""


def stub(registry: Registry) -> str:
    """Return the whole text of the stub for the actions of a registry."""
    searches = [action for action in registry if action.operation == "search"]
    parts = [
        HEADER,
        "class Actions:\n    registry: Registry\n",
        *(_method(action, "def", "Result", OPTIONS) for action in registry),
        f"\nclass PagedActions:\n{CONSTRUCTOR}",
        *(_method(action, "def", "Iterator[Result]", OPTIONS) for action in searches),
        "\nclass AsyncActions:\n    registry: Registry\n",
        *(_method(action, "async def", "Result", ASYNC_OPTIONS) for action in registry),
        f"\nclass AsyncPagedActions:\n{CONSTRUCTOR}",
        *(_method(action, "def", "AsyncIterator[Result]", ASYNC_OPTIONS) for action in searches),
    ]
    return "\n".join(parts)


def _method(action: Action, keyword: str, returns: str, options: Mapping[str, str]) -> str:
    documented = documentation(action)
    if returns != "Result" or keyword != "def":
        documented = _in_short(action, returns)
    lines = [
        f"{keyword} {action.key}(",
        *(f"    {argument}," for argument in _arguments(action, options)),
        f") -> {returns}:",
        indent(f'"""{documented}' + ("\n" if "\n" in documented else "") + '"""', "    "),
    ]
    return indent("\n".join(lines) + "\n", "    ")


def _in_short(action: Action, returns: str) -> str:
    done = "Yield the pages of" if "Iterator" in returns else "Run"
    return f"{done} `{action.key}`; `PracticeFusion.{action.key}` explains the inputs."


def _arguments(action: Action, options: Mapping[str, str]) -> Iterator[str]:
    yield "self"
    own = arguments(action)
    if action.operation == "get":
        yield f"id: {own.pop('id')}"
    yield "*"
    yield from (f"{name}: {annotation} | None = None" for name, annotation in own.items())
    yield from (f"{name}: {option}" for name, option in options.items())


def main() -> None:
    """Write the file in one step, so that a reader never sees half of it."""
    partial = TARGET.with_name(TARGET.name + ".part")
    with partial.open("w", encoding="utf-8") as file:
        file.write(stub(shipped()))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(TARGET)


if __name__ == "__main__":
    main()
