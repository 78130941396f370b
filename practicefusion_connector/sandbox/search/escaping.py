r"""FHIR's escaping in search values: `\,` `\|` `\$` and `\\` stand for the character itself."""

from __future__ import annotations

import re

_ESCAPED = re.compile(r"\\([,|$\\])")


def split_unescaped(text: str, separator: str, limit: int = -1) -> list[str]:
    """The parts between unescaped separators, their own escapes untouched."""
    parts: list[str] = [""]
    index = 0
    while index < len(text):
        character = text[index]
        if character == "\\" and index + 1 < len(text):
            parts[-1] += text[index : index + 2]
            index += 2
            continue
        if character == separator and (limit < 0 or len(parts) <= limit):
            parts.append("")
        else:
            parts[-1] += character
        index += 1
    return parts


def unescape(text: str) -> str:
    """The text with FHIR's escapes resolved."""
    return _ESCAPED.sub(r"\1", text)
