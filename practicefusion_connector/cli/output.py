"""How the command line speaks: tables and JSON on stdout, everything else on stderr.

The one place that knows colours, widths and exit codes. Nothing a server sent gets to stderr, and
nothing reaches a terminal that could steer it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from practicefusion_connector.errors import CODES, ConnectorError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

FAILED, MISUSED, UNAUTHORIZED, TROUBLE = 1, 2, 3, 4

EXIT_CODES = {
    "invalid_input": MISUSED,
    "invalid_config": MISUSED,
    "auth_expired": UNAUTHORIZED,
    "reauth_required": UNAUTHORIZED,
    "missing_scope": UNAUTHORIZED,
    "forbidden": UNAUTHORIZED,
    "auth_refresh_busy": TROUBLE,
    "rate_limited": TROUBLE,
    "upstream_unavailable": TROUBLE,
    "timeout": TROUBLE,
    "network": TROUBLE,
    "invalid_response": TROUBLE,
    "response_too_large": TROUBLE,
    "deadline_exceeded": TROUBLE,
    "not_found": FAILED,
    "gone": FAILED,
    "rejected": FAILED,
    "cancelled": FAILED,
    "internal": FAILED,
}

# Nobody sees the edge of a file or a pipe.
_WIDTH_OF_PIPES = 120
_NARROWEST = 10
_PADDING = 3

json_option = click.option("--json", "as_json", is_flag=True, help="JSON for programs.")


def tell(error: ConnectorError, *, as_json: bool = False, advice: str | None = None) -> int:
    """Write an error as one line on stderr, or as JSON, and return the exit code it means."""
    if as_json:
        click.echo(json.dumps(error.to_dict()), err=True)
    else:
        note(f"{error.code}: {sentence(error, advice)}")
    return EXIT_CODES[error.code]


def sentence(error: ConnectorError, advice: str | None = None) -> str:
    """Return what went wrong and what to do about it, in one line."""
    parts = [error.message, CODES[error.code].advice if advice is None else advice]
    if error.retry_after is not None:
        parts.append(f"The server asks for {error.retry_after:g} s.")
    if error.missing_scopes:
        parts.append(f"Missing: {', '.join(error.missing_scopes)}.")
    if error.correlation_id:
        parts.append(f"(correlation id {error.correlation_id})")
    return plain(" ".join(part for part in parts if part))


def note(line: str) -> None:
    """Write a line on stderr."""
    click.echo(line, err=True)


def say(line: str = "") -> None:
    """Write a line on stdout."""
    click.echo(line)


def put_json(data: object, *, indent: int | None = None) -> None:
    """Write data as JSON on stdout, on one line unless it is for reading."""
    click.echo(json.dumps(data, indent=indent, ensure_ascii=indent is None))


def plain(value: object) -> str:
    """Return a value as one line of text without characters that could steer a terminal."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def put_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None
) -> None:
    """Write a table on stdout, its cells wrapped; a cell may be text with a style."""
    from rich.text import Text

    table = _table(title)
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(plain(cell)) for cell in row))
    console().print(table)


def put_records(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write one line for each record, as wide as the terminal.

    The first cell is never cut; the others are, and the last ones left out where it is narrow.
    """
    from rich.cells import cell_len
    from rich.text import Text

    texts = [[plain(cell) for cell in row] for row in rows]
    widest = [max(map(cell_len, column)) for column in zip(columns, *texts, strict=True)]
    terminal, table = console(), _table(None)
    widths = [widest[0], *_shared(terminal.width - widest[0] - _PADDING - 1, widest[1:])]
    for column, width in zip(columns, widths, strict=False):
        table.add_column(column, width=width, no_wrap=True, overflow="ellipsis")
    for row in texts:
        table.add_row(*map(Text, row[: len(widths)]))
    terminal.print(table)


def _shared(room: int, wanted: list[int]) -> list[int]:
    """Return the widths of as many columns as there is room for, the widest made narrower."""
    count = min(len(wanted), max(0, room // (_NARROWEST + _PADDING)))
    widths, left = wanted[:count], max(0, room - count * _PADDING)
    while sum(widths) > left:
        widths[widths.index(max(widths))] -= 1
    return widths


def _table(title: str | None) -> Table:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold")


def put_text(text: str) -> None:
    """Write text on stdout, wrapped between words at the width of the terminal."""
    from rich.text import Text

    console().print(Text(plain(text)))


def styled(text: str, style: str) -> Any:
    """Return a cell with a style, for `put_table`."""
    from rich.text import Text

    return Text(plain(text), style=style)


def console(*, stderr: bool = False) -> Console:
    """Return rich's console for one of the two streams as they are now."""
    from rich.console import Console

    found = Console(stderr=stderr, highlight=False)
    if not found.is_terminal:
        found.width = max(found.width, _WIDTH_OF_PIPES)
    return found
