"""What a reader returns for one face, and the reading of text files that people edit in spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bmoe_ground.errors import UserError

# fmt: off
IMAGE_SUFFIXES = frozenset({
    '.avif', '.bmp', '.dib', '.gif', '.heic', '.heif', '.hif', '.j2k', '.jfif', '.jp2', '.jpe', '.jpeg', '.jpg', '.pbm',
    '.pgm', '.png', '.pnm', '.ppm', '.tif', '.tiff', '.webp',
})
VIDEO_SUFFIXES = frozenset({
    '.3gp', '.asf', '.avi', '.flv', '.m2ts', '.m4v', '.mjpeg', '.mjpg', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.mts',
    '.ogv', '.ts', '.vob', '.webm', '.wmv',
})
# fmt: on


@dataclass
class Record:
    """One labelled image, video, folder of frames or pixel array, before any split is taken.

    Args:
        path: The file, or where the pixels came from (``fer2013.csv:17``).
        gt: Task name to class index, or to a list of 0, 1 and -1 for a multi-label task.
        groups: Column name to group name; a column absent here is unknown for this sample.
        split: Official split, '' where the set has none.
        subjects: Identities shown. Samples that share one never end in different parts.
        video_id: Video that a frame belongs to.
        media: 'image', 'video', 'frames' (a folder of images) or 'array'.
        face_box: Annotated face as (x, y, width, height) in pixels.
        where: File and line of the label, for messages.
        array_index: Row of the dataset's pixel array, for 'array'.
    """

    path: str
    gt: dict[str, Any]
    groups: dict[str, str] = field(default_factory=dict)
    split: str = ''
    subjects: tuple[str, ...] = ()
    video_id: str | None = None
    media: str = 'image'
    face_box: tuple[float, float, float, float] | None = None
    where: str = ''
    array_index: int | None = None


@dataclass(frozen=True)
class Skipped:
    """A line or file that is not used, and why."""

    where: str
    reason: str


def read_text(path: Path) -> str:
    """Read a UTF-8 text file, with or without a byte order mark, with any line ends.

    Raises:
        UserError: The file is missing or is not UTF-8 text.
    """
    if not path.is_file():
        raise UserError(f'{path}: no such file')
    try:
        return path.read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise UserError(f'{path}: not UTF-8 text ({error}); save it as UTF-8') from error


def read_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number (from 1) and white-space separated fields of every line that is not blank."""
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if fields := line.split():
            yield number, fields


def read_csv(path: Path, columns: Sequence[str], delimiter: str = ',') -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and stripped fields by column name of every row of a CSV with a header.

    Args:
        path: The file. A byte order mark and Windows line ends are fine.
        columns: Columns that must be there.
        delimiter: Field separator.

    Raises:
        UserError: The file is empty, lacks a column, names one twice, or a row has too many or too few fields.
    """
    reader = csv.reader(io.StringIO(read_text(path), newline=''), delimiter=delimiter)
    header = [name.strip() for name in next(reader, [])]
    if not header:
        raise UserError(f'{path}: empty; expected a header with the columns {", ".join(columns)}')
    if missing := [name for name in columns if name not in header]:
        raise UserError(f'{path}:1: no column {", ".join(map(repr, missing))}; the columns are {header}')
    if len(set(header)) < len(header):
        raise UserError(f'{path}:1: a column name appears twice in {header}')
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise UserError(f'{path}:{reader.line_num}: {len(row)} fields, but the header has {len(header)}')
        yield reader.line_num, {name: cell.strip() for name, cell in zip(header, row, strict=True)}


def parse_int(text: str, where: str, what: str) -> int:
    """``int(text)`` with a message that names the line."""
    try:
        return int(text)
    except ValueError:
        raise UserError(f'{where}: {what} is {text!r}, expected a whole number') from None


def natural_key(path: Path) -> tuple[int, str]:
    """Sort key that puts ``2.png`` before ``10.png``."""
    digits = ''.join(c for c in path.stem if c.isdigit())
    return (int(digits) if digits else -1, path.name)


def list_frames(folder: Path) -> list[Path]:
    """The images of a folder of frames, in frame order."""
    return sorted((p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES), key=natural_key)
