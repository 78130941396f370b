"""`practicefusion actions run`: one action, against whatever the person names."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from practicefusion_connector.cli import output
from practicefusion_connector.errors import ActionWarning, InvalidInput

if TYPE_CHECKING:
    from practicefusion_connector.connector import PracticeFusion
    from practicefusion_connector.result import Result

_DEFAULT_CONNECTION = "default"


_EXAMPLES = """\b
Examples:
  practicefusion actions run search_patients -p family=Smith -p birthdate=ge1980
  practicefusion actions run get_patient --input '{"id": "…"}' --connection clinic --json
"""


@click.command(epilog=_EXAMPLES)
@click.argument("key", metavar="ACTION")
@click.argument("loose", nargs=-1, metavar="")
@click.option(
    "--input", "given", metavar="JSON|@FILE|-", help="The inputs, as a JSON object; - reads stdin."
)
@click.option(
    "-p", "pairs", metavar="NAME=VALUE", multiple=True, help="One input; repeat for more."
)
@click.option("--connection", metavar="NAME", help="A stored connection [default: default].")
@click.option("--sandbox", is_flag=True, help="A sandbox practice, started for this run.")
@click.option("--fhir-base-url", metavar="URL", help="A FHIR server, open or with --token-env.")
@click.option("--token-env", metavar="VAR", help="The variable that holds an access token.")
@click.option("--all-pages", is_flag=True, help="Every page; with --json one resource per line.")
@click.option("--strict", is_flag=True, help="Fail where the server ignored a parameter.")
@click.option("--deadline", type=click.FloatRange(min=0, min_open=True), help="Seconds at most.")
@output.json_option
def run(
    key: str,
    loose: tuple[str, ...],
    given: str | None,
    pairs: tuple[str, ...],
    as_json: bool,
    all_pages: bool,
    strict: bool,
    deadline: float | None,
    **where: Any,
) -> None:
    """Run one action and show what it gives back."""
    if loose:
        raise click.UsageError("Inputs are given as -p NAME=VALUE or with --input.")
    inputs = _inputs(given, pairs)
    with _opened(**where) as pf:
        if all_pages:
            _put_pages(pf.pages(key, inputs, strict=strict, deadline=deadline), as_json)
            return
        result = pf.run(key, inputs, strict=strict, deadline=deadline)
        if as_json:
            output.put_json(result.to_dict())
        elif pf.registry.action(key).operation == "get":
            output.put_json(result.resource, indent=2)
        else:
            _put_table(result)


@contextmanager
def _opened(
    connection: str | None, sandbox: bool, fhir_base_url: str | None, token_env: str | None
) -> Iterator[PracticeFusion]:
    if sum(map(bool, (connection, sandbox, fhir_base_url))) > 1:
        raise click.UsageError("Give one of --connection, --sandbox and --fhir-base-url")
    if token_env and not fhir_base_url:
        raise click.UsageError("--token-env goes with --fhir-base-url")
    from practicefusion_connector import settings
    from practicefusion_connector.cli import sessions

    if sandbox:
        with sessions.in_sandbox() as (_, pf):
            yield pf
    elif fhir_base_url:
        token = settings.secret(token_env) if token_env else None
        with sessions.at_url(fhir_base_url, token) as pf:
            yield pf
    else:
        with sessions.connected(connection or _DEFAULT_CONNECTION) as pf:
            yield pf


def _inputs(given: str | None, pairs: tuple[str, ...]) -> dict[str, Any]:
    inputs = _from_json(given) if given is not None else {}
    paired: dict[str, list[str]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.UsageError("-p takes NAME=VALUE")
        if name in inputs:
            raise click.UsageError(f"{name} is given both by --input and by -p")
        paired.setdefault(name, []).append(value)
    singles = {name: values[0] if len(values) == 1 else values for name, values in paired.items()}
    return {**inputs, **singles}


def _from_json(given: str) -> dict[str, Any]:
    """Read the inputs; what is wrong with them is said without repeating them."""
    try:
        inputs = json.loads(_text(given))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InvalidInput(f"--input is not JSON: {error.msg} at {place}.") from None
    if not isinstance(inputs, dict):
        raise InvalidInput('--input must be a JSON object, such as {"patient": "…"}.')
    return inputs


def _text(given: str) -> str:
    if given == "-":
        return sys.stdin.read()
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise InvalidInput(f"--input: the file cannot be read: {reason}.") from None


def _put_table(result: Result) -> None:
    _warn(result.warnings)
    _put_records(result.resources)
    counted = f"{len(result)} shown"
    counted += f" of {result.total}" if result.total is not None else ""
    counted += f", with {len(result.included)} included" if result.included else ""
    output.say(f"{counted}.")
    if result.next_cursor:
        output.say("There are more: --all-pages reads them; --json shows the cursor to go on from.")


def _put_records(resources: list[dict[str, Any]]) -> None:
    if resources:
        # The views are loaded where a table is wanted: listing actions must not cost them.
        from practicefusion_connector.cli import readable

        output.put_records(*readable.rows(resources))


def _put_pages(pages: Iterable[Result], as_json: bool) -> None:
    shown: list[dict[str, Any]] = []
    for page in pages:
        _warn(page.warnings)
        if as_json:
            for resource in page.resources:
                output.put_json(resource)
        else:
            shown += page.resources
    if not as_json:
        _put_records(shown)
        output.say(f"{len(shown)} shown, all there are.")


def _warn(warnings: Iterable[ActionWarning]) -> None:
    for warning in warnings:
        output.note(f"warning: {warning.code}: {warning.message}")
