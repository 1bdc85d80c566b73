"""Events read back, as a person left them: the table, the JSON file, the ELAN file.

A row that a person added by hand needs only ``start``, ``end``, ``person`` and ``label``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bmoe_app.answer import Event
from bmoe_app.exports.elan_read import read_elan
from bmoe_ground.cells import plain_cell
from bmoe_ground.errors import UserError
from bmoe_ground.tables import Row, iter_table, parse_number
from pose_extract.body_parts import REGIONS
from pose_extract.convert.json_files import read_json

_NEEDED = ('start', 'end', 'person', 'label')
_MAX_SECONDS = 1e7  # as of the tracks


def read_events(path: str | os.PathLike[str]) -> list[Event]:
    """Read the events of one video.

    Labels are kept as they stand, known or not. An event without a score has 1; one without a source is a person's. In
    an ELAN file what differs from what was written there is a person's too (:func:`read_elan`).

    Args:
        path: An events table (``.csv``, ``.tsv``, ``.txt``), an answer (``.json``) or an ELAN file (``.eaf``).

    Returns:
        The events, by start, then person.

    Raises:
        UserError: The file cannot be read, is of another kind, or one of its events makes no sense; the message names
            file, line and column.

    Example:
        >>> for event in read_events('answers/talk.mp4.events.csv'):  # doctest: +SKIP
        ...     print(event.start, event.label, event.source)
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in ('.csv', '.tsv', '.txt'):
        rows = list(iter_table(path, _NEEDED))
        videos = {row['video'] for row in rows if 'video' in row}
        if len(videos) > 1:
            raise UserError(f'{path}: has the events of {len(videos)} videos; read it as a table of many')
        events = [_from_row(row) for row in rows]
    elif suffix == '.json':
        events = _from_json(path)
    elif suffix == '.eaf':
        events = read_elan(path)
    else:
        raise UserError(f'{path}: expected events as .csv, .json or .eaf')
    return sorted(events, key=lambda event: (event.start, event.person))


def read_event_table(path: str | os.PathLike[str]) -> dict[str, list[Event]]:
    """Read the events of many videos from one table.

    Args:
        path: A table with a column ``video``.

    Returns:
        Video to its events, by start, then person; videos in the table's order. A video without an event has no row
        and is not in it.

    Raises:
        UserError: As for :func:`read_events`.
    """
    videos: dict[str, list[Event]] = {}
    for row in iter_table(path, ('video', *_NEEDED)):
        video = plain_cell(row['video'])
        if not video:
            raise UserError(f'{row.where}: video: empty')
        videos.setdefault(video, []).append(_from_row(row))
    return {name: sorted(events, key=lambda event: (event.start, event.person)) for name, events in videos.items()}


def _from_row(row: Row) -> Event:
    routing = {region: row.number(f'routing_{region}') for region in REGIONS if row.get(f'routing_{region}', '')}
    fields = {
        'start': row.number('start'),
        'end': row.number('end'),
        'person': row.integer('person'),
        'label': plain_cell(row['label']),
        'score': row.number('score') if row.get('score', '') else 1.0,
        'region': row.get('region') or None,
        'source': row.get('source') or 'person',
    }
    return _event(row.where, fields, routing)


def _from_json(path: Path) -> list[Event]:
    try:
        answer = read_json(path)
    except UserError as error:
        raise UserError(f'{path}: {error}') from error
    entries = answer.get('events') if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        raise UserError(f'{path}: expected an answer, which has a list "events"')
    return [_from_entry(f'{path}: event {number}', entry) for number, entry in enumerate(entries)]


def _from_entry(where: str, entry: Any) -> Event:
    if not isinstance(entry, dict):
        raise UserError(f'{where}: expected keys and values, found {entry!r:.80}')
    if missing := [name for name in _NEEDED if name not in entry]:
        raise UserError(f'{where}: no {missing[0]!r}')
    person, label, routing = entry['person'], entry['label'], entry.get('routing') or {}
    if isinstance(person, bool) or not isinstance(person, int):
        raise UserError(f'{where}: person: expected a whole number, found {person!r:.80}')
    if not isinstance(label, str):
        raise UserError(f'{where}: label: expected a text, found {label!r:.80}')
    if not isinstance(routing, dict) or not set(routing) <= set(REGIONS):
        raise UserError(f'{where}: routing: expected weights of {", ".join(REGIONS)}, found {routing!r:.80}')
    score = entry.get('score')
    fields = {
        'start': _number(entry['start'], where, 'start'),
        'end': _number(entry['end'], where, 'end'),
        'person': person,
        'label': label,
        'score': 1.0 if score is None else _number(score, where, 'score'),
        'region': entry.get('region') or None,
        'source': entry.get('source') or 'person',
    }
    return _event(where, fields, {name: _number(weight, where, 'routing') for name, weight in routing.items()})


def _number(value: Any, where: str, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f'{where}: {what}: expected a number, found {value!r:.80}')
    try:
        return parse_number(str(float(value)), where, what)
    except OverflowError:
        raise UserError(f'{where}: {what}: expected a number, found one too large') from None


def _event(where: str, fields: dict[str, Any], routing: Mapping[str, float]) -> Event:
    if not fields['label'].strip():
        raise UserError(f'{where}: label: empty')
    if max(abs(fields['start']), abs(fields['end'])) > _MAX_SECONDS:
        raise UserError(f'{where}: start, end: expected seconds within {_MAX_SECONDS:.0e}')
    if any(not 0 <= weight <= 1 for weight in routing.values()):
        raise UserError(f'{where}: routing: must be within 0..1, got {dict(routing)}')
    try:
        return Event(**fields, routing=routing)
    except (ValueError, TypeError) as error:
        raise UserError(f'{where}: {error}') from error
