"""Memory stays flat, whatever the size of an export."""

from __future__ import annotations

import pytest

from benchmarks.sync_memory import LARGEST_GROWTH, LIMIT_MB, measure


@pytest.mark.soak
def test_five_times_the_size_takes_no_more_memory() -> None:
    small, large = measure(20, 4, load=False), measure(100, 4, load=False)
    assert small["complete"]
    assert large["complete"]
    assert large["mb"] > 4 * small["mb"]
    assert large["peak_rss_mb"] <= LARGEST_GROWTH * small["peak_rss_mb"]
    assert large["peak_rss_mb"] <= LIMIT_MB
