"""Texts as cells of a table that every program can read, and that no spreadsheet computes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

FORMULA = ('=', '+', '-', '@', '\t', '\r')
"""A cell that begins so is a formula to a spreadsheet, and a label or a file's name may be one."""


_LONE = re.compile(r'[\ud800-\udc7f\udd00-\udfff]')  # halves of a pair, which JSON can hold and no encoding has


def safe_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: such texts get an apostrophe in front, numbers stay.

    Args:
        value: Text or number; other values pass as they are.

    Example:
        >>> safe_cell('=1+1'), safe_cell('-0.5'), safe_cell('nod')
        ("'=1+1", '-0.5', 'nod')
    """
    if not isinstance(value, str):
        return value
    text = writable(value)
    return "'" + text if text.lstrip("'").startswith(FORMULA) and not _is_number(text) else text


def plain_cell(text: str) -> str:
    """The text of a cell that :func:`safe_cell` wrote.

    Example:
        >>> plain_cell("'=1+1"), plain_cell("'tis")
        ('=1+1', "'tis")
    """
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(FORMULA) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def writable(name: str) -> str:
    r"""A file's name, or any text, as it stands in a table: bytes that are no UTF-8 are written out.

    Example:
        >>> writable('a' + chr(0xdcff))
        'a\\xff'
    """
    name = _LONE.sub(lambda found: f'\\u{ord(found[0]):x}', name)
    return name.encode('utf-8', 'surrogateescape').decode('utf-8', 'backslashreplace')


def csv_bytes(rows: Iterable[Iterable[Any]]) -> bytes:
    r"""Rows as the bytes of a CSV file, every cell through :func:`safe_cell`; None is an empty cell.

    Example:
        >>> csv_bytes([['label', 'score'], ['@nod', None]])
        b"label,score\n'@nod,\n"
    """
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerows([[safe_cell(cell) for cell in row] for row in rows])
    return text.getvalue().encode()
