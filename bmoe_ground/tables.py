"""Text files that people edit in spreadsheets: tables with a header, lists of labels, plain lines.

Everything here reads UTF-8 with or without a byte-order mark, any line ends, blank lines and blanks around fields,
and everything it refuses it refuses by file and line.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from bmoe_ground.errors import UserError


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
        raise UserError(f'{where}: {what}: expected a number, found {text!r}') from error
    if not math.isfinite(value):
        raise UserError(f'{where}: {what}: expected a finite number, found {text!r}')
    return value


def parse_int(text: str, where: str, what: str) -> int:
    """Read a whole number from a text; see :func:`parse_number`."""
    try:
        return int(text)
    except ValueError:
        raise UserError(f'{where}: {what}: expected a whole number, found {text!r}') from None


def iter_table(path: str | os.PathLike[str], required: Sequence[str] = (), delimiter: str = ',') -> Iterator[Row]:
    """Read a table row by row, however long it is.

    Args:
        path: A CSV file whose first line names the columns.
        required: Columns that it must have; it may have others.
        delimiter: What stands between two fields.

    Yields:
        Its rows, in order; a table that has a header only has none.

    Raises:
        UserError: The file cannot be read or is empty, a column is missing or named twice, or a row has another number
            of fields than the header.
    """
    path = Path(path)
    line, header = 0, None
    try:
        with _open(path) as file:
            reader = csv.reader(file, delimiter=delimiter, skipinitialspace=delimiter != ' ')
            for fields in reader:
                line = reader.line_num
                cells = [field.strip() for field in fields]
                if not any(cells):
                    continue
                if header is None:
                    header = _checked(cells, required, f'{path}:{line}')
                elif len(cells) != len(header):
                    raise UserError(f'{path}:{line}: {len(cells)} fields, but the header has {len(header)}')
                else:
                    yield Row(dict(zip(header, cells, strict=True)), str(path), line)
    except csv.Error as error:
        raise UserError(f'{path}:{line + 1}: cannot be read: {error}') from error
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from error
    if header is None:
        raise UserError(f'{path}: empty; expected a header{_naming(required)}')


def read_table(path: str | os.PathLike[str], required: Sequence[str] = (), delimiter: str = ',') -> list[Row]:
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


def _checked(header: list[str], required: Sequence[str], where: str) -> list[str]:
    if missing := [name for name in required if name not in header]:
        raise UserError(f'{where}: no column {", ".join(map(repr, missing))}; the columns are {header}')
    if len(set(header)) < len(header):
        raise UserError(f'{where}: a column name appears twice in {header}')
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
    """

    video: str
    label: str
    split: str
    where: str


def read_labels(path: str | os.PathLike[str]) -> list[Label]:
    """Read a list of labelled videos.

    Lines are ``video label`` (the label is what follows the last blank) or ``video,label[,split]``. A header
    ``video,label[,split]`` is passed over.

    Args:
        path: The text file.

    Returns:
        Its lines, in order.

    Raises:
        UserError: The file cannot be read, or a line has another form.
    """
    labels = []
    for number, line in read_lines(path):
        fields = next(csv.reader([line])) if ',' in line else line.rsplit(None, 1)
        fields = [field.strip() for field in fields]
        if fields[:2] == ['video', 'label']:
            continue
        where = f'{os.fspath(path)}:{number}'
        if len(fields) not in (2, 3) or not fields[0]:
            raise UserError(f'{where}: expected "video label" or "video,label[,split]", found {line!r}')
        labels.append(Label(fields[0], fields[1], fields[2] if len(fields) == 3 else '', where))
    return labels


def read_lines(path: str | os.PathLike[str]) -> list[tuple[int, str]]:
    """Read the lines of a text that are not blank.

    Args:
        path: The file.

    Returns:
        Number, from 1, and text of each, without blanks around it.

    Raises:
        UserError: The file is missing or is not UTF-8 text.
    """
    lines = enumerate(read_text(path).splitlines(), 1)
    return [(number, line.strip()) for number, line in lines if line.strip()]


def read_text(path: str | os.PathLike[str]) -> str:
    """Read a whole text.

    Args:
        path: The file.

    Returns:
        Its text, without a byte-order mark, lines ended by a line feed.

    Raises:
        UserError: The file is missing or is not UTF-8 text.
    """
    path = Path(path)
    try:
        with _open(path, newline=None) as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from error


def _open(path: Path, newline: str | None = '') -> TextIO:
    if not path.is_file():
        raise UserError(f'{path}: cannot be read: no such file')
    try:
        return path.open(encoding='utf-8-sig', newline=newline)
    except OSError as error:
        raise UserError(f'{path}: cannot be read: {error.strerror or error}') from error


def _not_utf8(path: Path, error: UnicodeDecodeError) -> UserError:
    return UserError(f'{path}: cannot be read: not UTF-8 text ({error}); save it as UTF-8')
