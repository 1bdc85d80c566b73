"""Events as subtitles (SubRip), for a player."""

from __future__ import annotations

import os

from bmoe_app.answer import Answer, Event
from bmoe_app.exports.layers import span
from bmoe_app.exports.texts import one_line
from bmoe_ground.files import atomic_write

_MARKUP = str.maketrans({'<': '‹', '>': '›', '{': '(', '}': ')'})


def write_srt(path: str | os.PathLike[str], answer: Answer) -> None:
    """Write a subtitle an event: ``#0 nod (head) 0.87``; brackets that players take for markup become others.

    Args:
        path: The ``.srt`` file, replaced if it exists.
        answer: To the video.

    Raises:
        UserError: The file cannot be written.
    """
    spans = sorted(map(span, answer.events), key=lambda one: one[:2])
    blocks = [f'{n}\n{_clock(s.start)} --> {_clock(s.end)}\n{_text(s.event)}\n\n' for n, s in enumerate(spans, 1)]
    with atomic_write(path) as file:
        file.write(''.join(blocks).encode())


def _text(event: Event) -> str:
    region = f' ({event.region})' if event.region else ''
    return f'#{event.person} {one_line(event.label).translate(_MARKUP)}{region} {event.score:.2f}'


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f'{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{rest:03}'
