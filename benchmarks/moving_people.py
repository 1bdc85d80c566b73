"""A person made of points in three dimensions, whose head, trunk and limbs move as told, as tracks of a layout."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.spatial.transform import Rotation

from pose_extract.skeletons import get_skeleton
from pose_extract.tracks import PoseTracks

PIXELS = 3.0
"""Pixels a centimetre: shoulders of 36 cm are 108 pixels apart."""
# centimetres, x to the person's left (the picture's right), y up, z to the camera; the head's are about NECK
NECK = np.array([0.0, 50.0, 0.0])
_HEAD = {
    'nose': (0, 13, 11),
    'left_eye': (3.2, 17, 7.5),
    'left_eye_inner': (1.7, 17, 7.5),
    'left_eye_outer': (4.6, 17, 6.9),
    'left_ear': (7, 14.5, -1),
    'left_mouth': (2.5, 10, 8.5),
}
_BODY = {
    'left_shoulder': (18, 50, 0),
    'left_elbow': (24, 22, 0),
    'left_wrist': (22, 0, 6),
    'left_index': (21, -8, 8),
    'left_pinky': (23, -8, 8),
    'left_thumb': (20, -4, 8),
    'left_hip': (10, 0, 0),
    'left_knee': (12, -40, 10),
    'left_ankle': (12, -80, 0),
    'left_heel': (12, -84, -4),
    'left_foot_index': (13, -84, 12),
    'left_big_toe': (12, -84, 14),
    'left_small_toe': (15, -84, 12),
}
_SINGLE = {'neck': (0, 50, 0), 'hip_center': (0, 0, 0)}


def places(names: tuple[str, ...]) -> np.ndarray:
    """Where the points of a layout are at rest, (K, 3) centimetres about the hips."""
    found = []
    for name in names:
        known = {**_HEAD, **_BODY, **_SINGLE}
        mirrored = name.replace('right_', 'left_')
        x, y, z = known[name] if name in known else known[mirrored]
        place = np.array([x if name in known else -x, y, z], float)
        found.append(place + (NECK if mirrored in _HEAD else 0))
    return np.array(found)


def turned(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """A rotation (3, 3) of scipy's, so that the package's own is not tested against itself.

    Degrees; yaw to the picture's right, pitch upwards, roll clockwise in the picture; pitch first, roll last.
    """
    return Rotation.from_euler('xyz', [-pitch, yaw, -roll], degrees=True).as_matrix()


def person(
    times: np.ndarray,
    layout: str = 'coco17',
    head: Mapping[str, np.ndarray] | None = None,
    shift: Mapping[str, np.ndarray] | None = None,
    lean: np.ndarray | None = None,
    walk: np.ndarray | None = None,
    jitter: float = 0.0,
    seed: int = 0,
) -> PoseTracks:
    """One person.

    Args:
        times: (T,) seconds.
        layout: Of the tracks.
        head: ``yaw``, ``pitch``, ``roll`` (T,) degrees about the neck; what is not given is 0.
        shift: Keypoint to its way from rest, (T, 2) centimetres, x to the right, y up; 'shoulders' lifts both.
        lean: (T,) degrees of the upper body about the hips, clockwise in the picture.
        walk: (T, 2) pixels by which everything is moved.
        jitter: Standard deviation of white noise in pixels.
        seed: Of the noise.
    """
    names = get_skeleton(layout).keypoints
    body = np.repeat(places(names)[None], len(times), 0)
    if head:
        members = [k for k, name in enumerate(names) if name.replace('right_', 'left_') in _HEAD]
        angles = [head.get(name, np.zeros(len(times))) for name in ('yaw', 'pitch', 'roll')]
        for t, (yaw, pitch, roll) in enumerate(zip(*angles, strict=True)):
            body[t, members] = (body[t, members] - NECK) @ turned(yaw, pitch, roll).T + NECK
    for name, way in (shift or {}).items():
        for k in [k for k, one in enumerate(names) if one == name or (name == 'shoulders' and 'shoulder' in one)]:
            body[:, k, :2] += way
    if lean is not None:
        members = [k for k, place in enumerate(places(names)) if place[1] > 1]
        for t, angle in enumerate(lean):
            body[t, members] = body[t, members] @ turned(0, 0, angle).T
    keypoints = body[..., :2] * (PIXELS, -PIXELS) + (600, 400)
    if walk is not None:
        keypoints += walk[:, None]
    keypoints += np.random.default_rng(seed).normal(0, jitter, keypoints.shape) if jitter else 0
    return tracks_of(keypoints[None], times, layout)


def tracks_of(keypoints: np.ndarray, times: np.ndarray, layout: str) -> PoseTracks:
    """Keypoints (M, T, K, 2), NaN where unseen, as tracks with the score 1 where seen."""
    scores = np.isfinite(keypoints[..., 0]).astype(np.float32)
    boxes = np.full((*keypoints.shape[:2], 4), np.nan, np.float32)
    return PoseTracks(keypoints, scores, boxes, times, (1000, 1200), layout)


def bump(times: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 outside ``start`` to ``end``, up to 1 and back within, by quarter-second slopes."""
    rise = np.clip((times - start) / 0.25, 0, 1) * np.clip((end - times) / 0.25, 0, 1)
    return (1 - np.cos(np.pi * rise)) / 2


def wave(times: np.ndarray, start: float, end: float, frequency: float) -> np.ndarray:
    """A sine of amplitude 1 between ``start`` and ``end``, 0 outside."""
    inside = (times >= start) & (times <= end)
    return np.where(inside, np.sin(2 * np.pi * frequency * (times - start)), 0.0)


HANDS = ('wrist', 'index', 'pinky', 'thumb')
LEG = ('left_knee', 'left_ankle', 'left_heel', 'left_big_toe')


def acted(
    label: str,
    times: np.ndarray,
    layout: str = 'coco17',
    size: float = 1.0,
    start: float = 3.0,
    jitter: float = 0.3,
    seed: int = 0,
) -> PoseTracks:
    """One person who makes the movement of a rule once, from ``start`` for two seconds, and is otherwise still.

    Args:
        label: The rule, one of :data:`bmoe_app.rules.RULES`.
        times: (T,) seconds.
        layout: Of the tracks.
        size: Of the movement; 1 is a clear one.
        start: Seconds of its onset.
        jitter: Standard deviation of white noise in pixels.
        seed: Of the noise.
    """
    hold, beat = size * bump(times, start, start + 2), size * wave(times, start, start + 2, 1.5)
    head: dict[str, dict[str, np.ndarray]] = {
        'nod': {'pitch': 6 * beat},
        'head_shake': {'yaw': 10 * beat},
        'turn': {'yaw': 40 * hold},
        'tilt': {'roll': -30 * hold},
    }
    shift: dict[str, np.ndarray] = {}
    if label == 'shrug':
        shift = {'shoulders': _along(0, 6, hold)}
    elif label == 'hand_to_face':  # from beside the hip to before the mouth
        shift = {f'left_{part}': _along(-18, 58, hold) for part in HANDS} | {'left_elbow': _along(6, 2, hold)}
    elif label == 'crossed_arms':
        for side, sign in (('left', 1), ('right', -1)):
            shift |= {f'{side}_{part}': _along(-sign * 32, 25, hold) for part in HANDS}
            shift[f'{side}_elbow'] = _along(-sign * 4, 2, hold)
    elif label == 'leg_shaking':
        shift = dict.fromkeys(LEG, _along(0, 2, size * wave(times, start, start + 2, 4.0)))
    lean = 20 * hold if label == 'lean' else None
    return person(times, layout, head.get(label), shift, lean, jitter=jitter, seed=seed)


def _along(x: float, y: float, way: np.ndarray) -> np.ndarray:
    return way[:, None] * (x, y)
