"""Keeps the reports of the last runs as files: JSON for programs, one HTML page for people."""

from __future__ import annotations

from pathlib import Path

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.sync.reports import html
from practicefusion_connector.sync.reports.report import SyncReport, write_json, write_text

_KEPT = 60


def keep(report: SyncReport, folder: Path) -> tuple[Path, Path | None]:
    """Write a run's report under `folder/reports` and return its two files.

    The page is left out where the chart library is not installed.
    """
    place = folder / "reports"
    name = f"run-{report.run:06d}"
    data = place / f"{name}.json"
    write_json(data, report.to_dict())
    page: Path | None = place / f"{name}.html"
    try:
        text = html.page(report)
    except InvalidConfig:
        page = None
    else:
        write_text(place / f"{name}.html", text)
    for pattern in ("run-*.json", "run-*.html"):
        for old in sorted(place.glob(pattern))[:-_KEPT]:
            old.unlink(missing_ok=True)
    return data, page
