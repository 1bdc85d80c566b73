"""Cells that a spreadsheet does not compute, and what they were."""

from __future__ import annotations

import csv
import io
import os

import pytest

from bmoe_ground.cells import csv_bytes, plain_cell, safe_cell, writable


@pytest.mark.parametrize('text', ['=HYPERLINK("http://x")', '+1+1', '-2+3', '@SUM(A1)', '\tx', '\r=1', "'=1", "''-x"])
def test_formulas_get_an_apostrophe_and_lose_it_again(text: str) -> None:
    assert safe_cell(text) == "'" + text
    assert plain_cell(safe_cell(text)) == text


@pytest.mark.parametrize('value', ['nod', '-0.5', '+1e3', '', "'tis", 7, -0.5, None, 'a=b', '<b>'])
def test_what_is_harmless_stays(value: object) -> None:
    assert safe_cell(value) == value
    assert not isinstance(value, str) or plain_cell(value) == value


def test_bytes_that_are_no_utf8_are_written_out() -> None:
    assert writable(os.fsdecode(b'caf\xe9')) == 'caf\\xe9'
    assert safe_cell(os.fsdecode(b'=\xff')) == "'=\\xff"


def test_rows_read_back() -> None:
    text = csv_bytes([['label', 'note'], ['=1', 'a, "b"\nc'], [None, 0.5]]).decode()
    assert list(csv.reader(io.StringIO(text, newline=''))) == [['label', 'note'], ["'=1", 'a, "b"\nc'], ['', '0.5']]
