"""The fault matrix: every fault, once, and what comes of it; it is a table in docs/faults.md."""

from __future__ import annotations

import pytest

from practicefusion_connector.sandbox.faults.kinds import KINDS
from tests.robustness.documents import check_part, table
from tests.robustness.matrix import ROWS, Row, expected, played

OUTCOMES: dict[str, str] = {}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.kind)
def test_a_fault_ends_as_the_matrix_says(row: Row) -> None:
    outcomes = played(row)
    assert outcomes == [expected(row)] * len(outcomes)
    OUTCOMES[row.kind] = outcomes[0]


def test_the_matrix_has_every_kind_of_fault() -> None:
    assert sorted(row.kind for row in ROWS) == sorted(KINDS)


def test_the_table_in_the_documentation_is_what_was_played() -> None:
    if len(OUTCOMES) < len(ROWS):
        pytest.skip("only a part of the matrix was played")
    rows = [[f"`{row.kind}`", row.server, OUTCOMES[row.kind]] for row in ROWS]
    check_part("faults.md", "matrix", table(["fault", "the server", "the connector"], rows))
