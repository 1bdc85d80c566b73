"""Photographs that lie on their side or head although their file does not say so."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from face_aux.detection.faces import SURE, Face, Point

TURNED_SURE = 0.85
"""Median confidence from which the upright view is believed, and what the best face of a turned view must reach where
upright nothing is sure. MediaPipe gives clear upright faces 0.85 to 0.97; a clock on its side has 0.82."""
TILTED = 35.0
"""Median tilt in degrees from which the upright view is doubted: lying faces are found too, but badly placed."""
BETTER = 1.1
"""How much more confidence in level faces a turned view must have than the upright one."""


def find_upright(image: np.ndarray, detect: Callable[[np.ndarray], list[Face]]) -> list[Face]:
    """Find faces; where nothing, or nothing sure and level, is found, look at the quarter turns too.

    A scanned or edited photograph often lies turned without the EXIF entry that would say so.

    Args:
        image: uint8 (H, W, 3) RGB.
        detect: Finds the faces of an upright image.

    Returns:
        Faces in the pixels of ``image``, as ``detect`` orders them; :attr:`Face.turn` says how the photograph lies.
    """
    upright = detect(image)
    if _is_believed(upright):
        return upright
    best, least = upright, BETTER * _confidence(upright)
    sure = SURE if any(_score(face) >= SURE for face in upright) else TURNED_SURE
    for turn in (1, 2, 3):  # the photograph lies so far clockwise; the view is turned back
        found = detect(np.ascontiguousarray(np.rot90(image, turn)))
        confidence = _confidence(found)
        if confidence > least and max(_score(face) for face in found) >= sure:
            best, least = [turned_back(face, turn, *image.shape[:2]) for face in found], confidence
    return best


def _is_believed(faces: list[Face]) -> bool:
    if not faces:
        return False
    score = float(np.median([_score(face) for face in faces]))
    return score >= TURNED_SURE and float(np.median([abs(face.angle) for face in faces])) < TILTED


def _confidence(faces: list[Face]) -> float:
    """Sum over the sure faces, each as far as it is level."""
    return sum(_score(f) * max(0.0, math.cos(math.radians(f.angle))) for f in faces if _score(f) >= SURE)


def _score(face: Face) -> float:
    """A face's confidence; 1 where the detector has none, so that what it finds upright is believed."""
    return 1.0 if face.score is None else face.score


def turned_back(face: Face, turn: int, height: int, width: int) -> Face:
    """A face of ``np.rot90(image, turn)`` in the pixels of the image.

    Args:
        face: In the turned view, upright there.
        turn: Quarter turns of the view, counter-clockwise, 1 to 3.
        height: Of the image.
        width: Of the image.
    """

    def back(point: Point) -> Point:
        x, y = point
        return ((width - y, x), (width - x, height - y), (y, height - x))[turn - 1]

    a, b = back((face.box[0], face.box[1])), back((face.box[2], face.box[3]))
    box = (min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))
    eyes = None if face.eyes is None else (back(face.eyes[0]), back(face.eyes[1]))
    return replace(face, box=box, eyes=eyes, turn=turn)


def turn_note(turn: int) -> str:
    """What a row says of a photograph that lies turned; '' for one that is upright."""
    how = {1: 'a quarter turn clockwise', 2: 'upside down', 3: 'a quarter turn counter-clockwise'}
    return f'the photograph lies {how[turn]}; faces were found in the turned view' if turn else ''
