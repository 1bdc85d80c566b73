"""Tables of events as people correct them, write them by hand or export them: who did what from when to when."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bmoe_ground.cells import plain_cell
from bmoe_ground.errors import UserError
from bmoe_ground.tables import Row, read_table

COLUMNS = ('start', 'end', 'label')
"""Columns that a table must have."""
SUFFIX = '.events.csv'


class LabelledEvent(NamedTuple):
    """One row of a table.

    Attributes:
        video: The video's path below the folder of videos, with ``/``.
        start: Seconds of its first frame, at least 0.
        end: Seconds of its last frame, not before ``start``.
        person: Index of the person in the track file, from 0; None where the table does not say.
        label: Such as ``nod``.
        split: 'train', 'val' or 'test'; empty where the table gives none.
        subject: Who the person is, the same in every video; empty where the table does not say.
        where: ``file:line``, for error messages.
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
    """Read tables of events.

    A table is CSV (or with semicolons or tabs) with the columns ``start``, ``end`` in seconds and ``label``, and
    perhaps ``video``, ``person``, ``split`` and ``subject``; others, as ``bmoe infer`` and its page write them, are not
    looked at. A table without ``video`` is of the one video that it is named after: ``nod.mp4.events.csv``, or
    ``nod.mp4.csv``, is of ``nod.mp4``. Cells that an apostrophe keeps from being a formula are read without it.

    Args:
        source: A table; a folder, of which every ``*.events.csv`` is read, however deep, as that of the video of the
            same path; or a list of these.

    Returns:
        Rows in order; exact repetitions once.

    Raises:
        UserError: A table is missing or empty, or a row is wrong; the message has file and line.

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
        tables = sorted(one.rglob(f'[!.]*{SUFFIX}'))
        if not tables:
            raise UserError(f'{one} holds no table of events: expected files <video>{SUFFIX}')
        for table in tables:
            events += _read(table, _stem(table.relative_to(one).as_posix()))
    if not events:
        raise UserError(f'no table of events given, got {source!r}')
    once: dict[tuple[object, ...], LabelledEvent] = {}
    for event in events:
        once.setdefault(event[:-1], event)
    return list(once.values())


def _stem(name: str) -> str:
    for suffix in (SUFFIX, '.csv', '.tsv', '.txt'):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


def _read(path: Path, video: str) -> list[LabelledEvent]:
    return [_event(row, video) for row in read_table(path, COLUMNS)]


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
