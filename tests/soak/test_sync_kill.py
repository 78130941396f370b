"""A sync whose processes are killed at fifty random moments, with faults on."""

from __future__ import annotations

import pytest

from benchmarks.sync_kill import killed


@pytest.mark.soak
def test_after_fifty_kills_the_target_equals_the_source() -> None:
    assert killed(50, seed=3) == {"kills": 50, "complete": True, "duplicates": 0, "kickoffs": 1}
