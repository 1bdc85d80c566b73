"""Events as a BORIS project (format 7.0): persons as subjects, labels as state events, one observation of the video."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_app.answer import Answer, Event
from bmoe_app.exports.layers import span
from bmoe_app.exports.texts import one_line
from bmoe_ground.files import atomic_write

FORMAT = '7.0'
"""``project_format_version`` of BORIS 8 and 9."""


def write_boris(path: str | os.PathLike[str], answer: Answer) -> None:
    """Write the events as a project of BORIS, the video linked by its place relative to the file.

    BORIS pairs a START with the next STOP of the same subject and behaviour. So where one person has the same label
    twice at once, as from a model and a rule, they become one; the comment of its start names both.

    Args:
        path: The ``.boris`` file, replaced if it exists.
        answer: To the video.

    Raises:
        UserError: The file cannot be written.
    """
    states = _states(answer)
    people = max([answer.tracks.num_persons, *(event.person + 1 for event in answer.events)])
    moments = []
    for person, code, start, end, comment in states:
        moments.append((start, f'person {person}', code, comment))
        moments.append((end, f'person {person}', code, ''))
    now = datetime.now(UTC).strftime('%Y-%m-%dT%H:%M:%S')
    project = {
        'time_format': 'hh:mm:ss',
        'project_date': now,
        'project_name': _plain(answer.name),
        'project_description': 'written by bmoe-skel',
        'project_format_version': FORMAT,
        'subjects_conf': {
            str(m): {'key': '', 'name': f'person {m}', 'description': ''} for m in range(people)
        },
        'behaviors_conf': {str(n): _behaviour(code) for n, code in enumerate(sorted({state[1] for state in states}))},
        'observations': {_plain(answer.name): _observation(path, answer, now, sorted(moments))},
        'behavioral_categories': [],
        'independent_variables': {},
        'coding_map': {},
        'behaviors_coding_map': [],
        'converters': {},
    }  # fmt: skip
    with atomic_write(path) as file:
        file.write(json.dumps(project, indent=1, ensure_ascii=False, allow_nan=False).encode())


def _states(answer: Answer) -> list[tuple[int, str, int, int, str]]:
    """Person, code, milliseconds of start and end, comment; of one person and code none overlaps another."""
    found: list[tuple[int, str, int, int, str]] = []
    for one in sorted(map(span, answer.events), key=lambda one: (one.event.person, _plain(one.event.label), one[:2])):
        person, code, comment = one.event.person, _plain(one.event.label), _comment(one.event)
        if found and found[-1][:2] == (person, code) and one.start < found[-1][3]:
            _, _, start, end, before = found.pop()
            found.append((person, code, start, max(end, one.end), f'{before}; {comment}'))
        else:
            found.append((person, code, one.start, one.end, comment))
    return found


def _comment(event: Event) -> str:
    return f'{event.source} {event.score:.4f}' + (f' by {event.region}' if event.region else '')


def _plain(text: str) -> str:
    """A name as BORIS takes it: on one line, and without its separator of lists."""
    return one_line(text).replace('|', '\u00a6')


def _behaviour(code: str) -> dict[str, Any]:
    return {
        'type': 'State event',
        'key': '',
        'code': code,
        'description': '',
        'color': '',
        'category': '',
        'modifiers': {},
        'excluded': '',
        'coding map': '',
    }


def _observation(
    path: str | os.PathLike[str], answer: Answer, now: str, moments: list[tuple[int, str, str, str]]
) -> dict[str, Any]:
    media = answer.name
    if answer.video is not None:
        media = Path(os.path.relpath(answer.video, Path(path).parent)).as_posix()
    media, times = one_line(media), answer.tracks.frame_times
    fps = float(1 / np.median(np.diff(times))) if len(times) > 1 else 0.0
    return {
        'file': {'1': [media], **{str(n): [] for n in range(2, 9)}},
        'type': 'MEDIA',
        'date': now,
        'description': '',
        'time offset': 0.0,
        # time in seconds, subject, behaviour, modifier, comment, frame
        'events': [[ms / 1000, subject, code, '', comment, 'NA'] for ms, subject, code, comment in moments],
        'observation time interval': [0, 0],
        'independent_variables': {},
        'close_behaviors_between_videos': False,
        'media_info': {
            'length': {media: round(answer.seconds, 3)},
            'fps': {media: round(fps, 3)},
            'hasVideo': {media: True},
            'hasAudio': {media: False},
            'offset': {'1': 0.0},
        },
    }
