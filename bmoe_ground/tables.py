"""Text files that people edit in spreadsheets: tables with a header, lists of labels, plain lines.

Everything here reads UTF-8 and UTF-16 with or without a byte-order mark, commas, semicolons and tabs, any line ends,
blank lines and blanks around fields (:mod:`bmoe_ground.texts`), and what it refuses it refuses by file and line.
"""

from __future__ import annotations

import csv
import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from bmoe_ground.errors import UserError
from bmoe_ground.texts import (
    SEPARATORS,
    TOLD_BY_HEADER,
    bounded_lines,
    declared_separator,
    header_cells,
    not_text,
    open_text,
    read_lines,
    told_separator,
)

MOST_DIGITS = 18
"""Digits of a whole number that is looked at: it then fits into 64 bits."""
_HEADER_LINES = 16  # a header is looked for in so many lines: blank ones may come first, a name may span several
_SHOWN = 120
_HEAD_OF_LABELS = {'video', 'label'}


class Row(dict[str, str]):
    """One row of a table: column name to text without blanks around it. It knows where it stands.

    Args:
        cells: Column name to text.
        path: The table.
        line: Its line, from 1; of a row that takes several, the last.

    Example:
        >>> row = Row({'clip': 'a.mp4', 'start': '1.5'}, 'table.csv', 2)
        >>> row['clip'], row.number('start'), row.where
        ('a.mp4', 1.5, 'table.csv:2')
    """

    def __init__(self, cells: dict[str, str], path: str, line: int) -> None:
        super().__init__(cells)
        self.path, self.line = path, line

    @property
    def where(self) -> str:
        """``file:line``, for error messages."""
        return f'{self.path}:{self.line}'

    def number(self, column: str) -> float:
        """A field as a number.

        Args:
            column: Which field.

        Raises:
            UserError: It is no finite number; the message has file, line and column.
        """
        return parse_number(self[column], self.where, column)

    def integer(self, column: str) -> int:
        """A field as a whole number; see :meth:`number`."""
        return parse_int(self[column], self.where, column)


def parse_number(text: str, where: str, what: str) -> float:
    """Read a number from a text.

    Args:
        text: The text.
        where: ``file:line``, for the error.
        what: What the number is, for the error.

    Raises:
        UserError: It is no finite number.
    """
    try:
        value = float(text)
    except ValueError as error:
        point = text.replace(',', '.')
        hint = f': a decimal comma; write {point}' if text.count(',') == 1 and _is_number(point) else ''
        raise UserError(f'{where}: {what}: expected a number, found {text!r}{hint}') from error
    if not math.isfinite(value):
        raise UserError(f'{where}: {what}: expected a finite number, found {text!r}')
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def parse_int(text: str, where: str, what: str) -> int:
    """Read a whole number from a text; see :func:`parse_number`."""
    try:
        return int(text)
    except ValueError:
        raise UserError(f'{where}: {what}: expected a whole number, found {text!r}') from None


def iter_table(
    path: str | os.PathLike[str], required: Sequence[str] = (), delimiter: str | None = None
) -> Iterator[Row]:
    """Read a table row by row, however long it is.

    Args:
        path: A table whose first line names the columns. Columns without a name at its right end are left out where
            they are empty, as spreadsheets leave them.
        required: Columns that it must have; it may have others.
        delimiter: What stands between two fields; None tells commas, semicolons and tabs apart by the header.

    Yields:
        Its rows, in order; a table that has a header only has none.

    Raises:
        UserError: The file cannot be read or is empty, a column is missing or named twice, or a row has another number
            of fields than the header. The message says how the file was read.
    """
    path = Path(path)
    header: list[str] | None = None
    dialect = ''
    for line, cells, dialect in iter_cells(path, required, delimiter):
        if header is None:
            header = _checked(_without_empty_end(cells, 0), required, f'{path}:{line}', dialect)
            continue
        cells = _without_empty_end(cells, len(header))
        if len(cells) != len(header):
            raise UserError(f'{path}:{line}: {len(cells)} fields, but the header has {len(header)} {dialect}')
        yield Row(dict(zip(header, cells, strict=True)), str(path), line)
    if header is None:
        raise UserError(f'{path}: empty; expected a header{_naming(required)}')


def iter_cells(
    path: Path, required: Sequence[str] = (), delimiter: str | None = None
) -> Iterator[tuple[int, list[str], str]]:
    """Read a table line by line where the first line is not the only header.

    Args:
        path: The table.
        required: Columns of the first line, by which separators are told apart.
        delimiter: As for :func:`iter_table`.

    Yields:
        Of each line that is not blank its number (of several, the last), its cells without blanks around them, and
        how the file is read, for errors.

    Raises:
        UserError: The file cannot be read; the message has file and line.
    """
    line = 0
    try:
        with open_text(path) as file:
            lines = bounded_lines(file, path)
            first = list(islice(lines, _HEADER_LINES))
            skipped = 0
            if first and (declared := declared_separator(first[0])):
                first, skipped, delimiter = first[1:], 1, delimiter or declared
            line = skipped
            separator = delimiter or told_separator(first, required)
            encoding = file.encoding.removesuffix('-sig').upper()
            dialect = f'(read as {encoding} with {SEPARATORS.get(separator, repr(separator))} between fields)'
            reader = csv.reader(chain(first, lines), delimiter=separator, skipinitialspace=separator != ' ')
            for fields in reader:
                line = reader.line_num + skipped
                cells = [field.strip() for field in fields]
                if any(cells):
                    yield line, cells, dialect
    except csv.Error as error:
        raise UserError(f'{path}:{line + 1}: cannot be read: {error}; is a quotation mark not closed?') from error
    except UnicodeError as error:
        raise not_text(path, error) from error


def _without_empty_end(cells: list[str], least: int) -> list[str]:
    """Cells without the empty ones at the end, but at least so many."""
    count = len(cells)
    while count > least and not cells[count - 1]:
        count -= 1
    return cells[:count]


def read_table(path: str | os.PathLike[str], required: Sequence[str] = (), delimiter: str | None = None) -> list[Row]:
    """Read a whole table that must have rows.

    Args:
        path: As for :func:`iter_table`.
        required: Likewise.
        delimiter: Likewise.

    Returns:
        Its rows, in order; at least one.

    Raises:
        UserError: As :func:`iter_table`, or the table has a header only.

    Example:
        >>> for row in read_table('gestures.csv', required=('clip', 'start')):  # doctest: +SKIP
        ...     print(row.where, row['clip'], row.number('start'))
    """
    rows = list(iter_table(path, required, delimiter))
    if not rows:
        raise UserError(f'{path}: expected a header and at least one row, found no row')
    return rows


def _checked(header: list[str], required: Sequence[str], where: str, dialect: str) -> list[str]:
    if missing := [name for name in required if name not in header]:
        columns = header if len(header) <= _SHOWN else [*header[:_SHOWN], '...']
        shown = [name if len(name) <= _SHOWN else name[:_SHOWN] + '...' for name in columns]
        raise UserError(f'{where}: no column {", ".join(map(repr, missing))}; the columns are {shown} {dialect}')
    if repeated := [name for name, count in Counter(header).items() if count > 1]:
        raise UserError(f'{where}: a column name appears twice: {repeated[0]!r} {dialect}')
    return header


def _naming(columns: Sequence[str]) -> str:
    return f' with the columns {", ".join(columns)}' if columns else ''


class Label(NamedTuple):
    """One line of a list of labels.

    Attributes:
        video: The video, or its track file, as the list names it.
        label: Class name or number as text; may be empty in a list with commas.
        split: 'train' and so on; empty where the line has none.
        where: ``file:line``, for error messages.
        subject: Who is seen; empty where the list does not say.
    """

    video: str
    label: str
    split: str
    where: str
    subject: str = ''


def read_labels(path: str | os.PathLike[str]) -> list[Label]:
    """Read a list of labelled videos.

    With a header that names ``video`` and ``label``, in small or capital letters, it is a table, in any order of
    columns, with ``split`` and ``subject`` where there are such columns; others are not looked at. Without one, lines
    are ``video label`` (the label is what follows the last blank) or ``video,label[,split]``, with commas, semicolons
    or tabs.

    Args:
        path: The text file.

    Returns:
        Its lines, in order.

    Raises:
        UserError: The file cannot be read, or a line has another form.
    """
    lines = read_lines(path)
    head = [text for _, text in lines[:1]]
    if any(set(_lower(header_cells(head, separator))) >= _HEAD_OF_LABELS for separator in TOLD_BY_HEADER):
        return list(_labels_of_table(Path(path)))
    separator = _separator_of_list([text for _, text in lines])
    labels = []
    for number, line in lines:
        between = ',' if ',' in line else separator
        fields = header_cells([line], between) if between else line.rsplit(None, 1)
        if _lower(fields) == ['video', 'label']:
            continue
        where = f'{os.fspath(path)}:{number}'
        if len(fields) not in (2, 3) or not fields[0]:
            raise UserError(f'{where}: expected "video label" or "video,label[,split]", found {line[:_SHOWN]!r}')
        labels.append(Label(fields[0], fields[1], fields[2] if len(fields) == 3 else '', where))
    return labels


def _lower(cells: list[str]) -> list[str]:
    return [cell.lower() for cell in cells]


def _labels_of_table(path: Path) -> Iterator[Label]:
    """Rows of a list with a header; fields that are missing at a row's end are empty."""
    header: list[str] | None = None
    for line, cells, dialect in iter_cells(path, tuple(_HEAD_OF_LABELS)):
        if header is None:
            header = _checked(_lower(_without_empty_end(cells, 0)), ('video', 'label'), f'{path}:{line}', dialect)
            continue
        cells = _without_empty_end(cells, len(header))
        row = dict(zip(header, [*cells, *[''] * (len(header) - len(cells))], strict=False))
        if len(cells) > len(header) or not row['video']:
            fields = ','.join(cells)[:_SHOWN]
            raise UserError(f'{path}:{line}: expected "{",".join(header)[:_SHOWN]}", found {fields!r} {dialect}')
        yield Label(row['video'], row['label'], row.get('split', ''), f'{path}:{line}', row.get('subject', ''))


def _separator_of_list(lines: Sequence[str]) -> str | None:
    """The separator of a list without a header and without commas; None for the last blank."""
    for separator in (';', '\t'):
        if lines and all(separator in line for line in lines):
            return separator
    return None
