"""Person boxes from a file, in place of a detector."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.tables import iter_table
from bmoe_ground.texts import read_text
from pose_extract.poses import PersonBoxes

CORNERS = ('x1', 'y1', 'x2', 'y2')
REQUIRED = ('video', 'frame', *CORNERS)
NOBODY = PersonBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


class VideoBoxes:
    """The boxes of one video by frame number; frames that are not listed have no person."""

    def __init__(self, frames: Mapping[int, PersonBoxes]) -> None:
        self.frames = frames

    def __call__(self, index: int) -> PersonBoxes:
        """Boxes of frame ``index``."""
        return self.frames.get(index, NOBODY)


_MOST = 2**53  # beyond, two whole numbers may be one float


def read_boxes(path: str | Path) -> dict[str, VideoBoxes]:
    """Read a file of person boxes.

    A ``.csv`` file has the columns ``video,frame,x1,y1,x2,y2`` and, if wanted, ``score`` (0..1) and ``id`` (a whole
    number that stays with the person); a ``.json`` file is a list of objects with the same keys. ``video`` is the
    path below the input folder, ``frame`` counts from 0, the corners are pixels.

    Args:
        path: The file.

    Returns:
        The boxes of each video by its path.

    Raises:
        UserError: The file cannot be read; the message names the line (or item) and the column.
    """
    path = Path(path)
    rows: dict[str, dict[int, list[tuple[list[float], float, int | None]]]] = {}
    for where, entry in _entries(path):
        video, frame, person = _person(where, entry)
        rows.setdefault(video, {}).setdefault(frame, []).append(person)
    if not rows:
        raise UserError(f'{path}: no boxes in it')
    return {
        video: VideoBoxes(
            {frame: _collect(f'{path}, {video}, frame {frame}', found) for frame, found in frames.items()}
        )
        for video, frames in rows.items()
    }


def _entries(path: Path) -> Iterable[tuple[str, Mapping[str, Any]]]:
    if path.suffix.lower() == '.csv':
        for row in iter_table(path, REQUIRED):
            yield row.where, {column: text for column, text in row.items() if text}
    elif path.suffix.lower() == '.json':
        try:
            entries = json.loads(read_text(path))
        except json.JSONDecodeError as error:
            raise UserError(f'{path}: cannot be read: {error}') from error
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise UserError(f'{path}: expected a list of objects with {", ".join(REQUIRED)}')
        yield from ((f'{path}, item {number}', entry) for number, entry in enumerate(entries))
    else:
        raise UserError(f'{path}: boxes are read from .csv or .json files')


def _person(where: str, entry: Mapping[str, Any]) -> tuple[str, int, tuple[list[float], float, int | None]]:
    missing = [key for key in REQUIRED if key not in entry]
    if missing:
        raise UserError(f'{where}: {", ".join(missing)} missing; expected video, frame, x1, y1, x2, y2[, score][, id]')
    frame = _number(where, entry, 'frame')
    box = [_number(where, entry, key) for key in CORNERS]
    score = _number(where, entry, 'score') if 'score' in entry else 1.0
    identity = _number(where, entry, 'id') if 'id' in entry else None
    for key, number in (('frame', frame), ('id', identity)):
        if number is not None and (number != int(number) or not 0 <= number < _MOST):
            raise UserError(f'{where}: {key} must be a whole number from 0 to below 2**53, got {entry[key]!r:.80}')
    if not (box[0] < box[2] and box[1] < box[3]):
        raise UserError(f'{where}: expected x1 < x2 and y1 < y2, got {box}')
    if not 0 <= score <= 1:
        raise UserError(f'{where}: score must lie in 0..1, got {score}')
    return str(entry['video']), int(frame), (box, score, None if identity is None else int(identity))


def _number(where: str, entry: Mapping[str, Any], key: str) -> float:
    try:
        value = float(entry[key])
    except (TypeError, ValueError) as error:
        raise UserError(f'{where}: {key} must be a number, got {entry[key]!r}') from error
    if not math.isfinite(value):
        raise UserError(f'{where}: {key} must be a finite number, got {entry[key]!r}')
    return value


def _collect(where: str, found: list[tuple[list[float], float, int | None]]) -> PersonBoxes:
    ids = [identity for *_, identity in found]
    given = [identity for identity in ids if identity is not None]
    if given and len(set(given)) != len(ids):
        raise UserError(f'{where}: either every person has an id of its own, or none has one; got {ids}')
    boxes = np.array([box for box, *_ in found], np.float32)
    scores = np.array([score for _, score, _ in found], np.float32)
    return PersonBoxes(boxes, scores, np.array(given, np.int64) if given else None)
