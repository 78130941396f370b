"""What the examples share: the practice they run against, and their common arguments."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from practicefusion_connector import PracticeFusion
from practicefusion_connector.cli.sessions import connected, in_sandbox


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the argument every example takes."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument(
        "--connection",
        metavar="NAME",
        help="a connection made by `practicefusion connect`; left out, a sandbox is started",
    )
    return parser


@contextmanager
def practice(connection: str | None) -> Iterator[PracticeFusion]:
    """Open the stored connection, or a sandbox practice that ends with the example."""
    if connection:
        with connected(connection) as pf:
            yield pf
    else:
        with in_sandbox() as (_, pf):
            yield pf


def first_patient(pf: PracticeFusion) -> str:
    """Return the id of any patient of the practice, for an example run without one."""
    return str(pf.run("search_patients", {"page_size": 1}).resource["id"])
