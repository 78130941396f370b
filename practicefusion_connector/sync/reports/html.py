"""A run's report as one HTML page that stands alone: no script, no font, no address is loaded.

The charts are SVG that pygal draws (extra `sync`). Pure: a report in, text out.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from typing import Any

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.sync.reports.report import COUNTED, SyncReport

_SHOWN = ("created", "updated", "unchanged", "deleted", "failed")
_COLOURS = ("#2b8a3e", "#1971c2", "#adb5bd", "#e67700", "#c92a2a")
_NOTHING = "<p>Nothing.</p>"
# Pixels of a chart without its bars: title, axis, and the legend's lines.
_FRAME, _LEGEND = 120, 60
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#222}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
table{border-collapse:collapse;width:100%}th,td{padding:.25rem .6rem;text-align:right;
border-bottom:1px solid #ddd}th:first-child,td:first-child{text-align:left}
.done{color:#2b8a3e}.incomplete{color:#e67700}.failed{color:#c92a2a}svg{max-width:100%;height:auto}
"""


def page(report: SyncReport) -> str:
    """Return the page.

    Raises:
        InvalidConfig: the chart library is not installed.
    """
    facts = [
        ("Into", report.target),
        ("Export", f"{'full' if report.full else 'changes'} ({report.mode})"),
        ("Started", report.started),
        ("Finished", report.finished or ""),
        ("Data of", ", ".join(f"{k}: {v}" for k, v in report.transaction_times.items())),
        ("References made literal by the last pass", report.references_mended),
        ("References whose target is not in the data", report.references_open),
        ("Issues in the export's error files", report.problems),
    ]
    parts = [
        f"<h1>{escape(report.sync)}</h1>",
        f'<p class="{escape(report.status)}">Run {report.run}: {escape(report.status)}'
        f"{' – ' + escape(report.reason) if report.reason else ''}</p>",
        _table(["", ""], facts),
        "<h2>Resources</h2>",
        _counts_chart(report),
        _table(["Type", *COUNTED], _count_rows(report)),
        "<h2>Time</h2>",
        _bars("Seconds by stage", report.seconds, "s"),
        "<h2>Throughput</h2>",
        _bars("Resources per second", _throughput(report), "/s"),
        *_quarantine(report),
        *_warnings(report),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(report.sync)}, run {report.run}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _counts_chart(report: SyncReport) -> str:
    if not report.types:
        return _NOTHING
    chart = _pygal().HorizontalStackedBar(**_look(len(report.types), colours=_COLOURS))
    chart.title = "Resources by type"
    kinds = sorted(report.types, reverse=True)
    chart.x_labels = kinds
    for name in _SHOWN:
        chart.add(name, [report.types[kind].get(name, 0) for kind in kinds])
    return _drawn(chart)


def _bars(title: str, values: dict[str, float], unit: str) -> str:
    if not values:
        return _NOTHING
    chart = _pygal().HorizontalBar(**_look(len(values), legend=False))
    chart.title = title
    names = sorted(values, reverse=True)
    chart.x_labels = names
    chart.add(unit, [round(values[name], 2) for name in names])
    return _drawn(chart)


def _throughput(report: SyncReport) -> dict[str, float]:
    return {
        kind: counts.get("read", 0) / seconds
        for kind, counts in report.types.items()
        if (seconds := report.seconds.get(f"applying {kind}", 0.0)) > 0
    }


def _count_rows(report: SyncReport) -> list[Sequence[Any]]:
    rows: list[Sequence[Any]] = [
        (kind, *(counts.get(name, 0) for name in COUNTED))
        for kind, counts in sorted(report.types.items())
    ]
    return [*rows, ("Total", *(report.total(name) for name in COUNTED))]


def _quarantine(report: SyncReport) -> Iterable[str]:
    rows = [
        (kind, code, count)
        for kind, codes in sorted(report.quarantine.items())
        for code, count in sorted(codes.items())
    ]
    if rows:
        yield "<h2>Quarantine</h2>"
        yield _table(["Type", "Reason", "Lines"], rows)


def _warnings(report: SyncReport) -> Iterable[str]:
    if report.warnings:
        yield "<h2>Warnings</h2>"
        yield _table(["", ""], [(each["code"], each["message"]) for each in report.warnings])


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    def row(cells: Sequence[Any], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(str(c))}</{tag}>" for c in cells) + "</tr>"

    top = row(head, "th") if any(head) else ""
    return f"<table>{top}{''.join(row(cells, 'td') for cells in rows)}</table>"


def _look(
    rows: int, *, legend: bool = True, colours: Sequence[str] = ("#1971c2",)
) -> dict[str, Any]:
    style = _pygal().style.Style(
        background="transparent", plot_background="transparent", colors=tuple(colours)
    )
    return {
        "style": style,
        "js": (),
        "height": _FRAME + _LEGEND * legend + 26 * rows,
        "width": 900,
        "show_legend": legend,
        "legend_at_bottom": True,
        "print_zeroes": False,
    }


def _drawn(chart: Any) -> str:
    chart.add_xml_filter(_without_scripts)
    svg: str = chart.render(is_unicode=True, disable_xml_declaration=True)
    return f"<figure>{svg}</figure>"


def _without_scripts(svg: Any) -> Any:
    for parent in svg.iter():
        for child in list(parent):
            if str(child.tag).endswith("script"):
                parent.remove(child)
    return svg


@cache
def _pygal() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ImportWarning)
            import pygal
            import pygal.style
        # It hooks itself into every later import, for plug-ins that nobody has here.
        hook = getattr(pygal, "PluginImportFixer", ())
        sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, hook)]
    except ImportError as error:
        raise InvalidConfig(
            f"The report's page needs a library that is not installed ({error.name}): "
            "pip install 'practicefusion-connector[sync]'"
        ) from error
    return pygal
