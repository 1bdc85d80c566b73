from __future__ import annotations

from benchmarks.manifests import measure


def test_a_row_of_the_table() -> None:
    count, *figures = measure(50).strip('| ').split(' | ')
    assert count == '50'
    assert len(figures) == 4
