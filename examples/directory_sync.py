"""Keep a local directory of the practice's providers and organizations up to date.

The directory is one SQLite file. The first run reads everything; each later run asks only for what
changed since, and says what it added and changed. Run it as often as you like. What was deleted at
the practice is not seen this way: delete the file now and then, and everything is read anew.

    python examples/directory_sync.py --directory directory.sqlite
    python examples/directory_sync.py --directory directory.sqlite --connection clinic
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from _practice import arguments, practice

from practicefusion_connector import PracticeFusion
from practicefusion_connector.fhir.views import rows

SOURCES = ("search_organizations", "search_practitioners")
COLUMNS = ("name", "npi", "phone", "email", "address", "active", "last_updated")
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS directory (
    base_url TEXT, kind TEXT, id TEXT, {", ".join(f"{name} TEXT" for name in COLUMNS)},
    PRIMARY KEY (base_url, kind, id)
);
CREATE TABLE IF NOT EXISTS watermark (
    base_url TEXT, action TEXT, read_at TEXT, PRIMARY KEY (base_url, action)
);
"""


def sync(pf: PracticeFusion, directory: sqlite3.Connection, action: str) -> Counter[str]:
    """Bring one kind of entry up to date; return how many were added, changed and unchanged."""
    counts: Counter[str] = Counter(added=0, changed=0, unchanged=0)
    base_url, kind = pf.connection.fhir_base_url, pf.registry.action(action).resource
    # Taken before the search: what changes while it runs is read again next time, not missed.
    started = datetime.now(UTC).isoformat(timespec="seconds")
    mark = directory.execute(
        "SELECT read_at FROM watermark WHERE base_url = ? AND action = ?", (base_url, action)
    ).fetchone()
    inputs = {"last_updated": {"ge": mark[0]}} if mark else {}
    with directory:  # one transaction: the entries and the watermark, or neither
        for row in rows(kind, pf.iterate(action, inputs)):
            entry = [None if row[name] is None else str(row[name]) for name in COLUMNS]
            counts[store(directory, (base_url, kind, str(row["id"])), entry)] += 1
        directory.execute(
            "INSERT OR REPLACE INTO watermark VALUES (?, ?, ?)", (base_url, action, started)
        )
    return counts


def store(directory: sqlite3.Connection, key: tuple[str, str, str], entry: list[str | None]) -> str:
    """Write one entry; return whether it was added, changed or unchanged."""
    known = directory.execute(
        f"SELECT {', '.join(COLUMNS)} FROM directory "  # noqa: S608 - our own column names
        "WHERE base_url = ? AND kind = ? AND id = ?",
        key,
    ).fetchone()
    if known == tuple(entry):
        return "unchanged"
    places = ", ".join("?" * (len(key) + len(entry)))
    directory.execute(
        f"INSERT OR REPLACE INTO directory VALUES ({places})",  # noqa: S608 - question marks only
        (*key, *entry),
    )
    return "added" if known is None else "changed"


def main() -> None:
    """Bring the directory up to date and say what changed."""
    parser = arguments(__doc__)
    parser.add_argument(
        "--directory", type=Path, default=Path("directory.sqlite"), help="the SQLite file"
    )
    asked = parser.parse_args()
    with practice(asked.connection) as pf, closing(sqlite3.connect(asked.directory)) as directory:
        directory.executescript(SCHEMA)
        for action in SOURCES:
            counts = sync(pf, directory, action)
            told = ", ".join(f"{count} {what}" for what, count in counts.items())
            print(f"{pf.registry.action(action).resource}: {told}")


if __name__ == "__main__":
    main()
