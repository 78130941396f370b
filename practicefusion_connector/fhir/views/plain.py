"""A compiled path for plain FHIRPath: functions over dictionaries, many times as fast.

Plain means what almost every column is made of: members, `first()`, `last()`, an index,
`where(x = 'y')` with `and`, `or` and `not()`, `exists()`, `empty()`, `ofType()`, `extension()`,
`coalesce()`, literals, constants, and the views' own functions. Types are resolved once, from the
R4 model. What is not plain, or whose type the model does not know, is left to fhirpathpy; what is
gives the same answer as fhirpathpy, which a test holds over every expression shipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from practicefusion_connector.fhir.views import functions
from practicefusion_connector.fhir.views.fhirpath import Ast, has_value, parse
from practicefusion_connector.fhir.views.steps import (
    ANY,
    BOOLEAN,
    STRING,
    NotPlain,
    Run,
    Step,
    Values,
    is_primitive,
    member,
    of_type,
    single_type,
    typed,
)

_LITERALS: Mapping[type, str] = {str: STRING, bool: BOOLEAN, int: "System.Integer"}


def compile_plain(
    expression: str, context: str | None, constants: Mapping[str, object]
) -> Step | None:
    """Return the compiled expression for values of a context type, or None if it is not plain."""
    if context is None:
        return None
    try:
        step = _Compiler(constants).expression(parse(expression), context)
        single_type(step)
    except NotPlain:
        return None
    return step


class _Compiler:
    """One walk over a syntax tree; each method answers for one kind of node or function."""

    def __init__(self, constants: Mapping[str, object]) -> None:
        self._constants = constants

    def expression(self, node: Ast, context: str) -> Step:
        kind, children = node["type"], node.get("children", [])
        if kind in {"TermExpression", "ParenthesizedTerm"}:
            return self.expression(children[0], context)
        if kind == "InvocationTerm":
            return self._term(children[0], context)
        if kind == "InvocationExpression":
            return self._invocation(children[1], self.expression(children[0], context))
        if kind == "IndexerExpression":
            return self._indexed(self.expression(children[0], context), children[1])
        if kind == "EqualityExpression":
            return self._equality(node, context)
        if kind in {"AndExpression", "OrExpression"}:
            return self._logic(node, context)
        value = self._value(node)
        return Step(lambda _values: [value], _LITERALS[type(value)])

    def _term(self, node: Ast, context: str) -> Step:
        here = Step(lambda values: values, context)
        if node["type"] == "MemberInvocation" and _name(node) == context:
            return here
        return self._invocation(node, here)

    def _invocation(self, node: Ast, left: Step) -> Step:
        if node["type"] == "ThisInvocation":
            return left
        if node["type"] == "MemberInvocation":
            return member(left, _name(node))
        if node["type"] != "FunctionInvocation":
            raise NotPlain
        name, *rest = node["children"][0]["children"]
        function = getattr(self, f"_fn_{name['text']}", None)
        if function is None:
            raise NotPlain
        step: Step = function(left, *(rest[0]["children"] if rest else ()))
        return step

    def _value(self, node: Ast) -> object:
        """Return the literal or constant a node stands for."""
        while node["type"] in {"TermExpression", "LiteralTerm", "ExternalConstantTerm"}:
            node = node["children"][0]
        text = node.get("text", "")
        if node["type"] == "StringLiteral" and "\\" not in text:
            return text[1:-1]
        if node["type"] == "BooleanLiteral":
            return text == "true"
        if node["type"] == "NumberLiteral" and text.isdigit():
            return int(text)
        if node["type"] == "ExternalConstant":
            value = self._constants.get(_name(node))
            if type(value) in _LITERALS:
                return value
        raise NotPlain

    def _indexed(self, left: Step, index: Ast) -> Step:
        position, run = self._value(index), left.run
        if type(position) is not int:
            raise NotPlain
        return Step(lambda values: run(values)[position : position + 1], left.type)

    def _equality(self, node: Ast, context: str) -> Step:
        operator, (left, right) = node["terminalNodeText"][0], node["children"]
        step, value = self.expression(left, context), self._value(right)
        if operator not in {"=", "!="} or not is_primitive(step.type):
            raise NotPlain
        wanted, run = operator == "=", step.run

        def compare(values: Values) -> Values:
            found = [each for each in run(values) if has_value(each)]
            return [(len(found) == 1 and found[0] == value) is wanted] if found else []

        return Step(compare, BOOLEAN)

    def _logic(self, node: Ast, context: str) -> Step:
        left, right = (self._criterion(child, context) for child in node["children"])
        if node["terminalNodeText"][0] not in {"and", "or"}:
            raise NotPlain
        # One side settles the matter alone: a false makes `and` false, a true makes `or` true.
        settling = node["type"] == "OrExpression"

        def combine(values: Values) -> Values:
            sides = (left(values), right(values))
            if [settling] in sides:
                return [settling]
            return [] if [] in sides else [not settling]

        return Step(combine, BOOLEAN)

    def _criterion(self, node: Ast, context: str) -> Run:
        """Compile a condition: only what gives a computed boolean is plain."""
        step = self.expression(node, context)
        if step.type != BOOLEAN:
            raise NotPlain
        return step.run

    # --- functions, by their FHIRPath names; their arity was checked when parsed ---------------

    def _fn_first(self, left: Step) -> Step:
        return Step(lambda values: left.run(values)[:1], left.type)

    def _fn_last(self, left: Step) -> Step:
        return Step(lambda values: left.run(values)[-1:], left.type)

    def _fn_where(self, left: Step, criteria: Ast) -> Step:
        run, meets = left.run, self._criterion(criteria, single_type(left))
        return Step(
            lambda values: [item for item in run(values) if meets([item]) == [True]], left.type
        )

    def _fn_exists(self, left: Step, *criteria: Ast) -> Step:
        run = self._fn_where(left, *criteria).run if criteria else left.run
        return Step(lambda values: [bool(run(values))], BOOLEAN)

    def _fn_empty(self, left: Step) -> Step:
        return Step(lambda values: [not left.run(values)], BOOLEAN)

    def _fn_not(self, left: Step) -> Step:
        if left.type != BOOLEAN:
            raise NotPlain
        return Step(lambda values: [not item for item in left.run(values)], BOOLEAN)

    def _fn_ofType(self, left: Step, wanted: Ast) -> Step:  # noqa: N802 - FHIRPath's name
        name = str(wanted["text"]).removeprefix("FHIR.")
        if "." in name:
            raise NotPlain
        return of_type(left, name)

    def _fn_coalesce(self, left: Step, *choices: Ast) -> Step:
        steps = [self.expression(choice, single_type(left)) for choice in choices]
        kinds = {step.type for step in steps}
        if len(kinds) != 1 and not all(map(is_primitive, kinds)):
            raise NotPlain

        def first_found(values: Values) -> Values:
            items = left.run(values)
            return next((found for step in steps if (found := step.run(items))), [])

        return Step(first_found, kinds.pop() if len(kinds) == 1 else ANY)

    def _fn_extension(self, left: Step, url: Ast) -> Step:
        wanted, run = self._value(url), _settled(left)
        return Step(
            lambda values: [
                found for item in run(values) for found in functions.extensions(item, wanted)
            ],
            "Extension",
        )

    def _fn_join(self, left: Step, *separator: Ast) -> Step:
        between, run = str(self._value(separator[0])) if separator else "", _settled(left)
        return Step(lambda values: [functions.joined(run(values), between)], STRING)

    def _fn_readable(self, left: Step, *separator: Ast) -> Step:
        between, items = str(self._value(separator[0])) if separator else None, typed(left)
        return Step(lambda values: [*functions.readable_lines(items(values), between)], STRING)

    def _fn_getResourceKey(self, left: Step) -> Step:  # noqa: N802 - SQL on FHIR's name
        run = _settled(left)
        return Step(lambda values: _some(map(functions.resource_key, run(values))), STRING)

    def _fn_getReferenceKey(self, left: Step, *wanted: Ast) -> Step:  # noqa: N802
        name, run = str(wanted[0]["text"]).strip("'") if wanted else None, _settled(left)
        return Step(
            lambda values: _some(functions.reference_key(item, name) for item in run(values)),
            STRING,
        )


def _name(node: Ast) -> str:
    return str(node["children"][0].get("text", "")).strip("`")


def _settled(left: Step) -> Run:
    single_type(left)
    return left.run


def _some(keys: Iterable[str | None]) -> Values:
    return [key for key in keys if key is not None]
