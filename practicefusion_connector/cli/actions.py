"""`practicefusion actions list` and `show`: what there is, without a network."""

from __future__ import annotations

from shlex import quote
from typing import Any

import click

from practicefusion_connector.cli import output
from practicefusion_connector.cli.running import run
from practicefusion_connector.registry import Action, Parameter, shipped
from practicefusion_connector.registry.inputs import controls

_SUPPORT = {
    "declared": "Practice Fusion declares it",
    "us-core": "US Core 6.1.0 names it; Practice Fusion does not declare it",
    "fhir-r4": "base FHIR R4 only",
}
_CODES_SHOWN = 12


@click.group()
def actions() -> None:
    """List, explain and run actions."""


actions.add_command(run)


@actions.command("list")
@click.option("--all", "with_extensions", is_flag=True, help="Extensions beyond the 33 too.")
@output.json_option
def list_(with_extensions: bool, as_json: bool) -> None:
    """List the actions."""
    registry = shipped()
    listed = list(registry) if with_extensions else registry.core()
    if as_json:
        output.put_json([_listed(action) for action in listed])
        return
    output.put_table(
        ["Action", "Title", "Inputs"],
        [
            (
                action.key,
                action.title + (" (extension)" if action.extension else ""),
                len(_inputs(action)),
            )
            for action in listed
        ],
    )
    output.say("practicefusion actions show ACTION explains one.")


@actions.command()
@click.argument("key", metavar="ACTION")
@output.json_option
def show(key: str, as_json: bool) -> None:
    """Explain one action: what it does, what it takes, an input to start from."""
    action = shipped().action(key)
    if as_json:
        output.put_json(
            {**action.model_dump(mode="json", by_alias=True), "inputs": _inputs(action)}
        )
        return
    output.put_text(f"{action.key}: {action.title}")
    output.say()
    output.put_text(action.description)
    if action.operation == "get":
        output.put_table(["Input", "What it is"], list(_inputs(action).items()))
    else:
        _show_parameters(action)
    levels = [
        f"user/{action.scopes.v1}",
        f"patient/{action.scopes.v1}",
        f"system/{action.scopes.v2}",
    ]
    output.say(f"Scope: {' or '.join(levels)}\n")
    pairs = " ".join(f"-p {quote(f'{name}={value}')}" for name, value in action.sample.items())
    output.say(f"Try: practicefusion actions run {action.key} {pairs} --sandbox")


def _listed(action: Action) -> dict[str, Any]:
    names = {"name", "input", "type", "support"}
    return {
        "key": action.key,
        "title": action.title,
        "resource": action.resource,
        "operation": action.operation,
        "extension": action.extension,
        "parameters": [parameter.model_dump(include=names) for parameter in action.parameters],
    }


def _inputs(action: Action) -> dict[str, str]:
    """Return every input the action takes, with a sentence."""
    if action.operation == "get":
        own = {"id": f"Required: the id of the {action.noun}."}
    else:
        own = {parameter.input: parameter.says for parameter in action.parameters}
    return own | controls(action.operation)


def _show_parameters(action: Action) -> None:
    output.put_table(
        ["Input", "Type", "Support", "What it is"],
        [
            *(
                (each.input, each.type, each.support, _explained(each))
                for each in action.parameters
            ),
            *((name, "", "", says) for name, says in controls(action.operation).items()),
        ],
    )
    for support, says in _SUPPORT.items():
        output.say(f"{support}: {says}")
    output.say()
    if action.combinations:
        output.say("Known to work together:")
        for known in action.combinations:
            said = f"US Core {known.expectation}" if known.expectation else known.support
            output.say(f"  {' + '.join(known.parameters)} ({said})")
        output.say()


def _explained(parameter: Parameter) -> str:
    said = [parameter.says.strip()]
    if parameter.codes:
        shown = ", ".join(parameter.codes[:_CODES_SHOWN])
        more = ", …" if len(parameter.codes) > _CODES_SHOWN or not parameter.closed else ""
        said.append(f"Codes: {shown}{more}.")
    if parameter.targets:
        said.append(f"Refers to: {', '.join(parameter.targets)}.")
    if parameter.comparators:
        said.append(f"In front of it: {' '.join(parameter.comparators)}.")
    if parameter.examples:
        said.append(f"Such as {', '.join(map(str, parameter.examples))}.")
    if parameter.name != parameter.input:
        said.append(f"In FHIR: {parameter.name}.")
    return " ".join(said)
