"""`practicefusion practices`: the practices of the published directory and their base URLs."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from practicefusion_connector import settings
from practicefusion_connector.cli import output
from practicefusion_connector.smart.directory import Directory
from practicefusion_connector.smart.directory_source import SERVICE_BASE_URLS, load
from practicefusion_connector.transport import Run, Transport

_DEADLINE = 300.0


@click.group()
def practices() -> None:
    """Find a practice and the base URLs to connect to it."""


@practices.command()
@click.argument("text")
@click.option(
    "--directory",
    default=SERVICE_BASE_URLS,
    metavar="URL|FILE",
    help="Another ServiceBaseURLs bundle, or a downloaded one.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many to show at most.",
)
@output.json_option
@click.pass_context
def search(ctx: click.Context, text: str, directory: str, limit: int, as_json: bool) -> None:
    """Find practices by words of their name, NPI, tax id or practice GUID.

    The directory is kept on this machine for a day, and used without a network after that. The
    exit code is 1 where no practice was found.
    """
    found_in = opened(directory)
    found = found_in.search(text)
    if as_json:
        output.put_json(
            {
                "count": len(found),
                "practices": [practice.to_dict() for practice in found[:limit]],
                "as_of": _as_of(found_in),
                "note": found_in.note,
                "problems": dict(found_in.problems),
            }
        )
    else:
        _show(found_in, text, limit)
    if not found:
        ctx.exit(output.FAILED)


def opened(source: str = SERVICE_BASE_URLS) -> Directory:
    """Return the directory from a URL, through this user's cache, or from a file."""
    from platformdirs import user_cache_path

    cache: Path = user_cache_path("practicefusion-connector", appauthor=False)
    with closing(Transport(settings.policy(source))) as transport:
        return load(source, transport, Run(_DEADLINE), cache=cache)


def _as_of(directory: Directory) -> str | None:
    at = directory.fetched_at
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _show(directory: Directory, text: str, limit: int) -> None:
    found = directory.search(text)
    if directory.note:
        output.note(directory.note)
    if directory.problems:
        output.note(f"Unusable parts of the directory: {sum(directory.problems.values())}.")
    if not found:
        output.say(f"None of {len(directory)} practices fits. Try fewer or shorter words.")
        return
    output.put_table(
        ["Practice", "Place", "For providers and systems", "For patients"],
        [
            (
                practice.name if practice.active else f"{practice.name} (inactive)",
                ", ".join(part for part in (practice.city, practice.state) if part),
                practice.provider_url,
                practice.patient_url,
            )
            for practice in found[:limit]
        ],
    )
    if len(found) > limit:
        output.say(f"{len(found) - limit} more; use more words, or --limit.")
