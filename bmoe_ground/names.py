"""Names of files as people and screens can take them."""

from __future__ import annotations

from bmoe_ground.cells import writable


def printable(text: str) -> str:
    r"""A text that any screen can show on one line: line breaks and bytes that are no UTF-8 as ``\x..`` codes.

    Args:
        text: A message, a name of a file.

    Example:
        >>> printable('a\nb' + chr(0xdcff))
        'a\\nb\\xff'
    """
    return ''.join(c if c.isprintable() else c.encode('unicode_escape').decode() for c in writable(text))
