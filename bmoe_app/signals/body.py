"""Trunk, shoulders, hands and legs of one person in the picture: angles in degrees, lengths in body sizes.

What one camera cannot tell stays unknown. A lean to the side is an angle in the picture. A lean towards or away from
the camera only shortens the trunk, whichever way it goes (by 6 % at 20 degrees), and widens the shoulders against the
hips when it comes nearer (by about 9 % at 20 degrees and 2 m), as a turn of the upper body narrows them: the two
signals that say so are hints, and no rule uses them. A hand before the face in the picture may be far before it.
"""

from __future__ import annotations

import numpy as np

from bmoe_app.signals.points import Points, length
from pose_extract.body_parts import FINGERS

_HAND_PARTS = (
    *('hand', 'index', 'pinky', 'thumb', 'hand_root', 'hand_tip'),
    *('thumb_tip', 'index_tip', 'middle_tip', 'ring_tip', 'pinky_tip'),
    *(f'{finger}{joint}' for finger in FINGERS[1:] for joint in (1, 4)),
)
_HEAD_PARTS = ('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear')
BEYOND_WRIST = 0.33
"""Share of the forearm by which a hand lies beyond the wrist, where no point of the hand is seen (as in OpenPose)."""
MIN_SHOULDERS = 0.5
"""Body sizes between the shoulders below which a body stands sideways and its left and right are not told."""


def head_center(points: Points) -> np.ndarray:
    """Middle of the head, (T, 2): of the ears, of the eyes, the mean of what is seen, or between crown and neck."""
    ears, eyes = points.middle('ear'), points.middle('eye')
    rest = points.mean((*_HEAD_PARTS, 'head', 'face'))
    found = (points.get('head_top') + points.get('upper_neck')) / 2
    for better in (rest, eyes, ears):
        found = np.where(np.isfinite(better), better, found)
    return found


def hand(points: Points, side: str) -> np.ndarray:
    """Middle of a hand, (T, 2): mean of its points, else beyond the wrist in line with the forearm, else the wrist."""
    parts = points.mean(f'{side}_{part}' for part in _HAND_PARTS)
    wrist, elbow = points.get(f'{side}_wrist'), points.get(f'{side}_elbow')
    beyond = wrist + BEYOND_WRIST * (wrist - elbow)
    return np.where(np.isfinite(parts), parts, np.where(np.isfinite(beyond), beyond, wrist))


def line_angle(line: np.ndarray) -> np.ndarray:
    """Degrees by which a line that should point up, (T, 2), leans to the right of the picture."""
    return np.degrees(np.arctan2(line[:, 0], line[:, 1]))


def shoulder_angle(points: Points) -> np.ndarray:
    """Degrees by which the line from the right to the left shoulder is turned clockwise in the picture, -90 to 90.

    An unmirrored person's own left lies to the right of the picture; seen from behind, the other way round.
    """
    line = points.get('left_shoulder') - points.get('right_shoulder')
    line = line * np.where(line[:, :1] < 0, -1, 1)
    return np.degrees(np.arctan2(-line[:, 1], line[:, 0]))


def head_signals(points: Points, size: np.ndarray, roll: np.ndarray) -> dict[str, np.ndarray]:
    """The head against the shoulders.

    Args:
        points: The person.
        size: (T,) pixels of a body size.
        roll: (T,) degrees of the head's roll.
    """
    offset = (head_center(points) - points.middle('shoulder')) / size[:, None]
    against = (roll - shoulder_angle(points) + 180) % 360 - 180
    return {'head_shoulder_x': offset[:, 0], 'head_shoulder_y': offset[:, 1], 'head_shoulder_roll': against}


def trunk_signals(points: Points, size: np.ndarray) -> dict[str, np.ndarray]:
    """Lean of the trunk and height of the shoulders; see the module for what a lean in depth cannot say.

    Height is that over the middle of the hips. Where the hips are unseen in most frames, as of somebody at a table, it
    is height in the picture: only its changes mean something then.
    """
    trunk = points.middle('shoulder') - points.middle('hip')
    widths = [length(points.get(f'left_{part}') - points.get(f'right_{part}')) for part in ('shoulder', 'hip')]
    seen = np.isfinite(points.middle('shoulder')[:, 0])
    over_hips = np.isfinite(trunk[:, 0]).sum() >= max(1, seen.sum() / 2)
    floor = points.middle('hip')[:, 1] if over_hips else 0.0
    with np.errstate(divide='ignore', invalid='ignore'):
        wider = np.log(widths[0] / widths[1])
    signals = {
        'trunk_lean_side': line_angle(trunk),
        'trunk_length': length(trunk) / size,
        'trunk_lean_depth': np.where(np.isfinite(wider), wider, np.nan),
    }
    for side in ('left', 'right'):
        signals[f'shoulder_height_{side}'] = (points.get(f'{side}_shoulder')[:, 1] - floor) / size
    return signals


def hand_signals(points: Points, size: np.ndarray) -> dict[str, np.ndarray]:
    """Distances of the hands to head, trunk and each other, and how far the wrists are crossed."""
    head, shoulders, hips = head_center(points), points.middle('shoulder'), points.middle('hip')
    hands = {side: hand(points, side) for side in ('left', 'right')}
    signals = {}
    for side, place in hands.items():
        signals[f'hand_face_{side}'] = length(place - head) / size
        signals[f'hand_trunk_{side}'] = _to_segment(place, shoulders, hips) / size
    signals['hand_hand'] = length(hands['left'] - hands['right']) / size
    across = points.get('left_shoulder') - points.get('right_shoulder')
    wide = length(across)
    with np.errstate(divide='ignore', invalid='ignore'):
        direction = across / wide[:, None]
    apart = points.get('left_wrist') - points.get('right_wrist')
    crossed = -(apart * direction).sum(-1) / size
    signals['wrists_crossed'] = np.where(wide >= MIN_SHOULDERS * size, crossed, np.nan)
    return signals


def leg_signals(points: Points, size: np.ndarray) -> dict[str, np.ndarray]:
    """Place of each lower leg against the hips: mean of knee and ankle where both are seen, else the knee."""
    hips = points.middle('hip')
    signals = {}
    for side in ('left', 'right'):
        knee, ankle = points.get(f'{side}_knee'), points.get(f'{side}_ankle')
        leg = knee if not np.isfinite(ankle).any() else (knee + ankle) / 2
        signals[f'leg_x_{side}'] = (leg - hips)[:, 0] / size
        signals[f'leg_y_{side}'] = (leg - hips)[:, 1] / size
    return signals


def _to_segment(place: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distance (T,) of places to the segments between two points, all (T, 2)."""
    along = end - start
    square = np.maximum((along**2).sum(-1), 1e-12)
    share = np.clip(((place - start) * along).sum(-1) / square, 0, 1)
    return length(place - start - share[:, None] * along)
