"""Events as people correct them, write them by hand or export them, in tables or ELAN files: who did what, and when."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bmoe_ground.cells import plain_cell
from bmoe_ground.elan import read_annotations
from bmoe_ground.errors import UserError
from bmoe_ground.folders import walk_files
from bmoe_ground.tables import Row, read_table

COLUMNS = ('start', 'end', 'label')
"""Columns that a table must have."""
SUFFIX = '.events.csv'
ELAN = '.eaf'


class LabelledEvent(NamedTuple):
    """One row of a table, or one annotation of an ELAN file.

    Attributes:
        video: The video's path below the folder of videos, with ``/``.
        start: Seconds of its first frame, at least 0.
        end: Seconds of its last frame, not before ``start``.
        person: Index of the person in the track file, from 0; None where the table does not say.
        label: Such as ``nod``.
        split: 'train', 'val' or 'test'; empty where the table gives none.
        subject: Who the person is, the same in every video; empty where the table does not say.
        where: ``file:line``, or file, tier and annotation, for error messages.
    """

    video: str
    start: float
    end: float
    person: int | None
    label: str
    split: str
    subject: str
    where: str


def read_event_tables(source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> list[LabelledEvent]:
    """Read tables of events, and ELAN files.

    A table is CSV (or with semicolons or tabs) with the columns ``start``, ``end`` in seconds and ``label``, and
    perhaps ``video``, ``person``, ``split`` and ``subject``; others, as ``bmoe infer`` and its page write them, are not
    looked at. A table without ``video`` is of the one video that it is named after: ``nod.mp4.events.csv``, or
    ``nod.mp4.csv``, is of ``nod.mp4``. Cells that an apostrophe keeps from being a formula are read without it.

    An ELAN file is of the one video that it is named after, too: ``nod.mp4.eaf`` is of ``nod.mp4``. Whose a tier is
    :func:`bmoe_ground.elan.read_annotations` says.

    Args:
        source: A table or an ELAN file; a folder, of which every ``*.events.csv`` or else every ``*.eaf`` is read,
            however deep, as that of the video of the same path; or a list of these.

    Returns:
        Rows in order; exact repetitions once.

    Raises:
        UserError: A file is missing or empty, or a row is wrong, the message has file and line; or a folder has both
            the table and the ELAN file of a video.

    Example:
        >>> for event in read_event_tables('answers/events.csv'):  # doctest: +SKIP
        ...     print(event.video, event.start, event.end, event.label)
    """
    sources = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    events: list[LabelledEvent] = []
    for one in map(Path, sources):
        if not one.is_dir():
            events += _read(one, _stem(one.name))
            continue
        for video, table in _of_folder(one).items():
            events += _read(table, video)
    if not events:
        raise UserError(f'no table of events given, got {source!r}')
    once: dict[tuple[object, ...], LabelledEvent] = {}
    for event in events:
        once.setdefault(event[:-1], event)
    return list(once.values())


def _of_folder(folder: Path) -> dict[str, Path]:
    """Video to its table or ELAN file; of both nobody can say which one is the corrected one."""
    files = [file for file in walk_files(folder) if file.name.endswith((SUFFIX, ELAN))]
    if not files:
        raise UserError(f'{folder} holds no table of events: expected files <video>{SUFFIX} or <video>{ELAN}')
    found: dict[str, Path] = {}
    for file in files:
        video = _stem(file.relative_to(folder).as_posix())
        if video in found:
            raise UserError(f'{folder}: {found[video].name} and {file.name} are of one video: keep the corrected one')
        found[video] = file
    return found


def _stem(name: str) -> str:
    for suffix in (SUFFIX, ELAN, '.csv', '.tsv', '.txt'):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


def _read(path: Path, video: str) -> list[LabelledEvent]:
    if path.suffix.lower() != ELAN:
        return [_event(row, video) for row in read_table(path, COLUMNS)]
    return [
        LabelledEvent(video, one.start / 1000, one.end / 1000, one.person, one.label, '', '', one.where)
        for one in read_annotations(path)
    ]


def _event(row: Row, video: str) -> LabelledEvent:
    start, end = row.number('start'), row.number('end')
    if not 0 <= start <= end:
        raise UserError(f'{row.where}: expected 0 <= start <= end, found {start} and {end}')
    label, named = plain_cell(row['label']), plain_cell(row.get('video', video)).replace('\\', '/')
    if not label or not named:
        raise UserError(f'{row.where}: an event without {"label" if not label else "video"}')
    person = row.integer('person') if row.get('person') else None
    if person is not None and person < 0:
        raise UserError(f'{row.where}: person: must be 0 or more, found {person}')
    split, subject = row.get('split', ''), plain_cell(row.get('subject', ''))
    return LabelledEvent(named, start, end, person, label, split, subject, row.where)
