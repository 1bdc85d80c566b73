"""Texts of others as cells, XML and subtitles can hold them."""

from __future__ import annotations

import unicodedata

_FORMULA = ('=', '+', '-', '@', '\t', '\r')
_BIDI = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_BROKEN = {'Cc', 'Cs', 'Zl', 'Zp'}


def one_line(text: str) -> str:
    r"""A text on one line, of characters that XML 1.0 allows; all letters of all scripts stay.

    Line breaks and tabs become blanks; other control characters, halves of surrogates and marks that turn the
    direction of what follows become ``\x..`` codes.

    Args:
        text: Such as a label.

    Example:
        >>> one_line('nod\n\x07<b>')
        'nod \\x07<b>'
    """
    return ''.join(map(_plain, text)).strip()


def _plain(char: str) -> str:
    if char in '\t\n\r\u2028\u2029':
        return ' '
    code = ord(char)
    if unicodedata.category(char) in _BROKEN or code in _BIDI or code & 0xFFFE == 0xFFFE:
        return char.encode('unicode_escape').decode()
    return char


def cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe goes before one that begins like it.

    Args:
        text: What the cell says.

    Example:
        >>> cell('=1+1'), cell('nod')
        ("'=1+1", 'nod')
    """
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def cell_text(text: str) -> str:
    """What a cell that :func:`cell` made says.

    Args:
        text: The cell.

    Example:
        >>> cell_text("'=1+1"), cell_text("'twas")
        ('=1+1', "'twas")
    """
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_FORMULA) else text
