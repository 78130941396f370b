"""FHIRPath for the views: fhirpathpy, kept strict and given the views' own functions.

fhirpathpy's parser forgives bad syntax and its public `evaluate` hands functions bare values; a
view wants mistakes named when it is loaded and functions that know FHIR types. So this room parses
with fhirpathpy's grammar and a strict listener, and evaluates with its engine. The R4 model, the
additional functions and every import of fhirpathpy are here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from antlr4 import CommonTokenStream, InputStream, ParseTreeWalker  # type: ignore[import-untyped]
from antlr4.error.ErrorListener import ErrorListener  # type: ignore[import-untyped]
from fhirpathpy.engine import do_eval
from fhirpathpy.engine.invocations import invocation_registry
from fhirpathpy.engine.invocations.constants import constants as clock
from fhirpathpy.engine.invocations.equality import equal, unequal
from fhirpathpy.engine.invocations.filtering import of_type_fn
from fhirpathpy.engine.nodes import FP_DateTime, FP_Time, FP_Type, ResourceNode, TypeInfo
from fhirpathpy.models import models
from fhirpathpy.parser.ASTPathListener import ASTPathListener
from fhirpathpy.parser.generated.FHIRPathLexer import FHIRPathLexer
from fhirpathpy.parser.generated.FHIRPathParser import FHIRPathParser

from practicefusion_connector.fhir.views import functions
from practicefusion_connector.fhir.views.boundaries import boundary
from practicefusion_connector.fhir.views.errors import ViewError

R4: Mapping[str, Any] = models["r4"]
Ast = Mapping[str, Any]


class Item(NamedTuple):
    """A value and its FHIR type, or its element path where it is a backbone element."""

    data: object
    fhir_type: str | None


class _Strict(ErrorListener):  # type: ignore[misc]
    """Refuse what ANTLR would recover from."""

    def syntaxError(  # noqa: N802 - ANTLR's name
        self, _recognizer: object, _symbol: object, _line: int, column: int, _msg: str, _e: object
    ) -> None:
        raise ViewError(f"is not FHIRPath: cannot be read at character {column + 1}")


@lru_cache(maxsize=4096)
def parse(expression: str) -> Ast:
    """Return the syntax tree of an expression.

    Raises:
        ViewError: it is not FHIRPath, or calls a function nobody knows.
    """
    strict = _Strict()
    lexer = FHIRPathLexer(InputStream(expression))
    parser = FHIRPathParser(CommonTokenStream(lexer))
    for recognizer in (lexer, parser):
        recognizer.removeErrorListeners()
        recognizer.addErrorListener(strict)
    listener = ASTPathListener()
    ParseTreeWalker().walk(listener, parser.entireExpression())
    tree: Ast = listener.parentStack[0]["children"][0]["children"][0]
    for node in _nodes(tree):
        if node["type"] == "Functn":
            _check_call(*node["children"])
    return tree


def _check_call(name: Ast, parameters: Ast | None = None) -> None:
    called, count = name["text"], len(parameters["children"]) if parameters else 0
    function: Any = _FUNCTIONS.get(called) or invocation_registry.get(called) or {}
    if not function:
        raise ViewError(f"calls {called}(), which is not a function of these views")
    if "variadic" not in function and count not in function.get("arity", {0: []}):
        raise ViewError(f"calls {called}() with {count} parameters, which it does not take")


def _nodes(tree: Ast) -> Iterator[Ast]:
    yield tree
    for child in tree.get("children", ()):
        yield from _nodes(child)


def named(tree: Ast) -> list[str]:
    """Return the names of the external constants (`%name`) a tree uses."""
    external = (node for node in _nodes(tree) if node["type"] == "ExternalConstant")
    return [node["children"][0].get("text", "").strip("`") for node in external]


def evaluate(tree: Ast, item: Item, variables: Mapping[str, object]) -> list[Item]:
    """Return what an expression gives for an item, as fhirpathpy evaluates it."""
    clock.reset()
    root = [item.data] if _is_resource(item.data) else [ResourceNode(item.data, item.fhir_type)]
    context = {
        "dataRoot": root,
        "$this": root,
        "vars": {"context": root, "ucum": "http://unitsofmeasure.org", **variables},
        "model": R4,
        "userInvocationTable": _FUNCTIONS,
    }
    return [
        item for value in do_eval(context, root, tree) if has_value((item := _item(value)).data)
    ]


def has_value(data: object) -> bool:
    """Tell whether there is more to it than an id and extensions, which say why a value is absent.

    The sibling of a primitive (`_birthDate`) is an element of its own in fhirpathpy's collections.
    """
    return data is not None and not (isinstance(data, dict) and data.keys() <= _NO_VALUE)


_NO_VALUE = {"id", "extension"}


def moment(value: object, fhir_type: str) -> object | None:
    """Return a date or time as FHIRPath compares it, or None if it is not of that form."""
    found: object | None = MOMENTS[fhir_type](value)
    return found


MOMENTS: Mapping[str, Callable[[object], object | None]] = {
    "Date": FP_DateTime,
    "DateTime": FP_DateTime,
    "Instant": FP_DateTime,
    "Time": FP_Time,
}


def _is_resource(data: object) -> bool:
    return isinstance(data, dict) and "resourceType" in data


def _item(value: object) -> Item:
    if isinstance(value, ResourceNode):
        return Item(value.data, value.path)
    return Item(str(value) if isinstance(value, FP_Type) else value, None)


# --- additional functions, in the form of fhirpathpy's table -----------------------------------

Values = list[Any]
_Function = Callable[..., object]


def _of_type(ctx: dict[str, Any], values: Values, wanted: TypeInfo) -> object:
    # fhirpathpy keeps the model of `ofType` in a class attribute that other callers may reset.
    TypeInfo.model = ctx["model"]
    return of_type_fn(ctx, [value for value in values if TypeInfo.from_value(value)], wanted)


def _extension(_ctx: object, values: Values, url: str) -> object:
    found = (functions.extensions(_item(value).data, url) for value in values)
    return [ResourceNode(item, "Extension") for items in found for item in items]


def _get_resource_key(_ctx: object, values: Values) -> object:
    return [key for value in values if (key := functions.resource_key(_item(value).data))]


def _get_reference_key(_ctx: object, values: Values, wanted: TypeInfo | None = None) -> object:
    name = wanted.name.strip("'") if wanted else None
    keys = (functions.reference_key(_item(value).data, name) for value in values)
    return [key for key in keys if key is not None]


def _join(_ctx: object, values: Values, separator: str = "") -> object:
    return [functions.joined((_item(value).data for value in values), separator)]


def _readable(_ctx: object, values: Values, separator: str | None = None) -> object:
    return functions.readable_lines(map(_item, values), separator)


def _bounded(*, high: bool) -> _Function:
    def fn(_ctx: object, values: Values) -> object:
        bounds = (boundary(*_item(value), high=high) for value in values)
        return [bound for bound in bounds if bound is not None]

    return fn


def _compared(compare: _Function) -> _Function:
    # A primitive with a sibling is one value, not two.
    def fn(ctx: object, left: Values, right: Values) -> object:
        sides = ([each for each in side if has_value(_item(each).data)] for side in (left, right))
        kept_left, kept_right = sides
        return compare(ctx, kept_left, kept_right) if kept_left and kept_right else []

    return fn


def _trace(_ctx: object, values: Values, _label: str = "") -> object:
    # fhirpathpy's own prints the values, which are health data.
    return values


_FUNCTIONS: dict[str, dict[str, Any]] = {
    "ofType": {"fn": _of_type, "arity": {1: ["TypeSpecifier"]}},
    "extension": {"fn": _extension, "arity": {1: ["String"]}},
    "getResourceKey": {"fn": _get_resource_key},
    "getReferenceKey": {"fn": _get_reference_key, "arity": {0: [], 1: ["TypeSpecifier"]}},
    "join": {"fn": _join, "arity": {0: [], 1: ["String"]}},
    "readable": {"fn": _readable, "arity": {0: [], 1: ["String"]}},
    "lowBoundary": {"fn": _bounded(high=False)},
    "highBoundary": {"fn": _bounded(high=True)},
    "=": {"fn": _compared(equal), "arity": {2: ["Any", "Any"]}, "nullable": True},
    "!=": {"fn": _compared(unequal), "arity": {2: ["Any", "Any"]}, "nullable": True},
    "trace": {"fn": _trace, "arity": {0: [], 1: ["String"], 2: ["String", "Any"]}},
}
