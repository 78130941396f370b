"""`practicefusion keys`: the key pair of a backend application, its public half, its rotation."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from practicefusion_connector.cli import output
from practicefusion_connector.connection import Algorithm

_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.group()
def keys() -> None:
    """Make, publish and rotate the key that a backend application signs with."""


@keys.command()
@_file
@click.option(
    "--algorithm",
    type=click.Choice(["RS384", "ES384"]),
    default="RS384",
    show_default=True,
    help="Both are accepted by Practice Fusion.",
)
@output.json_option
def new(file: Path, algorithm: str, as_json: bool) -> None:
    """Make a private key in FILE, which only you can read; it is never overwritten."""
    from practicefusion_connector.smart import key_files

    key_id = key_files.create(file, cast(Algorithm, algorithm))
    if as_json:
        return output.put_json({"file": str(file), "key_id": key_id, "algorithm": algorithm})
    output.say(f"Made key {key_id} ({algorithm}) in {file}. Keep the file secret. Next:")
    output.say(f"  1. practicefusion keys jwks {file} > jwks.json")
    output.say("  2. Host jwks.json under an https URL and register that URL with the application.")
    output.say(f"  3. Use the file's text as the connection's private_key, with key_id {key_id}.")
    return None


@keys.command()
@_file
def jwks(file: Path) -> None:
    """Print the JWK Set to host: the public halves of the keys in FILE, safe to publish."""
    from practicefusion_connector.smart import key_files

    output.put_json(key_files.public_set(file), indent=2)


@keys.command()
@_file
@click.option("--finish", is_flag=True, help="Drop the old key, once nothing signs with it.")
@output.json_option
def rotate(file: Path, finish: bool, as_json: bool) -> None:
    """Add a second key to FILE; with --finish, drop the first.

    Between the two steps the JWK Set holds both keys, so that no request is refused while the
    practice still remembers the old set.
    """
    from practicefusion_connector.smart import key_files

    if finish:
        dropped = key_files.finish(file)
        if as_json:
            return output.put_json({"dropped": dropped, "key_ids": key_files.key_ids(file)})
        output.say(f"Dropped key {', '.join(dropped)}. Next:")
        output.say(f"  Host the new set: practicefusion keys jwks {file} > jwks.json")
        return None
    key_id = key_files.rotate(file)
    if as_json:
        return output.put_json({"added": key_id, "key_ids": key_files.key_ids(file)})
    output.say(f"Added key {key_id}; the old one goes on signing. Next:")
    output.say(f"  1. Host both: practicefusion keys jwks {file} > jwks.json")
    output.say("  2. Wait a day, as servers remember a set for a while.")
    output.say(f"  3. Give the connections the file's new text and key_id {key_id}.")
    output.say(f"  4. practicefusion keys rotate {file} --finish, and host the set again.")
    return None
