"""Every action as a method: `pf.search_patients(family="Shaw")` is `pf.run` with those inputs.

The methods come from the registry, so an action that is added is a method at once, with its
signature and documentation for consoles and notebooks. For editors and type checkers the shipped
actions stand in `signatures.pyi`, which `scripts/generate_client.py` writes from the same words.
Nothing is checked here: the inputs go to the registry as they are.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from inspect import Parameter as Argument
from inspect import Signature
from textwrap import indent, wrap
from typing import TYPE_CHECKING, Any, ClassVar

from practicefusion_connector.registry import Action, Parameter, Registry
from practicefusion_connector.registry.inputs import controls

Text = str | Sequence[str]
Code = str | bool | Mapping[str, str] | Sequence[str | Mapping[str, str]]
Date = str | date | Sequence[str | date] | Mapping[str, str | date]
Quantity = str | float | Sequence[str | float] | Mapping[str, str | float]
Composite = str | Mapping[str, str]

# How each method runs, beside the action's own inputs; `PracticeFusion.run` says what they mean.
# A task of asyncio is cancelled itself and needs no event.
ASYNC_OPTIONS = {"strict": "bool = False", "deadline": "float | None = None"}
OPTIONS = ASYNC_OPTIONS | {"cancel": "Event | None = None"}

_TYPES = {
    "token": "Code",
    "date": "Date",
    "reference": "Text",
    "string": "Text",
    "quantity": "Quantity",
    "uri": "Text",
    "composite": "Composite",
    "number": "int",
}
_CONTROL_TYPES = {
    "cursor": "str",
    "max_items": "int",
    "max_output_bytes": "int",
    "view": 'Literal["full", "summary"]',
    "validation": 'Literal["none", "warn", "strict"]',
}


class ActionMethods:
    """Gives a class with a `registry` and a `run` every action as a method."""

    registry: Registry
    run: Callable[..., Any]
    options: ClassVar[Mapping[str, str]] = OPTIONS

    def __getattr__(self, name: str) -> Any:
        # Before __init__ is done, or in a copy, there may be no registry yet.
        registry = self.__dict__.get("registry", ())
        action = next((action for action in registry if action.key == name), None)
        run = action and self._caller(action)
        if action is None or run is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self.__dict__[name] = method = _method(action, run, self.options)
        return method

    def __dir__(self) -> list[str]:
        keys = [action.key for action in self.registry if self._caller(action)]
        return sorted({*super().__dir__(), *keys})

    def _caller(self, action: Action) -> Callable[..., Any] | None:
        """Return what runs the action, `None` where it is no method here."""
        return self.run


class PagedMethods(ActionMethods):
    """Every search as a method that gives its pages one by one."""

    def __init__(self, registry: Registry, pages: Callable[..., Any]) -> None:
        self.registry = registry
        self._pages = pages

    def _caller(self, action: Action) -> Callable[..., Any] | None:
        return self._pages if action.operation == "search" else None


class AsyncMethods(ActionMethods):
    """The same for asyncio."""

    options = ASYNC_OPTIONS


class AsyncPagedMethods(PagedMethods):
    """The same for asyncio."""

    options = ASYNC_OPTIONS


if TYPE_CHECKING:
    from practicefusion_connector.signatures import Actions as Actions
    from practicefusion_connector.signatures import AsyncActions as AsyncActions
    from practicefusion_connector.signatures import AsyncPagedActions as AsyncPagedActions
    from practicefusion_connector.signatures import PagedActions as PagedActions
else:
    Actions, AsyncActions = ActionMethods, AsyncMethods
    PagedActions, AsyncPagedActions = PagedMethods, AsyncPagedMethods


def arguments(action: Action) -> dict[str, str]:
    """Return each argument of an action's method with its annotation, without `None`."""
    if action.operation == "get":
        own = {"id": "str"}
    else:
        own = {argument_name(each.input): _annotation(each) for each in action.parameters}
    return own | {name: _CONTROL_TYPES[name] for name in controls(action.operation)}


def argument_name(name: str) -> str:
    """Return an input's name as Python can take it: `class_` for `class`."""
    return f"{name}_" if keyword.iskeyword(name) else name


def documentation(action: Action, width: int = 92) -> str:
    """Return the docstring of an action's method, its lines no longer than `width`."""
    if action.operation == "get":
        said = {"id": f"the id of the {action.noun}."}
    else:
        said = {argument_name(each.input): each.says.strip() for each in action.parameters}
    told = said | controls(action.operation)
    listed = [
        indent(_wrapped(f"{name}: {text}", width - 8), " " * 8)[4:] for name, text in told.items()
    ]
    paragraphs = [f"{action.title}.", _wrapped(action.description, width)]
    return "\n\n".join([*paragraphs, "\n".join(["Args:", *listed])])


def _wrapped(text: str, width: int) -> str:
    lines = wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)


def _annotation(parameter: Parameter) -> str:
    if parameter.closed and parameter.codes:
        codes = ", ".join(f'"{code}"' for code in parameter.codes)
        return f"Literal[{codes}] | {_TYPES[parameter.type]}"
    return "Text" if parameter.form else _TYPES[parameter.type]


def _method(
    action: Action, run: Callable[..., Any], options: Mapping[str, str]
) -> Callable[..., Any]:
    def search(**given: Any) -> Any:
        chosen = {name: given.pop(name) for name in options if name in given}
        return run(action.key, {_input_name(name): given[name] for name in given}, **chosen)

    def get(id: str | None = None, **given: Any) -> Any:  # noqa: A002 - FHIR's own name
        return search(id=id, **given)

    method: Any = get if action.operation == "get" else search
    method.__name__ = method.__qualname__ = action.key
    method.__doc__ = documentation(action)
    method.__signature__ = _signature(action, options)
    made: Callable[..., Any] = method
    return made


def _input_name(name: str) -> str:
    return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name


def _signature(action: Action, options: Mapping[str, str]) -> Signature:
    """Return the signature that consoles show."""
    named = {name: f"{annotation} | None" for name, annotation in arguments(action).items()}
    first = []
    if action.operation == "get":
        first.append(Argument("id", Argument.POSITIONAL_OR_KEYWORD, annotation="str"))
        del named["id"]
    told = {name: option.partition(" = ")[0] for name, option in options.items()}
    return Signature(
        first
        + [
            Argument(
                name,
                Argument.KEYWORD_ONLY,
                annotation=annotation,
                default=False if name == "strict" else None,
            )
            for name, annotation in (named | told).items()
        ]
    )
