"""Reading action files into a registry: TOML in, actions out, no I/O afterwards.

`actions/*.toml` declare one resource each; `actions/shared/parameters.toml` holds the parameters
that are the same for every search, so that a file names them instead of repeating them.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from practicefusion_connector.errors import InvalidConfig, InvalidInput
from practicefusion_connector.registry.definitions import Action, Parameter, input_name
from practicefusion_connector.resources import folder


class Registry:
    """The actions a connector can run, by key, in a fixed order."""

    def __init__(self, actions: list[Action]) -> None:
        self._actions = {action.key: action for action in actions}
        if len(self._actions) < len(actions):
            raise InvalidConfig("Two action files declare the same action key.")

    @staticmethod
    def load(*folders: Path) -> Registry:
        """Return the shipped actions and those in `folders`; raises `InvalidConfig`."""
        files = [file for place in (folder("actions"), *folders) for file in _toml_files(place)]
        shared = _shared_parameters()
        return Registry([action for file in files for action in _actions_in(file, shared)])

    def __iter__(self) -> Iterator[Action]:
        return iter(self._actions.values())

    def __len__(self) -> int:
        return len(self._actions)

    def core(self) -> list[Action]:
        """Return the actions without the extensions."""
        return [action for action in self if not action.extension]

    def action(self, key: str) -> Action:
        """Return the action with this key, or raise `InvalidInput` with the nearest one."""
        found = self._actions.get(key)
        if found is None:
            near = difflib.get_close_matches(key, self._actions, n=1)
            hint = f' Did you mean "{near[0]}"?' if near else ""
            raise InvalidInput(
                f"There is no action with this key.{hint} "
                "`practicefusion actions list` shows them all.",
                problems=[{"path": "action", "message": f"unknown action key.{hint}"}],
            )
        return found


@cache
def shipped() -> Registry:
    """Return the registry of the shipped actions, loaded once."""
    return Registry.load()


def _toml_files(place: Traversable) -> list[Traversable]:
    return sorted(
        (file for file in place.iterdir() if file.name.endswith(".toml")), key=lambda f: f.name
    )


def _shared_parameters() -> dict[str, dict[str, Any]]:
    file = folder("actions") / "shared" / "parameters.toml"
    declared: dict[str, dict[str, Any]] = tomllib.loads(file.read_text("utf-8"))["parameters"]
    return declared


def _actions_in(file: Traversable, shared: dict[str, dict[str, Any]]) -> list[Action]:
    try:
        declared = tomllib.loads(file.read_text("utf-8"))
        return [*_get(declared), *_search(declared, shared)]
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValidationError) as error:
        raise InvalidConfig(f"{file.name} does not declare an action: {_why(error)}") from error


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}."
    if isinstance(error, KeyError):
        return f"it lacks {error}."
    return f"{error}."


def _common(declared: dict[str, Any]) -> dict[str, Any]:
    names = ("resource", "noun", "scopes", "profiles", "categories", "compartment")
    return {name: declared[name] for name in names if name in declared}


def _get(declared: dict[str, Any]) -> Iterator[Action]:
    if table := declared.get("get"):
        yield Action(
            key=f"get_{input_name(declared['resource'])}",
            operation="get",
            **table,
            **_common(declared),
        )


def _search(declared: dict[str, Any], shared: dict[str, dict[str, Any]]) -> Iterator[Action]:
    if table := declared.get("search"):
        rest = {k: v for k, v in table.items() if k not in ("parameters", "shared")}
        chosen = {name: shared[name] for name in table.get("shared", ())}
        yield Action(
            key=f"search_{declared['plural'].replace(' ', '_')}",
            operation="search",
            parameters=tuple(_parameters(table.get("parameters", {}) | chosen)),
            **rest,
            **_common(declared),
        )


def _parameters(declared: dict[str, dict[str, Any]]) -> Iterator[Parameter]:
    for name, fields in declared.items():
        yield Parameter(**({"name": name, "input": input_name(name)} | fields))
