"""The kinds of files that an answer can leave as."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bmoe_app.answer import Answer
from bmoe_app.exports.boris import write_boris
from bmoe_app.exports.elan import write_elan
from bmoe_app.exports.event_table import write_events
from bmoe_app.exports.motion_bids import SUFFIX as MOTION
from bmoe_app.exports.motion_bids import write_motion_bids
from bmoe_app.exports.movement import write_movement
from bmoe_app.exports.praat import write_textgrid
from bmoe_app.exports.subtitles import write_srt
from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write


class Export(NamedTuple):
    """A kind of file: what its name ends in, what it is in a line, and what writes it."""

    suffix: str
    summary: str
    write: Callable[[Path, Answer], None]


def write_json(path: str | os.PathLike[str], answer: Answer) -> None:
    """Write :meth:`bmoe_app.answer.Answer.as_dict` as JSON.

    Args:
        path: The file, replaced if it exists.
        answer: To the video.

    Raises:
        UserError: The file cannot be written.
    """
    with atomic_write(path) as file:
        file.write(json.dumps(answer.as_dict(), indent=1).encode() + b'\n')


EXPORTS: dict[str, Export] = {
    'csv': Export('.events.csv', 'events as a table', write_events),
    'json': Export('.json', 'events, model and notes as JSON', write_json),
    'eaf': Export('.eaf', 'events as tiers for ELAN, to be corrected and read back', write_elan),
    'textgrid': Export('.TextGrid', 'events as interval tiers for Praat', write_textgrid),
    'boris': Export('.boris', 'events as a project of BORIS', write_boris),
    'srt': Export('.srt', 'events as subtitles', write_srt),
    'movement': Export('.dlc.csv', "tracks as DeepLabCut's table, for movement", write_movement),
    'motion-bids': Export(MOTION, 'tracks as BIDS Motion, four files', write_motion_bids),
}
"""Name of a kind to the kind."""


def write_export(kind: str, path: str | os.PathLike[str], answer: Answer) -> None:
    """Write an answer as another program reads it.

    Args:
        kind: A key of :data:`EXPORTS`.
        path: The file, replaced if it exists.
        answer: To the video.

    Raises:
        UserError: There is no such kind, or the file cannot be written.
    """
    if kind not in EXPORTS:
        raise UserError(f'export: expected one of {", ".join(EXPORTS)}, found {kind!r:.80}')
    EXPORTS[kind].write(Path(path), answer)
