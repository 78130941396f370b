"""`practicefusion catalog show` and `export`: what a host embeds, without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from practicefusion_connector import catalog as rendering
from practicefusion_connector.cli import output
from practicefusion_connector.exports import FORMATS, export
from practicefusion_connector.files import replace_file
from practicefusion_connector.registry import Registry

_folders = click.option(
    "--actions",
    "folders",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A folder with action files of your own, beside the shipped ones.",
)


@click.group()
def catalog() -> None:
    """Show the catalog of actions, or export it for a host."""


@catalog.command()
@click.argument("key", metavar="[ACTION]", required=False)
@_folders
@click.option(
    "--medfusion", is_flag=True, help="The catalog of the patient portal instead, as JSON."
)
@output.json_option
def show(key: str | None, folders: tuple[Path, ...], medfusion: bool, as_json: bool) -> None:
    """Show the catalog's actions, or all it says of one."""
    if medfusion:
        from practicefusion_connector.medfusion.catalog import catalog as portal

        output.put_json(portal(), indent=None if as_json else 2)
        return
    registry = Registry.load(*folders)
    if key:
        output.put_json(rendering.action_entry(registry.action(key), registry), indent=2)
        return
    whole = rendering.catalog(registry)
    if as_json:
        output.put_json(whole)
        return
    output.put_table(
        ["Action", "Title", "Inputs", "Outputs", "Sensitivity", "Version"],
        [_row(entry) for entry in whole["actions"]],
    )
    output.say("practicefusion catalog show ACTION says all of one; export writes a host's format.")


@catalog.command("export")
@click.option(
    "--format", "format_name", type=click.Choice(FORMATS), required=True, help="Whose format."
)
@click.option(
    "--output",
    "file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="A file to write instead of standard output.",
)
@_folders
def export_(format_name: str, file: Path | None, folders: tuple[Path, ...]) -> None:
    """Write the actions in a host's own format."""
    text = export(rendering.catalog(Registry.load(*folders)), format_name)
    if file is None:
        output.say(text.rstrip("\n"))
        return
    replace_file(file, text, mode=0o666)
    output.note(f"Wrote {file}.")


def _row(entry: dict[str, Any]) -> tuple[Any, ...]:
    resource = entry["output_schema"]["$defs"][entry["resource"]]
    title = entry["title"] + (" (extension)" if entry["extension"] else "")
    inputs = entry["input_schema"]["properties"]
    outputs = resource["properties"]
    facts = (len(inputs), len(outputs), entry["sensitivity"], entry["version"])
    return (entry["key"], title, *facts)
