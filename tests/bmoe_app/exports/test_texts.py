"""Texts of others."""

from __future__ import annotations

import pytest

from bmoe_app.exports.texts import cell, cell_text, one_line


@pytest.mark.parametrize('text', ['=1', '+1', '-1', '@x', "'=1", "''-", 'nod', "'twas", ''])
def test_cells_begin_no_formula_and_read_back(text: str) -> None:
    assert not cell(text).startswith(('=', '+', '-', '@', '\t', '\r'))
    assert cell_text(cell(text)) == text


def test_one_line_keeps_scripts_and_escapes_controls() -> None:
    assert one_line('می‌روم 👩‍🔬') == 'می‌روم 👩‍🔬'
    assert one_line('a\nb\0\x1b[1m\ud800\ufffe\u202e') == 'a b\\x00\\x1b[1m\\ud800\\ufffe\\u202e'
