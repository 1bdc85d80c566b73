"""A standing figure that has every keypoint of every layout, for pictures and for made-up tracks.

A keypoint has its place by its name. One of a name that is not known here, such as a point of somebody's own layout, is
placed from its neighbours along the bones.
"""

from __future__ import annotations

import numpy as np

from pose_extract.body_parts import FACE_PAIRS
from pose_extract.skeletons import REGIONS, Skeleton

# x to the image's right (the person's left), y down, hips at the origin, about 1.9 high; the person's left half
_BODY: dict[str, tuple[float, float]] = {
    'hip_center': (0, 0),
    'belly': (0, -0.13),
    'spine1': (0, -0.12),
    'spine': (0, -0.18),
    'spine2': (0, -0.25),
    'spine3': (0, -0.34),
    'spine_mid': (0, -0.26),
    'spine_shoulder': (0, -0.5),
    'thorax': (0, -0.51),
    'neck': (0, -0.52),
    'upper_neck': (0, -0.6),
    'shoulder_center': (0, -0.57),
    'left_collar': (0.09, -0.48),
    'left_shoulder': (0.19, -0.5),
    'left_elbow': (0.32, -0.26),
    'left_wrist': (0.43, -0.02),
    'left_hip': (0.11, 0.01),
    'left_knee': (0.14, 0.44),
    'left_ankle': (0.16, 0.85),
    'left_heel': (0.145, 0.91),
    'left_foot': (0.2, 0.93),
    'left_foot_index': (0.21, 0.95),
    'left_big_toe': (0.2, 0.96),
    'left_small_toe': (0.26, 0.93),
}
# in units of the face's width, around the middle of the face
_HEAD: dict[str, tuple[float, float]] = {
    'nose': (0, 0.18),
    'face': (0, 0.15),
    'head': (0, 0),
    'head_top': (0, -0.62),
    'left_eye': (0.22, -0.08),
    'left_eye_inner': (0.12, -0.07),
    'left_eye_outer': (0.32, -0.07),
    'left_ear': (0.53, -0.02),
    'left_mouth': (0.16, 0.4),
    'nose_bridge': (0, -0.1),
    'nose_base': (0, 0.27),
    'upper_lip': (0, 0.37),
    'lower_lip': (0, 0.44),
}
_HEAD_PLACE = (0.0, -0.77)
# of points without a place of their own: where they go from their neighbour, least distance from the middle, and from
# other points
_STEPS = {'head': (0.05, -0.12), 'body': (0.05, 0.1), 'upper': (0.1, 0.2), 'lower': (0.03, 0.3)}
_ASIDE, _APART = 0.03, 0.02

# direction in degrees from the forearm's (positive towards the body), length, share of the length at each joint
_FINGERS: dict[str, tuple[float, float, tuple[float, ...]]] = {
    'thumb': (48, 0.7, (0.3, 0.55, 0.8, 1)),
    'forefinger': (17, 0.97, (0.5, 0.72, 0.87, 1)),
    'middle_finger': (2, 1.05, (0.48, 0.7, 0.86, 1)),
    'ring_finger': (-13, 0.98, (0.48, 0.7, 0.86, 1)),
    'pinky_finger': (-29, 0.82, (0.55, 0.75, 0.88, 1)),
}
_HAND_NAMES = {
    'left_hand_root': 'left_hand_root',
    'left_hand': 'left_middle_finger1',
    'left_hand_tip': 'left_middle_finger4',
    'left_thumb': 'left_thumb3',
    'left_index': 'left_forefinger1',
    'left_pinky': 'left_pinky_finger1',
    'left_thumb_tip': 'left_thumb4',
    'left_index_tip': 'left_forefinger4',
    'left_middle_tip': 'left_middle_finger4',
    'left_ring_tip': 'left_ring_finger4',
    'left_pinky_tip': 'left_pinky_finger4',
}


def figure(skeleton: Skeleton, head: float = 0.2, hand: float = 0.17) -> np.ndarray:
    """Coordinates of a person who stands and faces the viewer.

    Args:
        skeleton: The layout.
        head: Width of the face, of a height of about 1.9.
        hand: Length of the hand.

    Returns:
        (K, 2) float64, x to the right and y down, the hips around the origin. The figure is its own mirror image.

    Example:
        >>> from pose_extract.skeletons import get_skeleton
        >>> figure(get_skeleton('coco17')).shape
        (17, 2)
    """
    left = {**_BODY, **_hand(hand)}
    left.update({name: _in_head(place, head) for name, place in {**_HEAD, **_face68()}.items()})
    mirrored = {name.replace('left_', 'right_'): (-x, y) for name, (x, y) in left.items() if name.startswith('left_')}
    every = {**left, **mirrored}
    places = {k: np.array(every[name], float) for k, name in enumerate(skeleton.keypoints) if name in every}
    while len(places) < skeleton.num_keypoints:
        _place_one(skeleton, places)
    return np.array([places[k] for k in range(skeleton.num_keypoints)])


def _place_one(skeleton: Skeleton, places: dict[int, np.ndarray]) -> None:
    """Place the keypoint that has the most placed neighbours, and its mirror image with it."""
    neighbours: dict[int, list[int]] = {k: [] for k in range(skeleton.num_keypoints)}
    for parent, child in skeleton.edges:
        neighbours[parent].append(child)
        neighbours[child].append(parent)
    # shoulders and hips are known in every layout, and bones make one tree: some point always has a placed neighbour
    waiting = [k for k in neighbours if k not in places]
    k = max(waiting, key=lambda k: sum(n in places for n in neighbours[k]))
    near = [places[n] for n in neighbours[k] if n in places]
    mirror = int(skeleton.flip_indices[k])
    side = 0 if mirror == k else -1 if k in {right for _, right in skeleton.pairs} else 1
    place = np.mean(near, axis=0)
    if len(near) == 1:
        place = place + _STEPS[REGIONS[skeleton.region_of[k]]] * np.array([side, 1])
    place[0] = side * max(side * place[0], _ASIDE)
    while any(np.linalg.norm(place - other) < _APART for other in places.values()):
        place = place + np.array([side * _APART / 2, _APART])
    places[k] = place
    if side:
        places[mirror] = place * [-1, 1]


def _in_head(place: tuple[float, float], head: float) -> tuple[float, float]:
    # a larger head grows upwards from the chin
    return _HEAD_PLACE[0] + place[0] * head, _HEAD_PLACE[1] - (head - 0.2) * 0.62 + place[1] * head


def _hand(length: float) -> dict[str, tuple[float, float]]:
    wrist = np.array(_BODY['left_wrist'])
    forearm = wrist - np.array(_BODY['left_elbow'])
    angle = np.arctan2(forearm[1], forearm[0])
    points = {'left_hand_root': wrist + 0.08 * length * np.array([np.cos(angle), np.sin(angle)])}
    for finger, (spread, reach, joints) in _FINGERS.items():
        direction = np.array([np.cos(angle + np.radians(spread)), np.sin(angle + np.radians(spread))])
        for joint, share in enumerate(joints, 1):
            points[f'left_{finger}{joint}'] = wrist + reach * share * length * direction
    points.update({name: points[of] for name, of in _HAND_NAMES.items()})
    return {name: (float(x), float(y)) for name, (x, y) in points.items()}


def _face68() -> dict[str, tuple[float, float]]:
    """The 68 face points in units of the face's width; the viewer's left (the person's right) first."""
    half_turn = np.pi * np.arange(9) / 16
    points: dict[int, tuple[float, float]] = {
        i: (-0.5 * np.cos(turn), 0.73 * np.sin(turn) - 0.09) for i, turn in enumerate(half_turn)
    }
    points.update({17 + i: (-0.44 + 0.083 * i, -0.2 - 0.07 * np.sin(np.pi * (i + 0.6) / 5)) for i in range(5)})
    points.update({27 + i: (0, -0.1 + 0.093 * i) for i in range(4)})
    points.update({31: (-0.1, 0.245), 32: (-0.05, 0.26), 33: (0, 0.27)})
    eye = np.radians([180, 120, 60, 0, -60, -120])
    points.update({36 + i: (-0.22 + 0.1 * np.cos(a), -0.07 - 0.055 * np.sin(a)) for i, a in enumerate(eye)})
    outer = np.radians([180, 150, 120, 90])
    points.update({48 + i: (0.18 * np.cos(a), 0.41 - 0.07 * np.sin(a)) for i, a in enumerate(outer)})
    points.update({57: (0, 0.49), 58: (-0.08, 0.475), 59: (-0.14, 0.445)})
    points.update({60: (-0.13, 0.41), 61: (-0.06, 0.395), 62: (0, 0.395), 66: (0, 0.43), 67: (-0.06, 0.43)})
    named = {f'face_{i}': (float(x), float(y)) for i, (x, y) in points.items()}
    for left, right in FACE_PAIRS:
        x, y = named[right]
        named[left] = (-x, y)
    return named
