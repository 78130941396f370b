"""Reading action files into a registry: TOML in, actions out, no I/O afterwards.

`actions/*.toml` declare one resource each; `actions/shared/parameters.toml` holds the parameters
that are the same for every search, so that a file names them instead of repeating them;
`actions/samples/*.json` hold a synthetic resource of each type, under the action file's name.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections import Counter
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
            (key, _), *_ = Counter(action.key for action in actions).most_common(1)
            raise InvalidConfig(f"Two action files declare the same action key, {key}.")

    @staticmethod
    def load(*folders: Path) -> Registry:
        """Return the shipped actions and those in `folders`; raises `InvalidConfig`."""
        shared = _shared_parameters()
        return Registry(
            [
                action
                for place in (folder("actions"), *folders)
                for file in _toml_files(place)
                for action in _actions_in(file, _sample(place, file), shared)
            ]
        )

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
    try:
        files = [file for file in place.iterdir() if file.name.endswith(".toml")]
    except OSError as error:
        raise InvalidConfig(f"The folder of actions {place.name} cannot be read.") from error
    return sorted(files, key=lambda file: file.name)


def _shared_parameters() -> dict[str, dict[str, Any]]:
    file = folder("actions") / "shared" / "parameters.toml"
    declared: dict[str, dict[str, Any]] = tomllib.loads(file.read_text("utf-8"))["parameters"]
    return declared


def _sample(place: Traversable, file: Traversable) -> Traversable | None:
    """Return the file with a synthetic resource beside an action file, if there is one."""
    sample = place / "samples" / f"{file.name.removesuffix('.toml')}.json"
    return sample if sample.is_file() else None


def _actions_in(
    file: Traversable, sample: Traversable | None, shared: dict[str, dict[str, Any]]
) -> list[Action]:
    try:
        declared = tomllib.loads(file.read_text("utf-8"))
        if sample:
            declared["sample_resource"] = json.loads(sample.read_text("utf-8"))
        if not declared.keys() & {"get", "search"}:
            raise ValueError("it has neither a [get] nor a [search] table")
        return [*_get(declared), *_search(declared, shared)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidConfig(f"{file.name} does not declare an action: {_why(error)}") from error


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}."
    if isinstance(error, KeyError):
        return f"it lacks {error}."
    return f"{error}."


def _common(declared: dict[str, Any]) -> dict[str, Any]:
    names = (
        *("resource", "noun", "scopes", "profiles", "categories", "compartment"),
        *("sensitivity", "sample_resource"),
    )
    common = {name: declared[name] for name in names if name in declared}
    fields = declared.get("fields", {})
    return common | {"fields": [{"path": path} | field for path, field in fields.items()]}


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
