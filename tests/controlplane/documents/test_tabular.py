"""Audit entries as rows: no cell is a formula."""

import pytest

from controlplane.documents.tabular import AUDIT_COLUMNS, audit_row, cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_text_that_would_calculate_stays_text(text) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(("value", "told"), [(None, ""), ("plain", "plain"), (7, "7"), ({"a": [1]}, '{"a": [1]}')])
def test_everything_else_is_told_as_it_is(value, told) -> None:
    assert cell(value) == told


def test_a_row_has_a_cell_for_each_column() -> None:
    row = audit_row({"id": 1, "actor": {"kind": "person", "name": "ann"}, "action": "flag:create"})

    assert len(row) == len(AUDIT_COLUMNS)
    assert row[:4] == ["1", "", "person:ann", "flag:create"]
