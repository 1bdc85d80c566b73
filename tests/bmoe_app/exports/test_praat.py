"""TextGrids, read by praatio."""

from __future__ import annotations

from pathlib import Path

import pytest
from answers import HOSTILE, made_up_answer

from bmoe_app.exports import write_export


def test_praatio_reads_tiers_that_tile(tmp_path: Path) -> None:
    praat = pytest.importorskip('praatio.textgrid', reason='praatio is not installed')
    write_export('textgrid', tmp_path / 'a.TextGrid', made_up_answer())
    grid = praat.openTextgrid(str(tmp_path / 'a.TextGrid'), includeEmptyIntervals=True, reportingMode='error')
    assert grid.tierNames == ('person 0', 'person 0 (2)', 'person 1')
    for tier in grid.tiers:
        entries = tier.entries
        assert (entries[0].start, entries[-1].end) == (0, 2)
        assert all(a.end == b.start for a, b in zip(entries, entries[1:], strict=False))
    assert [e.label for e in grid.getTier('person 0 (2)').entries] == ['', HOSTILE, '']
    assert tuple(grid.getTier('person 1').entries[1]) == (1.0, 1.001, "'-x")


def test_nobody_is_one_empty_tier(tmp_path: Path) -> None:
    praat = pytest.importorskip('praatio.textgrid', reason='praatio is not installed')
    write_export('textgrid', tmp_path / 'a.TextGrid', made_up_answer([], people=0))
    grid = praat.openTextgrid(str(tmp_path / 'a.TextGrid'), includeEmptyIntervals=True)
    assert [tuple(e) for e in grid.getTier('person 0').entries] == [(0, 2, '')]
