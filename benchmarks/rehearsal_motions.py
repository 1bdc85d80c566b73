"""How each of MA-52's actions is played in the rehearsal set: which joints move, where to, how far and how often.

Lengths are in shoulder widths of a seated body that faces the camera, x to the image's right and y down, with the
middle of the hips at the origin. A move is played on the right side of the body or mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pose_extract.skeletons import get_skeleton

LAYOUT = 'openpose28'

# the right half; the left one mirrors it. Fingers hang from the wrist.
_HALF = {
    'shoulder': (-0.50, -1.40),
    'elbow': (-0.66, -0.78),
    'wrist': (-0.24, -0.22),
    'hip': (-0.34, 0.0),
    'knee': (-0.46, 0.38),
    'ankle': (-0.42, 1.22),
    'eye': (-0.09, -2.05),
    'ear': (-0.20, -2.00),
}
_MIDDLE = {'nose': (0.0, -1.94), 'neck': (0.0, -1.46)}
_FINGERS = {
    'thumb_tip': (0.08, 0.02),
    'index_tip': (0.07, 0.12),
    'middle_tip': (0.03, 0.14),
    'ring_tip': (-0.01, 0.13),
    'pinky_tip': (-0.05, 0.11),
}

HEAD = ('nose', 'eye', 'ear')
HAND = ('wrist', *_FINGERS)
ARM = ('elbow', *HAND)
TRUNK = ('neck', 'shoulder', *HEAD, *ARM)
WHOLE = (*TRUNK, 'hip', 'knee')


def rest_pose() -> np.ndarray:
    """The seated body at rest, (28, 2)."""
    return np.array([_rest(name) for name in get_skeleton(LAYOUT).keypoints])


def _rest(name: str) -> tuple[float, float]:
    if name in _MIDDLE:
        return _MIDDLE[name]
    side, part = name.split('_', 1)
    x, y = _HALF['wrist'] if part in _FINGERS else _HALF[part]
    if part in _FINGERS:
        x, y = x + _FINGERS[part][0], y + _FINGERS[part][1]
    return (x, y) if side == 'right' else (-x, y)


@dataclass(frozen=True)
class Move:
    """One motion of some joints.

    Attributes:
        parts: Joints without their side; middle joints (nose, neck) as they are.
        kind: 'shift' along ``vector`` and stay or return; 'swing' to and fro along it; 'yaw' and 'roll' of the head by
            ``vector[0]``, held, or to and fro where ``cycles`` is above 0; 'reach' of a hand to the place ``vector``;
            'squeeze' of the joints towards the body's axis by the factor ``vector[0]``; 'curl' of the fingers towards
            their wrist by it.
        vector: See ``kind``.
        side: 'one' side of the body, or 'both', mirrored.
        cycles: Fewest and most repetitions of the swing, or of the small motion of a hand at its place.
        wiggle: Size of that small motion.
        stay: Chance that the joints do not come back within the clip.
        reverse: Whether the motion is played backwards: it begins where others end.
    """

    parts: tuple[str, ...]
    kind: str
    vector: tuple[float, float]
    side: str = 'both'
    cycles: tuple[float, float] = (0, 0)
    wiggle: float = 0.0
    stay: float = 0.3
    reverse: bool = False


def _touch(x: float, y: float, wiggle: float = 0.0, cycles: tuple[float, float] = (3, 6), side: str = 'one') -> Move:
    return Move(HAND, 'reach', (x, y), side, cycles if wiggle else (0, 0), wiggle)


def _shift(
    parts: tuple[str, ...], x: float, y: float, side: str = 'both', stay: float = 0.5, reverse: bool = False
) -> Move:
    return Move(parts, 'shift', (x, y), side, stay=stay, reverse=reverse)


_LEGS = ('knee', 'ankle')
_TIPS = tuple(_FINGERS)

# action -> its moves, in the order of the data set's labels
MOVES: tuple[tuple[Move, ...], ...] = (
    (Move(TRUNK, 'swing', (0.13, 0.02), 'one', (1.5, 4)),),  # shaking body
    (_shift(TRUNK, 0.0, -0.13, stay=0.8),),
    (_shift(('shoulder', 'elbow'), 0.03, -0.13, stay=0.0),),
    (Move(TRUNK, 'squeeze', (0.45, 0), stay=0.6), Move(HEAD, 'yaw', (0.2, 0), 'one', stay=0.6)),
    (_shift(WHOLE, 0.0, -0.5, stay=0.9),),
    (_shift(HEAD, 0.0, 0.20),),  # bowing head
    (_shift(HEAD, 0.0, -0.14),),
    (Move(HEAD, 'roll', (0.25, 0), 'one'),),
    (Move(HEAD, 'yaw', (0.20, 0), 'one', stay=0.5),),
    (Move(HEAD, 'swing', (0.0, 0.10), cycles=(1.5, 4)),),
    (Move(HEAD, 'yaw', (0.15, 0), 'one', (1.5, 4)),),
    (_touch(0.55, -0.70, 0.06),),  # scratching arms
    (Move(HAND, 'reach', (-0.12, -0.45), 'both', (3, 6), 0.05),),
    (Move(HAND, 'reach', (-0.03, -0.50), 'both'),),
    (Move(HAND, 'reach', (-0.04, -0.45), 'both', (3, 6), 0.08),),
    (_touch(0.0, -1.05), Move(('middle_tip', 'ring_tip', 'pinky_tip'), 'curl', (0.6, 0), 'one')),
    (Move(_TIPS, 'curl', (0.6, 0), 'one'),),
    (Move(HAND, 'reach', (-0.95, -0.80), 'one'),),
    (Move(HAND, 'reach', (-0.90, -0.75), 'one', stay=1.0, reverse=True),),
    (_touch(-0.75, -1.60, 0.16, (2, 5)),),
    (Move(HAND, 'reach', (-0.70, -0.60), 'both'),),
    (Move(HAND, 'reach', (-0.05, -0.40), 'both', (2, 5), 0.02), Move(_TIPS, 'curl', (0.3, 0), cycles=(2, 5))),
    (Move(_TIPS, 'curl', (0.35, 0), 'one', (2, 5)),),
    (Move(HAND, 'reach', (-0.45, -0.80), 'one', (1, 3), 0.16),),  # illustrative gestures
    (Move(('knee',), 'swing', (0.01, 0.06), 'one', (4, 8)),),  # shaking legs
    (_shift(('ankle',), 0.20, -0.15),),
    (_shift(_LEGS, -0.20, 0.0, stay=0.7),),
    (_shift(_LEGS, -0.20, 0.0, stay=1.0, reverse=True),),
    (_shift(_LEGS, 0.45, -0.25, 'one', 0.8),),
    (_shift(('ankle',), -0.03, 0.20, 'one'),),
    (_shift(('ankle',), 0.03, -0.18, 'one'),),
    (_shift(_LEGS, 0.0, -0.13, stay=0.2),),
    (_touch(-0.15, -1.50, 0.05),),  # scratching or touching neck
    (_touch(0.05, -1.10, 0.05),),
    (_touch(-0.60, -0.85, 0.05),),
    (_touch(0.45, -1.35, 0.05),),
    (Move(HAND, 'reach', (-0.42, -0.10), 'both'), _shift(('elbow',), -0.25, -0.05)),
    (Move(HAND, 'reach', (0.42, -0.80), 'both', stay=0.6),),
    (_touch(-0.06, -2.32, 0.07),),  # playing or tidying hair
    (_touch(-0.26, -2.02, 0.05),),
    (_touch(0.0, -2.18, 0.03),),
    (_touch(-0.12, -1.88, 0.04),),
    (_touch(-0.09, -2.04, 0.05),),
    (_touch(0.0, -1.92, 0.03),),
    (_touch(-0.22, -1.98, 0.04),),
    (Move(HAND, 'reach', (-0.08, -1.98), 'both'),),
    (_touch(0.0, -1.82),),
    (_touch(-0.03, -2.06, 0.03, (1, 2)),),
    (_touch(-0.38, 0.20, 0.10, (2, 5)),),  # patting legs
    (_touch(-0.40, 0.25),),
    (_touch(-0.40, 0.10, 0.05),),
    (_touch(-0.36, 0.95, 0.05), _shift(TRUNK, 0.0, 0.35, stay=0.2)),
)
