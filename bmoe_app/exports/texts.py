"""Texts of others as XML and subtitles can hold them."""

from __future__ import annotations

import unicodedata

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
