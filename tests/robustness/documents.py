"""Parts of the documentation that are made by the tests, between two marks in a file.

A test compares each part with what it makes; with PF_WRITE_DOCS=1 in the environment it writes it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def check_part(file: str, name: str, made: str) -> None:
    """Compare the part of `docs/<file>` between the marks of `name` with what was made."""
    path = Path(__file__).parents[2] / "docs" / file
    begins, ends = f"<!-- {name}: made by the tests -->\n", f"\n<!-- /{name} -->"
    part = re.compile(re.escape(begins) + "(.*?)" + re.escape(ends), re.DOTALL)
    text = path.read_text(encoding="utf-8")
    found = part.search(text)
    assert found, f"docs/{file} has no part {name}"
    if found[1] != made and os.environ.get("PF_WRITE_DOCS"):
        path.write_text(text.replace(found[0], begins + made + ends), encoding="utf-8")
        return
    assert found[1] == made, f"docs/{file} is not current: run this test with PF_WRITE_DOCS=1"
