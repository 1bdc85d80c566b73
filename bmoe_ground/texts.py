"""Texts as people have them: which encoding, which separator, and bounds for what is no text at all."""

from __future__ import annotations

import codecs
import csv
import os
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import TextIO

from bmoe_ground.errors import UserError

SEPARATORS = {',': 'commas', ';': 'semicolons', '\t': 'tabs', ' ': 'blanks', '|': 'bars'}
TOLD_BY_HEADER = (',', ';', '\t')
"""Separators that are told apart by the header alone; of equals the first."""

MAX_LINE = 8 * 2**20
"""Characters of a line at most: a file without line ends is not read into memory whole."""

MAX_TEXT = 512 * 2**20
"""Bytes of a text that is read as a whole."""

NO_VALUE = (ValueError, IndexError, KeyError, AttributeError, TypeError)
"""What PyYAML raises, beside its own errors, on a value that is not of its tag, such as ``!!int ''``."""

_MARKS = (  # UTF-32's mark begins as UTF-16's does, hence first
    (codecs.BOM_UTF32_LE, 'utf-32'),
    (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
)
_HEAD = 4096
_TELLING = 8  # bytes; of fewer nothing is told
_MOSTLY = 0.4


def open_text(path: Path, newline: str | None = '') -> TextIO:
    """Open a text in the encoding that its first bytes tell: UTF-8, UTF-16 or UTF-32, with or without a mark.

    Args:
        path: The file.
        newline: As for :func:`open`.

    Raises:
        UserError: It is missing or cannot be opened.
    """
    if not path.is_file():
        raise UserError(f'{path}: cannot be read: no such file')
    try:
        with path.open('rb') as file:
            encoding = told_encoding(file.read(_HEAD))
        return path.open(encoding=encoding, newline=newline)
    except OSError as error:
        raise UserError(f'{path}: cannot be read: {error.strerror or error}') from error


def told_encoding(head: bytes) -> str:
    """Tell the encoding of a text by its first bytes.

    Args:
        head: The first bytes, an even number of them where there are more.

    Returns:
        Python's name of it; 'utf-8-sig' where nothing speaks for another.

    Example:
        >>> told_encoding('path,label'.encode('utf-16-le'))
        'utf-16-le'
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    # without a mark, UTF-16 of a header in Latin letters has a zero in every other place, and in no place between
    even, odd = (head[0::2], head[1::2]) if len(head) >= _TELLING else (b'', b'')
    if odd.count(0) > _MOSTLY * len(odd) and not even.count(0):
        return 'utf-16-le'
    if even.count(0) > _MOSTLY * len(even) and not odd.count(0):
        return 'utf-16-be'
    return 'utf-8-sig'


def not_text(path: Path, error: UnicodeError) -> UserError:
    """The error of a file whose bytes are no text in the encoding that it seems to have."""
    encoding = getattr(error, 'encoding', 'utf-8').removesuffix('-sig').upper()
    return UserError(f'{path}: cannot be read: not {encoding} text ({error}); save it as UTF-8')


def read_lines(path: str | os.PathLike[str]) -> list[tuple[int, str]]:
    """Read the lines of a text that are not blank.

    Args:
        path: The file.

    Returns:
        Number, from 1, and text of each, without blanks around it.

    Raises:
        UserError: The file is missing or is no text.
    """
    lines = enumerate(read_text(path).split('\n'), 1)
    return [(number, line.strip()) for number, line in lines if line.strip()]


def read_text(path: str | os.PathLike[str]) -> str:
    """Read a whole text.

    Args:
        path: The file.

    Returns:
        Its text, without a byte-order mark, lines ended by a line feed.

    Raises:
        UserError: The file is missing, is no text, or is larger than texts are.
    """
    path = Path(path)
    try:
        with open_text(path, newline=None) as file:
            if path.stat().st_size > MAX_TEXT:
                raise UserError(f'{path}: cannot be read: larger than {MAX_TEXT:,} bytes')
            text = file.read()
    except UnicodeError as error:
        raise not_text(path, error) from error
    if '\0' in text:
        line = text.count('\n', 0, text.index('\0')) + 1
        raise UserError(f'{path}:{line}: cannot be read: a NUL character; the file is damaged, or no text')
    return text


def bounded_lines(file: TextIO, path: Path) -> Iterator[str]:
    """Read line by line, with line ends, and never more than a bounded part of a file that has none.

    Raises:
        UserError: A line is longer than :data:`MAX_LINE` or holds a NUL character; the message has file and line.
    """
    for number in count(1):
        line = file.readline(MAX_LINE + 1)
        if not line:
            return
        if len(line) > MAX_LINE:
            raise UserError(f'{path}:{number}: cannot be read: a line of more than {MAX_LINE:,} characters')
        if '\0' in line:
            raise UserError(f'{path}:{number}: cannot be read: a NUL character; the file is damaged, or no text')
        yield line


def told_separator(lines: Sequence[str], required: Sequence[str] = ()) -> str:
    r"""Tell what stands between two fields of a table by its header.

    Args:
        lines: The first lines, enough for the header.
        required: Columns that the header must have.

    Returns:
        The separator with which the header has these columns, else the one that gives the most fields.

    Example:
        >>> told_separator(['video;start, end\n'], ['video'])
        ';'
    """
    best, most = TOLD_BY_HEADER[0], 0
    for separator in TOLD_BY_HEADER:
        header = header_cells(lines, separator)
        if required and set(required) <= set(header):
            return separator
        if len(header) > most:
            best, most = separator, len(header)
    return best


def header_cells(lines: Sequence[str], separator: str) -> list[str]:
    """Split the first line that is not blank; nothing where it cannot be."""
    try:
        for fields in csv.reader(lines, delimiter=separator, skipinitialspace=separator != ' '):
            cells = [field.strip() for field in fields]
            if any(cells):
                return cells
    except csv.Error:
        pass
    return []


def declared_separator(line: str) -> str | None:
    """The separator of a first line ``sep=;``, which spreadsheets write and read; None for any other line."""
    text = line.strip().strip('"')
    return text[4] if len(text) == 5 and text.lower().startswith('sep=') and text[4] in SEPARATORS else None
