"""JSON read and written again without changing a number.

FHIR's decimals carry their precision (R4 datatypes §2.24.0.1: 1.50 is not 1.5), and Python's floats
lose it. Needed only where a resource has to be cut out of a larger document.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

# Begins a number kept as text; drawn anew by each process, so that no text can be taken for one.
_MARK = f"number-{secrets.token_hex(16)}:"
_MARKED = re.compile(f'"{_MARK}([-+0-9.eE]+)"')


def read(raw: bytes) -> Any:
    """Return the value of a JSON text, its fractions as marked text for `write`.

    Raises:
        ValueError: it is not JSON.
    """
    return json.loads(raw.decode("utf-8-sig"), parse_float=lambda number: _MARK + number)


def write(value: Any) -> bytes:
    """Return what `read` gave, or a part of it, as one line of JSON without a line break."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _MARKED.sub(r"\1", text).encode("utf-8", "surrogatepass")
