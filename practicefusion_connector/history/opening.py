"""A history by its name: a file of JSON lines, or the URL of a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.history.lines import JsonLinesSink

if TYPE_CHECKING:
    from practicefusion_connector.history.sql import SqlSink


def open_history(source: str) -> JsonLinesSink | SqlSink:
    """Return the sink, which is a source too, that `source` names.

    Args:
        source: a path such as `runs.jsonl`, or a URL such as `sqlite:///history.db`.

    Raises:
        InvalidConfig: the URL cannot be read, or a library is missing.
    """
    if "://" not in source:
        return JsonLinesSink(source)
    try:
        from practicefusion_connector.history.sql import SqlSink
    except ImportError:
        missing = True
    else:
        missing = False
    if missing:
        raise InvalidConfig(
            "A history in a database needs SQLAlchemy: pip install 'practicefusion-connector[sql]'"
        )
    return SqlSink(source)
