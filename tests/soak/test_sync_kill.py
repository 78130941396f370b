"""A sync whose processes are killed at random moments, with faults on.

`python -m benchmarks.sync_kill --kills 50` does the same for longer.
"""

from __future__ import annotations

import pytest

from benchmarks.sync_kill import killed


@pytest.mark.soak
def test_after_many_kills_the_target_equals_the_source() -> None:
    assert killed(15, seed=3) == {"kills": 15, "complete": True, "duplicates": 0, "kickoffs": 1}
