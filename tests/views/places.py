"""Where real FHIR data lies, when it does, and what is in it; the tests pass without it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[3] / "shared" / "data"
US_CORE = DATA / "us-core-6.1.0"
BULK = DATA / "bulk-10-patients"


def examples() -> Iterator[dict[str, Any]]:
    """Yield US Core's example resources."""
    for file in sorted(US_CORE.glob("*-*.json")):
        yield json.loads(file.read_text(encoding="utf-8"))


def bulk(limit: int) -> Iterator[dict[str, Any]]:
    """Yield up to `limit` resources of each file of the bulk export."""
    for file in sorted(BULK.glob("[A-Z]*.ndjson")):
        with file.open(encoding="utf-8") as lines:
            yield from map(json.loads, islice(lines, limit))
